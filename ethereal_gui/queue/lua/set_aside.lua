-- Take a waiting job out of everybody's way for a while. Returns 1, or 0 when it does not wait any more.
-- ARGV: base, id, for how many ms
local id, delay = ARGV[2], tonumber(ARGV[3])
if leaveLine(id) == 0 then return 0 end
local due = now() + delay
rcall("ZADD", base .. "delayed", due * 0x1000, id)
rcall("HSET", base .. id, "delay", delay)
emit("delayed", "jobId", id, "delay", due)
-- Workers sleep until the earliest delayed job's time, which the marker tells them.
local first = rcall("ZRANGE", base .. "delayed", 0, 0, "WITHSCORES")
rcall("ZADD", base .. "marker", math.floor(tonumber(first[2]) / 0x1000), "1")
return 1
