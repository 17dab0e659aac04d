-- Nobody wants the parts of a job any more.
-- ARGV: base, id
dropParts(ARGV[2])
