-- Take jobs out of the index; the queue's own records are BullMQ's to remove. Returns how many were known.
-- A job that the queue had dropped long ago leaves with an event of ours, since BullMQ has sent none.
-- ARGV: base, ids...
local known = 0
for i = 2, #ARGV do
  local id = ARGV[i]
  local batch = batchOf(id)
  if batch then
    known = known + 1
    if rcall("HEXISTS", batchPrefix .. batch .. ":ends", id) == 1 and not stateOf(id) then
      emit("removed", "jobId", id)
    end
  end
  forgetJob(batch, id)
end
return known
