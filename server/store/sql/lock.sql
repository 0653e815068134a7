-- lock takes the rows of a batch's notes, before append looks at anything else.
-- $1 note ids.
-- It is a statement of its own, so that append sees what was committed while this one waited. Rows are locked in id
-- order: two batches that share notes wait for each other instead of deadlocking.
SELECT id FROM note WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE;
