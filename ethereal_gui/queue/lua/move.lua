-- Move a job within the line: "top", "up", "down", "bottom", or "before" another job.
-- The line is the waiting list from its tail to its head, then the prioritised jobs by score. A job that crosses
-- the border takes the priority of the side it comes to. Returns 1 when it moved.
-- ARGV: base, id, where, other id
local id, where, other = ARGV[2], ARGV[3], ARGV[4]
local wait, prioritized = base .. "wait", base .. "prioritized"

local function setPriority(job, priority)
  rcall("HSET", base .. job, "priority", priority)
end

local function first(list) return list and list[1] or nil end

-- The neighbour that runs right before or right after a job, or nil.
local function neighbour(job, step)
  local place = rcall("LPOS", wait, job)
  if place then
    -- Nearer to the tail runs earlier. A negative index would wrap around.
    local index = place - step
    if index >= 0 then
      local found = rcall("LINDEX", wait, index)
      if found then return found end
    end
    if step > 0 then return first(rcall("ZRANGE", prioritized, 0, 0)) end
    return nil
  end
  local rank = rcall("ZRANK", prioritized, job)
  if not rank then return nil end
  if rank + step >= 0 then
    local found = first(rcall("ZRANGE", prioritized, rank + step, rank + step))
    if found then return found end
  end
  if step < 0 then return rcall("LINDEX", wait, 0) or nil end
  return nil
end

local function isInLine(job)
  return rcall("ZSCORE", prioritized, job) or rcall("LPOS", wait, job)
end

local function swapPrioritized(a, b)
  local scoreA, scoreB = rcall("ZSCORE", prioritized, a), rcall("ZSCORE", prioritized, b)
  if scoreA == scoreB then
    -- Equal scores run in the order of their ids; make room by giving the later one a fresh score.
    scoreA = tonumber(scoreB) + 1
  end
  rcall("ZADD", prioritized, scoreB, a, scoreA, b)
  setPriority(a, math.floor(tonumber(scoreB) / 0x100000000))
  setPriority(b, math.floor(tonumber(scoreA) / 0x100000000))
end

-- Put a job right before another one.
local function placeBefore(job, target)
  if rcall("LPOS", wait, target) then
    leaveLine(job)
    rcall("LINSERT", wait, "AFTER", target, job)
    setPriority(job, 0)
    return
  end
  -- Among the prioritised: everything from the target's place on is pushed one place back by handing scores on.
  if not rcall("ZSCORE", prioritized, job) then
    rcall("LREM", wait, 1, job)
    local last = rcall("ZRANGE", prioritized, -1, -1, "WITHSCORES")
    local priority = math.floor(tonumber(last[2]) / 0x100000000)
    rcall("ZADD", prioritized, math.max(priorityScore(priority), tonumber(last[2]) + 1), job)
  end
  local from, to = rcall("ZRANK", prioritized, target), rcall("ZRANK", prioritized, job)
  if from < to then
    for rank = to - 1, from, -1 do
      swapPrioritized(job, first(rcall("ZRANGE", prioritized, rank, rank)))
    end
  else
    for rank = to + 1, from - 1 do
      swapPrioritized(first(rcall("ZRANGE", prioritized, rank, rank)), job)
    end
  end
end

if not isInLine(id) then return 0 end
if where == "top" then
  if rcall("LINDEX", wait, -1) == id then return 0 end
  leaveLine(id)
  rcall("RPUSH", wait, id)
  setPriority(id, 0)
elseif where == "bottom" then
  local last = rcall("ZRANGE", prioritized, -1, -1, "WITHSCORES")
  if last[1] == id or (not last[1] and rcall("LINDEX", wait, 0) == id) then return 0 end
  leaveLine(id)
  if last[1] then
    local priority = math.floor(tonumber(last[2]) / 0x100000000)
    rcall("ZADD", prioritized, math.max(priorityScore(priority), tonumber(last[2]) + 1), id)
    setPriority(id, priority)
  else
    rcall("LPUSH", wait, id)
  end
elseif where == "up" then
  local before = neighbour(id, -1)
  if not before then return 0 end
  placeBefore(id, before)
elseif where == "down" then
  local after = neighbour(id, 1)
  if not after then return 0 end
  placeBefore(after, id)
else
  if other == id or not isInLine(other) then return 0 end
  placeBefore(id, other)
end
wakeWorkers()
emit("moved", "jobId", id)
return 1
