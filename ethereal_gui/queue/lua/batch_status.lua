-- Counts of one batch in one step: {total, completed, failed, pending, processing, cancelled}, or nil when unknown.
-- Costs what the batch has jobs, whatever else is in the queue. The queue's own state wins; the outcome that was
-- kept decides only where the queue has dropped the job. A job with neither was removed by somebody else.
-- ARGV: base, batch id
local batch = ARGV[2]
local ids = rcall("ZRANGE", batchPrefix .. batch .. ":jobs", 0, -1)
if #ids == 0 and rcall("EXISTS", batchPrefix .. batch) == 0 then return nil end
local endsKey = batchPrefix .. batch .. ":ends"
local completed, failed, pending, processing, cancelled = 0, 0, 0, 0, 0
local CHUNK, SMALL = 1000, 1000

local active = {}
for _, id in ipairs(rcall("LRANGE", base .. "active", 0, -1)) do active[id] = true end
for _, id in ipairs(rcall("ZRANGE", base .. "waiting-children", 0, -1)) do
  if isSplitUp(id) then active[id] = true end
end

-- A test for membership in a sorted set. BullMQ keeps the finished jobs few, unless somebody told it otherwise.
local function members(name)
  local key = base .. name
  if rcall("ZCARD", key) > SMALL then
    return function(id) return rcall("ZSCORE", key, id) end
  end
  local found = {}
  for _, id in ipairs(rcall("ZRANGE", key, 0, -1)) do found[id] = true end
  return function(id) return found[id] end
end
local isCompleted, isFailed = members("completed"), members("failed")

local function countEnd(letter)
  if letter == "c" then
    completed = completed + 1
  elseif letter then
    failed = failed + 1
    if letter == "x" then cancelled = cancelled + 1 end
  end
end

for from = 1, #ids, CHUNK do
  local rest, keys = {}, {}
  for i = from, math.min(from + CHUNK - 1, #ids) do
    local id = ids[i]
    if active[id] then
      processing = processing + 1
    elseif isCompleted(id) then
      completed = completed + 1
      pcall(keepOutcome, batch, id, "completed")
    elseif isFailed(id) then
      failed = failed + 1
      if isCancelReason(rcall("HGET", base .. id, "failedReason")) then cancelled = cancelled + 1 end
      pcall(keepOutcome, batch, id, "failed")
    else
      rest[#rest + 1] = id
      keys[#keys + 1] = base .. id
    end
  end
  -- Jobs run about in order, so most portions are all waiting or all dropped: one command each instead of a thousand.
  local existing = #rest > 0 and rcall("EXISTS", unpack(keys)) or 0
  if existing == #rest then
    pending = pending + existing
  elseif existing == 0 then
    for _, letter in ipairs(rcall("HMGET", endsKey, unpack(rest))) do countEnd(letter) end
  else
    for i, id in ipairs(rest) do
      if rcall("EXISTS", keys[i]) == 1 then pending = pending + 1 else countEnd(rcall("HGET", endsKey, id)) end
    end
  end
end
return {completed + failed + pending + processing, completed, failed, pending, processing, cancelled}
