-- A worker says that it lives; an event follows only when it is new or does something else than before.
-- ARGV: base, name, JSON of its info, its state
local name = ARGV[2]
local states = base .. "workers:state"
local before = rcall("HGET", states, name)
local seen = now()
rcall("HSET", base .. "workers", name, ARGV[3])
rcall("ZADD", base .. "workers:seen", seen, name)
if before ~= ARGV[4] then
  rcall("HSET", states, name, ARGV[4])
  emit("worker", "worker", name, "state", ARGV[4])
end
return seen
