-- Write down which worker has a job, in the field that Node's workers use. Only while the record exists.
-- ARGV: base, id, worker's name
if stateOf(ARGV[2]) ~= "active" then return 0 end
rcall("HSET", base .. ARGV[2], "pb", ARGV[3])
return 1
