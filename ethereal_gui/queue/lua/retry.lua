-- Put a finished or delayed job back into the line with all its attempts.
-- Returns {"retried"}, {"no", state}, {"missing"} or, for a job that the queue has dropped, {"gone", outcome, batch}.
-- ARGV: base, id
local id = ARGV[2]
local key = base .. id
local state = stateOf(id)
local batch = batchOf(id)
if not state then
  local outcome = batch and rcall("HGET", batchPrefix .. batch .. ":outcomes", id)
  if outcome then return {"gone", outcome, batch} end
  return {"missing"}
end
if state ~= "failed" and state ~= "completed" and state ~= "delayed" then return {"no", state} end
rcall("ZREM", base .. state, id)
rcall("ZREM", base .. "cancelling", id)
if state == "delayed" then
  rcall("HSET", key, "delay", 0)
else
  dropParts(id)
  rcall("HDEL", key, "finishedOn", "processedOn", "failedReason", "returnvalue", "atm", "ats", "stc", "defa", "pb", "left")
  rcall("HSET", key, "progress", "0")
  if batch then dropOutcome(batch, id) end
end
joinLine(id)
emit("waiting", "jobId", id, "prev", state)
return {"retried"}
