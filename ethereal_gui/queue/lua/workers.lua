-- All workers as {server's time in ms, name, info, seen in ms, ...}; those silent for too long are forgotten.
-- ARGV: base, after how many ms a silent worker is forgotten
local time = now()
local seenKey = base .. "workers:seen"
for _, name in ipairs(rcall("ZRANGEBYSCORE", seenKey, "-inf", time - tonumber(ARGV[2]))) do
  rcall("ZREM", seenKey, name)
  rcall("HDEL", base .. "workers", name)
  rcall("HDEL", base .. "workers:state", name)
  rcall("SREM", base .. "draining", name)
end
local found = {tostring(time)}
local list = rcall("ZRANGE", seenKey, 0, -1, "WITHSCORES")
for i = 1, #list, 2 do
  found[#found + 1] = list[i]
  found[#found + 1] = rcall("HGET", base .. "workers", list[i]) or ""
  found[#found + 1] = list[i + 1]
end
return found
