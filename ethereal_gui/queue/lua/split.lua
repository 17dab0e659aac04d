-- Note when a job was split up for the first time in this attempt.
-- ARGV: base, id
if rcall("EXISTS", base .. ARGV[2]) == 1 then rcall("HSETNX", base .. ARGV[2], "splitAt", now()) end
