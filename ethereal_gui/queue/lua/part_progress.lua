-- Sum up how far the parts of a job are, and say it as the job's own progress. Returns 1 when it did.
-- A part's id ends in its frames: ".{start}-{stop}".
-- ARGV: base, id, frames of the whole video, fractions of the whole job at which rendering begins and ends
local id, frames = ARGV[2], tonumber(ARGV[3])
if not isSplitUp(id) then return 0 end
local left, fps = 0, 0
for _, key in ipairs(wantedParts(id)) do
  local start, stop = string.match(key, "%.(%d+)-(%d+)$")
  if start then
    left = left + stop - start
    local ok, progress = pcall(cjson.decode, rcall("HGET", key, "progress") or "0")
    if ok and type(progress) == "table" then
      left = left - math.min(tonumber(progress["frame"]) or 0, stop - start)
      if rcall("EXISTS", key .. ":lock") == 1 then fps = fps + (tonumber(progress["fps"]) or 0) end
    end
  end
end
local done = math.max(0, frames - left)
local said = {stage = "rendering", frame = done, frames = frames}
said["fraction"] = ARGV[4] + (ARGV[5] - ARGV[4]) * done / math.max(1, frames)
if fps > 0 then
  said["fps"] = fps
  said["timeLeft"] = left / fps
end
local text = cjson.encode(said)
rcall("HSET", base .. id, "progress", text)
emit("progress", "jobId", id, "data", text)
return 1
