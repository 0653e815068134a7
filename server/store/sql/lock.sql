-- lock takes the rows of a batch's notes, before append looks at anything else.
-- $1 note ids.
-- It is a statement of its own, so that append sees what was committed while this one waited. Rows are locked in id
-- order: two batches that share notes wait for each other instead of deadlocking.
-- Then it shares the fence of migration 0012 with other commits: who changes what a person may do commits before append
-- looks, or after this batch has. Whoever waits for rows does not hold it.
WITH held AS MATERIALIZED (
    SELECT id FROM note WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
)
SELECT pg_advisory_xact_lock_shared(hashtextextended('tidechart access', 0)) FROM (SELECT count(*) FROM held) AS all_held;
