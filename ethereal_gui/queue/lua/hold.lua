-- Take a waiting job out of the line, or let a held one back in. A held job is a delayed one whose time is far away,
-- so every BullMQ tool shows it, and "promote" in any of them releases it.
-- ARGV: base, id, "hold" or "release", the time in ms at which a held job would run
local id, until_ms = ARGV[2], tonumber(ARGV[4])
local score = until_ms * 0x1000
local current = rcall("ZSCORE", base .. "delayed", id)
local held = current and tonumber(current) >= score
if ARGV[3] == "hold" then
  if held then return 0 end
  if current then
    rcall("ZREM", base .. "delayed", id)
  elseif leaveLine(id) == 0 then
    return 0
  end
  rcall("ZADD", base .. "delayed", score, id)
  rcall("HSET", base .. id, "delay", until_ms - now())
  emit("delayed", "jobId", id, "delay", until_ms)
  return 1
end
if not held then return 0 end
rcall("ZREM", base .. "delayed", id)
rcall("HSET", base .. id, "delay", 0)
joinLine(id)
emit("waiting", "jobId", id, "prev", "delayed")
return 1
