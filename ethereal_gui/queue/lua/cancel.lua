-- Cancel one job. A job that waits in any way fails at once, also one that waits for the parts of its video, whose
-- renders their workers end then; for a running one the wish is noted for its worker.
-- Returns "cancelled", "requested", "finished" or "missing".
-- ARGV: base, id, reason, how many failed jobs to keep when the job does not say
local id, reason = ARGV[2], ARGV[3]
local key = base .. id
local state = stateOf(id)
if not state or state == "completed" or state == "failed" then
  rcall("ZREM", base .. "cancelling", id)
  return (state or batchOf(id)) and "finished" or "missing"
end
if state == "active" then
  if rcall("ZADD", base .. "cancelling", "NX", now(), id) == 1 then emit("cancelling", "jobId", id) end
  return "requested"
end
leaveLine(id)
rcall("ZREM", base .. "delayed", id)
rcall("ZREM", base .. "waiting-children", id)
dropParts(id)
local finished = now()
rcall("HSET", key, "failedReason", reason, "finishedOn", finished, "delay", 0)
rcall("HDEL", key, "defa")
rcall("ZREM", base .. "cancelling", id)
rcall("ZADD", base .. "failed", finished, id)
local batch = batchOf(id) or adopt(id, batchInData(id))
if batch then writeOutcome(batch, id, "failed") end
emit("failed", "jobId", id, "failedReason", reason, "prev", state)

-- BullMQ trims the failed jobs whenever one fails; so do we, and keep the outcome of each that goes.
local keep = tonumber(ARGV[4])
local ok, opts = pcall(cjson.decode, rcall("HGET", key, "opts") or "{}")
if ok and type(opts) == "table" then
  local wish = opts["removeOnFail"]
  if type(wish) == "table" then wish = wish["count"] end
  if wish == true then wish = 0 end
  if wish == false then keep = -1 elseif type(wish) == "number" then keep = wish end
end
if keep >= 0 then
  for _, old in ipairs(rcall("ZREVRANGE", base .. "failed", keep, -1)) do
    local oldBatch = batchOf(old)
    if oldBatch then keepOutcome(oldBatch, old, "failed") end
    deleteRecord(old)
  end
  rcall("ZREMRANGEBYRANK", base .. "failed", 0, -(keep + 1))
end
return "cancelled"
