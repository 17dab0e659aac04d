-- Everything about some jobs: for each id nil, or {"removed", outcome}, or
-- {state, delayed score, being cancelled, data is huge, fields...} in the order of the names given.
-- On the way, jobs that strangers added enter the index, and ends that nobody has noted are noted.
-- ARGV: base, number of field names, field names..., ids...
local fieldCount = tonumber(ARGV[2])
local fields = {}
for i = 1, fieldCount do fields[i] = ARGV[2 + i] end
local found = {}
for i = 3 + fieldCount, #ARGV do
  local id = ARGV[i]
  local state = stateOf(id)
  local batch = batchOf(id)
  if state then
    local huge = rcall("HSTRLEN", base .. id, "data") > 1048576
    local values = rcall("HMGET", base .. id, unpack(fields))
    if huge then values[1] = false end
    pcall(function()
      batch = batch or adopt(id, batchInData(id))
      if batch and (state == "completed" or state == "failed") then keepOutcome(batch, id, state) end
    end)
    found[#found + 1] = {
      state,
      rcall("ZSCORE", base .. "delayed", id) or "",
      rcall("ZSCORE", base .. "cancelling", id) and 1 or 0,
      huge and 1 or 0,
      unpack(values)
    }
  else
    local outcome = batch and rcall("HGET", batchPrefix .. batch .. ":outcomes", id)
    found[#found + 1] = outcome and {"removed", outcome} or false
  end
end
return found
