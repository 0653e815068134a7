-- The audit log: acts, their order, its tree and its signatures (package audit).

-- name: RecordEvent :exec
INSERT INTO audit_event (act, outcome, who, patient_id, note_id, about, code, commitment, details) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: AuditKeys :many
SELECT * FROM data_key WHERE scope = 10 ORDER BY epoch;

-- name: AuditSigner :one
SELECT * FROM audit_signer ORDER BY id DESC LIMIT 1;

-- name: InsertAuditSigner :execrows
-- No row: another server was faster.
INSERT INTO audit_signer (id, keys, seed, statement) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: AuditSigners :many
-- The first is first.
SELECT * FROM audit_signer ORDER BY id;

-- name: AuditHead :one
SELECT size, newest, signed, cluster = (SELECT system_identifier FROM pg_control_system()) AS here,
       coalesce((SELECT max(signer.id) FROM audit_signer signer), 0)::integer AS signer
  FROM audit_head;

-- name: SequencesNow :one
-- Whether nobody else does, until the end of the transaction. It takes no transaction number, which would hold back others.
SELECT pg_try_advisory_xact_lock(hashtextextended('tidechart audit', 0));

-- name: SequenceAlone :exec
-- Waits for whoever does.
SELECT pg_advisory_xact_lock(hashtextextended('tidechart audit', 0));

-- name: EventsToSequence :many
-- Those behind the last one, of transactions that are over, and before any that is not: whatever commits later has a
-- higher number, and comes behind these. An identity alone would not do: a lower one can commit after a higher one.
SELECT audit_event.n, audit_event.id, audit_event.at, audit_event.act, audit_event.outcome, audit_event.who, audit_event.patient_id, audit_event.note_id, audit_event.about, audit_event.code, audit_event.commitment
  FROM audit_event
 WHERE (audit_event.xid, audit_event.n) > ((SELECT head.xid FROM audit_head head), (SELECT head.n FROM audit_head head))
   AND audit_event.n > (SELECT head.settled FROM audit_head head)
   AND audit_event.xid < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY audit_event.xid, audit_event.n
 LIMIT sqlc.arg(max_rows);

-- name: HasEventsToSequence :one
SELECT EXISTS (SELECT FROM audit_event event
 WHERE (event.xid, event.n) > ((SELECT head.xid FROM audit_head head), (SELECT head.n FROM audit_head head))
   AND event.n > (SELECT head.settled FROM audit_head head)
   AND event.xid < pg_snapshot_xmin(pg_current_snapshot()));

-- name: LockEvents :exec
-- Nobody records an act meanwhile.
LOCK TABLE audit_event IN SHARE ROW EXCLUSIVE MODE;

-- name: EventsLeft :many
-- Of another cluster, whose transactions are all over: numbers of transactions mean nothing here.
SELECT audit_event.n, audit_event.id, audit_event.at, audit_event.act, audit_event.outcome, audit_event.who, audit_event.patient_id, audit_event.note_id, audit_event.about, audit_event.code, audit_event.commitment
  FROM audit_event
 WHERE audit_event.n > (SELECT head.settled FROM audit_head head)
   AND NOT EXISTS (SELECT FROM audit_order placed WHERE placed.n = audit_event.n)
 ORDER BY audit_event.xid, audit_event.n
 LIMIT sqlc.arg(max_rows);

-- name: SettleCluster :exec
-- What there is came from another cluster. From here on numbers of transactions are this one's.
UPDATE audit_head
   SET settled = greatest(settled, (SELECT coalesce(max(event.n), 0) FROM audit_event event)), xid = '0', n = 0,
       cluster = (SELECT system_identifier FROM pg_control_system());

-- name: PlaceEvents :exec
INSERT INTO audit_order (seq, n) SELECT sqlc.arg(first)::bigint + place - 1, event
  FROM unnest(sqlc.arg(events)::bigint[]) WITH ORDINALITY AS placed (event, place);

-- name: SaveTile :batchexec
INSERT INTO audit_tile (level, n, data) VALUES ($1, $2, $3)
    ON CONFLICT (level, n) DO UPDATE SET data = excluded.data WHERE octet_length(audit_tile.data) < octet_length(excluded.data);

-- name: Tile :one
SELECT data FROM audit_tile WHERE level = $1 AND n = $2;

-- name: MoveHead :exec
UPDATE audit_head SET size = sqlc.arg(size), n = sqlc.arg(last), xid = (SELECT event.xid FROM audit_event event WHERE event.n = sqlc.arg(last));

-- name: SetNewest :exec
UPDATE audit_head SET newest = $1, signed = $2;

-- name: SaveCheckpoint :exec
INSERT INTO audit_checkpoint (size, at, note) VALUES ($1, $2, $3);

-- name: ThinCheckpoints :one
-- How many checkpoints went that are superfluous by their age: some thousand at most.
SELECT thin_checkpoints(sqlc.arg(most)::integer)::bigint;

-- name: LogEntries :many
-- Entries in their places, from one on, as far as they are there.
SELECT audit_order.seq, audit_event.n, audit_event.id, audit_event.at, audit_event.act, audit_event.outcome, audit_event.who, audit_event.patient_id,
       audit_event.note_id, audit_event.about, audit_event.code, audit_event.commitment, audit_event.details
  FROM audit_order JOIN audit_event ON audit_event.n = audit_order.n
 WHERE audit_order.seq >= sqlc.arg(first) AND audit_order.seq < sqlc.arg(size)
 ORDER BY audit_order.seq
 LIMIT sqlc.arg(max_rows);

-- name: Checkpoints :many
-- That were signed behind an entry, the smallest first.
SELECT size, at, note FROM audit_checkpoint WHERE (size, at) > (sqlc.arg(size), sqlc.arg(at)::timestamptz) ORDER BY size, at LIMIT sqlc.arg(max_rows);
