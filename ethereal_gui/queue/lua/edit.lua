-- Replace the data of a job that no worker has yet. Returns 1 when it did.
-- ARGV: base, id, data
local id = ARGV[2]
local state = stateOf(id)
if state ~= "waiting" and state ~= "prioritized" and state ~= "delayed" then return 0 end
dropParts(id)
rcall("HSET", base .. id, "data", ARGV[3])
emit("edited", "jobId", id)
return 1
