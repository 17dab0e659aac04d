-- What became of the parts of a job that a worker has just taken: {"failed", why}, {"wanted"} while some are missing,
-- {"done", ms since it was split up}, or {"none", the same or nil}. After "failed" and "done" they are forgotten.
-- ARGV: base, id
local id = ARGV[2]
local since = tonumber(rcall("HGET", base .. id, "splitAt"))
local age = since and math.max(0, now() - since)
local reasons = takeEnded(id, ":failed")
if #reasons > 0 then
  dropParts(id)
  return {"failed", reasons[1]}
end
if #wantedParts(id) > 0 then return {"wanted"} end
if #takeEnded(id, ":processed") > 0 then return {"done", age} end
return {"none", age}
