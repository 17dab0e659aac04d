-- Counts of one batch in one step: {total, completed, failed, pending, processing, cancelled}, or nil when unknown.
-- Costs what the batch has jobs, whatever else is in the queue. The queue's own state wins; the outcome that was
-- kept decides only where the queue has dropped the job. A job with neither was removed by somebody else.
-- ARGV: base, batch id
local batch = ARGV[2]
local ids = rcall("ZRANGE", batchPrefix .. batch .. ":jobs", 0, -1)
if #ids == 0 and rcall("EXISTS", batchPrefix .. batch) == 0 then return nil end
local active = {}
for _, id in ipairs(rcall("LRANGE", base .. "active", 0, -1)) do active[id] = true end
local outcomesKey = batchPrefix .. batch .. ":outcomes"
local completed, failed, pending, processing, cancelled = 0, 0, 0, 0, 0
local CHUNK = 1000
for from = 1, #ids, CHUNK do
  local to = math.min(from + CHUNK - 1, #ids)
  local done = rcall("ZMSCORE", base .. "completed", unpack(ids, from, to))
  local broken = rcall("ZMSCORE", base .. "failed", unpack(ids, from, to))
  for i = from, to do
    local id = ids[i]
    if active[id] then
      processing = processing + 1
    elseif done[i - from + 1] then
      completed = completed + 1
      pcall(keepOutcome, batch, id, "completed")
    elseif broken[i - from + 1] then
      failed = failed + 1
      if isCancelReason(rcall("HGET", base .. id, "failedReason")) then cancelled = cancelled + 1 end
      pcall(keepOutcome, batch, id, "failed")
    elseif rcall("EXISTS", base .. id) == 1 then
      pending = pending + 1
    else
      local outcome = rcall("HGET", outcomesKey, id)
      local letter = outcome and string.sub(outcome, 1, 1)
      if letter == "c" then
        completed = completed + 1
      elseif letter then
        failed = failed + 1
        if letter == "x" then cancelled = cancelled + 1 end
      end
    end
  end
end
return {completed + failed + pending + processing, completed, failed, pending, processing, cancelled}
