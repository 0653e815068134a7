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
-- xid and n are those of the last entry, behind which the log goes on: of the entry itself, since a number beside it could be changed to
-- pass acts over. Zero: it tells nothing, because it came from another cluster, or its transaction is none of those that are over.
SELECT head.size, head.newest, head.signed, head.cluster = (SELECT system_identifier FROM pg_control_system()) AS here,
       coalesce((SELECT max(signer.id) FROM audit_signer signer), 0)::integer AS signer,
       coalesce(last.xid, '0')::xid8 AS xid, coalesce(last.n, 0)::bigint AS n
  FROM audit_head head
  LEFT JOIN audit_order placed ON placed.seq = head.size - 1
  LEFT JOIN audit_event last ON last.n = placed.n AND last.n > head.settled AND last.xid < pg_snapshot_xmin(pg_current_snapshot());

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
 WHERE (audit_event.xid, audit_event.n) > (sqlc.arg(xid)::xid8, sqlc.arg(n)::bigint)
   AND audit_event.xid < pg_snapshot_xmin(pg_current_snapshot())
   AND NOT EXISTS (SELECT FROM audit_order placed WHERE placed.n = audit_event.n AND placed.seq < (SELECT head.size FROM audit_head head))
 ORDER BY audit_event.xid, audit_event.n
 LIMIT sqlc.arg(max_rows);

-- name: EventsWaiting :one
-- How many acts have no place yet, up to a thousand, and when the first of them happened. due: one can have it.
SELECT count(*)::bigint AS acts, coalesce(min(waiting.at), 'epoch')::timestamptz AS since,
       coalesce(bool_or(waiting.xid < pg_snapshot_xmin(pg_current_snapshot())), false)::boolean AS due
  FROM (SELECT event.xid, event.at
          FROM audit_event event
         WHERE (event.xid, event.n) > (sqlc.arg(xid)::xid8, sqlc.arg(n)::bigint)
           AND event.xid < pg_snapshot_xmax(pg_current_snapshot())
           AND NOT EXISTS (SELECT FROM audit_order placed WHERE placed.n = event.n AND placed.seq < (SELECT head.size FROM audit_head head))
         ORDER BY event.xid, event.n
         LIMIT 1000) waiting;

-- name: EventsSkipped :many
-- Among some acts those without a place that nobody is about to give one: they are not behind the last entry, or of no transaction
-- that there was. Only who changes the log from beside makes such.
SELECT audit_event.n, audit_event.id, audit_event.at, audit_event.act, audit_event.outcome, audit_event.who, audit_event.patient_id, audit_event.note_id, audit_event.about, audit_event.code, audit_event.commitment
  FROM audit_event
 WHERE audit_event.n > sqlc.arg(after) AND audit_event.n <= sqlc.arg(upto)
   AND ((audit_event.xid, audit_event.n) <= (sqlc.arg(xid)::xid8, sqlc.arg(n)::bigint) OR audit_event.xid >= pg_snapshot_xmax(pg_current_snapshot()))
   AND NOT EXISTS (SELECT FROM audit_order placed WHERE placed.n = audit_event.n AND placed.seq < (SELECT head.size FROM audit_head head))
 ORDER BY audit_event.n
 LIMIT sqlc.arg(max_rows);

-- name: NewestEvent :one
SELECT coalesce(max(n), 0)::bigint FROM audit_event;

-- name: LockEvents :exec
-- Nobody records an act meanwhile.
LOCK TABLE audit_event IN SHARE ROW EXCLUSIVE MODE;

-- name: EventsLeft :many
-- Of another cluster, whose transactions are all over: numbers of transactions mean nothing here.
SELECT audit_event.n, audit_event.id, audit_event.at, audit_event.act, audit_event.outcome, audit_event.who, audit_event.patient_id, audit_event.note_id, audit_event.about, audit_event.code, audit_event.commitment
  FROM audit_event
 WHERE NOT EXISTS (SELECT FROM audit_order placed WHERE placed.n = audit_event.n AND placed.seq < (SELECT head.size FROM audit_head head))
 ORDER BY audit_event.xid, audit_event.n
 LIMIT sqlc.arg(max_rows);

-- name: SettleCluster :exec
-- What there is came from another cluster. From here on numbers of transactions are this one's.
UPDATE audit_head
   SET settled = (SELECT coalesce(max(event.n), 0) FROM audit_event event),
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
UPDATE audit_head SET size = $1;

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
