-- Note how a job is about to end; called by the worker just before it hands the job back to BullMQ.
-- ARGV: base, id, batch id, state (completed or failed), JSON of the fields that BullMQ is about to write
local id, state = ARGV[2], ARGV[4]
local batch = batchOf(id) or adopt(id, ARGV[3])
rcall("ZREM", base .. "cancelling", id)
if state == "failed" then dropParts(id) end
if not batch then return 0 end
local changes = cjson.decode(ARGV[5])
changes["finishedOn"] = tostring(now())
changes["atm"] = tostring((tonumber(rcall("HGET", base .. id, "atm")) or 0) + 1)
if rcall("EXISTS", base .. id) == 0 then changes["atm"] = nil end
writeOutcome(batch, id, state, changes)
return 1
