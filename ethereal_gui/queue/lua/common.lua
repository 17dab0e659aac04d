-- What all our scripts share; put in front of each of them. Keys and events are laid out exactly as BullMQ 5 does.
-- ARGV[1] is what every key of the queue begins with ("bull:render-queue:").
local rcall = redis.call
local base = ARGV[1]
local batchPrefix = base .. "batch:"

local function now()
  local time = rcall("TIME")
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function emit(...)
  local limit = rcall("HGET", base .. "meta", "opts.maxLenEvents") or 10000
  rcall("XADD", base .. "events", "MAXLEN", "~", limit, "*", "event", ...)
end

local function isPausedOrMaxed()
  local meta = rcall("HMGET", base .. "meta", "paused", "concurrency")
  if meta[1] then return true end
  return meta[2] and rcall("LLEN", base .. "active") >= tonumber(meta[2]) or false
end

-- Workers sleep on the marker; a base marker says that there is work.
local function wakeWorkers()
  if not isPausedOrMaxed() then rcall("ZADD", base .. "marker", 0, "0") end
end

local function priorityScore(priority)
  return priority * 0x100000000 + rcall("INCR", base .. "pc") % 0x100000000
end

-- The end of the line that the job's priority puts it into.
local function joinLine(id)
  local priority = tonumber(rcall("HGET", base .. id, "priority")) or 0
  if priority == 0 then
    rcall("LPUSH", base .. "wait", id)
  else
    rcall("ZADD", base .. "prioritized", priorityScore(priority), id)
  end
  wakeWorkers()
end

local function leaveLine(id)
  return rcall("LREM", base .. "wait", 1, id) + rcall("LREM", base .. "paused", 1, id)
    + rcall("ZREM", base .. "prioritized", id)
end

-- BullMQ's word for where a job is, or nil. Never searches the waiting list, which may be long.
local function stateOf(id)
  if rcall("ZSCORE", base .. "completed", id) then return "completed" end
  if rcall("ZSCORE", base .. "failed", id) then return "failed" end
  if rcall("ZSCORE", base .. "delayed", id) then return "delayed" end
  if rcall("ZSCORE", base .. "prioritized", id) then return "prioritized" end
  if rcall("LPOS", base .. "active", id) then return "active" end
  if rcall("ZSCORE", base .. "waiting-children", id) then return "waiting-children" end
  local kind = rcall("TYPE", base .. id)
  if (kind["ok"] or kind) == "hash" then return "waiting" end
  return nil
end

-- A video that was split up has its parts in a queue of their own, as children of its job. A part is wanted as long as
-- it is among the job's dependencies; a worker that sees that it is not ends its render.
local partsBase = string.sub(base, 1, -2) .. "-parts:"

local function isPart(key)
  return string.sub(key, 1, #partsBase) == partsBase
end

local function wantedParts(id)
  local parts = {}
  for _, key in ipairs(rcall("SMEMBERS", base .. id .. ":dependencies")) do
    if isPart(key) then parts[#parts + 1] = key end
  end
  return parts
end

-- Strike the ended parts of a job off one of BullMQ's lists of them (":processed" or ":failed"). Returns what they said.
local function takeEnded(id, list)
  local said = {}
  local entries = rcall("HGETALL", base .. id .. list)
  for i = 1, #entries, 2 do
    if isPart(entries[i]) then
      said[#said + 1] = entries[i + 1]
      rcall("HDEL", base .. id .. list, entries[i])
    end
  end
  return said
end

-- Nobody wants the parts of a job any more.
local function dropParts(id)
  for _, key in ipairs(wantedParts(id)) do
    local part = string.sub(key, #partsBase + 1)
    rcall("SREM", base .. id .. ":dependencies", key)
    local waited = rcall("LREM", partsBase .. "wait", 1, part) + rcall("LREM", partsBase .. "paused", 1, part)
      + rcall("ZREM", partsBase .. "prioritized", part) + rcall("ZREM", partsBase .. "delayed", part)
    if waited > 0 then
      rcall("DEL", key, key .. ":logs", key .. ":dependencies", key .. ":processed", key .. ":failed")
      rcall("XADD", partsBase .. "events", "MAXLEN", "~", 10000, "*", "event", "removed", "jobId", part)
    end
  end
  takeEnded(id, ":processed")
  takeEnded(id, ":failed")
  rcall("HDEL", base .. id, "splitAt")
end

-- Workers render its parts: it waits for its children and has been taken before.
local function isSplitUp(id)
  return rcall("ZSCORE", base .. "waiting-children", id) and rcall("HEXISTS", base .. id, "processedOn") == 1
end

-- The batch whose index has the job: job ids begin with their batch's id, those of strangers are noted aside.
local function batchOf(id)
  local from = 1
  while true do
    local dash = string.find(id, "-", from, true)
    if not dash then break end
    local batch = string.sub(id, 1, dash - 1)
    if rcall("ZSCORE", batchPrefix .. batch .. ":jobs", id) then return batch end
    from = dash + 1
  end
  return rcall("HGET", base .. "batches:strangers", id) or nil
end

local function isPlainText(value)
  return type(value) == "string" and #value > 0 and #value <= 200 and not string.find(value, "[:%c]")
end

-- Take a job that somebody else added into the index of the batch that its data names. Returns the batch or nil.
local function adopt(id, batch)
  if not isPlainText(batch) then return nil end
  local key = batchPrefix .. batch .. ":jobs"
  rcall("ZADD", key, "NX", rcall("ZCARD", key), id)
  rcall("ZADD", base .. "batches", "NX", now(), batch)
  if string.sub(id, 1, #batch + 1) ~= batch .. "-" then rcall("HSET", base .. "batches:strangers", id, batch) end
  return batch
end

local function batchInData(id)
  local data = rcall("HGET", base .. id, "data")
  if not data or #data > 1048576 then return nil end
  local ok, decoded = pcall(cjson.decode, data)
  if ok and type(decoded) == "table" then return decoded["batchId"] end
  return nil
end

-- How a job ended, kept beside the batch because BullMQ drops all but the newest finished jobs:
-- one letter (c completed, f failed, x cancelled) and the job's own fields as JSON, their texts untouched.
local OUTCOME_FIELDS = {"data", "returnvalue", "failedReason", "timestamp", "processedOn", "finishedOn", "atm", "pb"}

local function isCancelReason(reason)
  return reason and string.sub(reason, 1, #CANCELLED_REASON) == CANCELLED_REASON
end

local function writeOutcome(batch, id, state, changes)
  local values = rcall("HMGET", base .. id, unpack(OUTCOME_FIELDS))
  local kept = {}
  for i, name in ipairs(OUTCOME_FIELDS) do
    if values[i] and #values[i] <= 1048576 then kept[name] = values[i] end
  end
  for name, value in pairs(changes or {}) do kept[name] = value end
  local letter = "c"
  if state == "failed" then letter = isCancelReason(kept["failedReason"]) and "x" or "f" end
  rcall("HSET", batchPrefix .. batch .. ":outcomes", id, letter .. cjson.encode(kept))
  rcall("HSET", batchPrefix .. batch .. ":ends", id, letter)
end

-- Note how a finished job ended while its record is still there, unless that is known.
local function keepOutcome(batch, id, state)
  if rcall("HEXISTS", batchPrefix .. batch .. ":ends", id) == 0 then writeOutcome(batch, id, state) end
end

local function dropOutcome(batch, id)
  rcall("HDEL", batchPrefix .. batch .. ":outcomes", id)
  rcall("HDEL", batchPrefix .. batch .. ":ends", id)
end

local function forgetJob(batch, id)
  rcall("ZREM", base .. "cancelling", id)
  if not batch then return end
  dropOutcome(batch, id)
  rcall("HDEL", base .. "batches:strangers", id)
  rcall("ZREM", batchPrefix .. batch .. ":jobs", id)
  if rcall("EXISTS", batchPrefix .. batch .. ":jobs") == 0 then
    rcall("DEL", batchPrefix .. batch)
    rcall("ZREM", base .. "batches", batch)
  end
end

local function deleteRecord(id)
  local key = base .. id
  rcall("DEL", key, key .. ":logs", key .. ":dependencies", key .. ":processed", key .. ":failed", key .. ":unsuccessful")
end
