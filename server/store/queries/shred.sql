-- Holds, and records that are destroyed.

-- name: SetHold :exec
INSERT INTO legal_hold (id, patient_id, note_id, words, set_by) VALUES ($1, $2, $3, $4, $5);

-- name: LiftHold :execrows
-- Once.
UPDATE legal_hold SET lifted_words = $2, lifted_by = sqlc.arg(by)::uuid, lifted_at = now() WHERE id = $1 AND lifted_at IS NULL;

-- name: HoldByID :one
SELECT * FROM legal_hold WHERE id = $1;

-- name: Holds :many
-- Those that hold first, the newest first; and with lifted the others.
SELECT sqlc.embed(legal_hold), sqlc.embed(patient), coalesce(note.kind, '')::text AS kind, setter.name AS setter, coalesce(lifter.name, '')::text AS lifter
  FROM legal_hold
  JOIN patient ON patient.id = legal_hold.patient_id
  JOIN person setter ON setter.id = legal_hold.set_by
  LEFT JOIN person lifter ON lifter.id = legal_hold.lifted_by
  LEFT JOIN note ON note.id = legal_hold.note_id
 WHERE sqlc.arg(lifted)::boolean OR legal_hold.lifted_at IS NULL
 ORDER BY legal_hold.lifted_at IS NOT NULL, legal_hold.set_at DESC
 LIMIT sqlc.arg(max_rows);

-- name: EndOverdueShreddings :exec
-- Of one patient, so that it can be asked for again.
UPDATE shredding SET ended_at = until WHERE patient_id = $1 AND ended_at IS NULL AND done_at IS NULL AND until < now();

-- name: AskShredding :exec
INSERT INTO shredding (id, patient_id, note_id, reason, words, asked_by, until)
VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => sqlc.arg(seconds)::double precision));

-- name: ApproveShredding :execrows
UPDATE shredding SET approved_by = sqlc.arg(by)::uuid, approved_at = now()
 WHERE id = $1 AND approved_at IS NULL AND ended_at IS NULL AND done_at IS NULL AND until >= now();

-- name: EndShredding :execrows
UPDATE shredding SET ended_by = sqlc.arg(by)::uuid, ended_at = now() WHERE id = $1 AND ended_at IS NULL AND done_at IS NULL;

-- name: ShreddingByID :one
SELECT * FROM shredding WHERE id = $1;

-- name: Shreddings :many
-- What is not over first, the newest first; with only_approved what is to be carried out, the oldest first. held says that it is not to be done.
SELECT sqlc.embed(shredding), sqlc.embed(patient), coalesce(note.kind, '')::text AS kind,
       asker.name AS asker, coalesce(approver.name, '')::text AS approver, coalesce(ender.name, '')::text AS ender,
       (shredding.ended_at IS NULL AND shredding.done_at IS NULL AND shredding.until < now())::boolean AS overdue,
       EXISTS (SELECT FROM legal_hold held WHERE held.patient_id = shredding.patient_id AND held.lifted_at IS NULL
                  AND (held.note_id IS NULL OR shredding.note_id IS NULL OR held.note_id = shredding.note_id)) AS held,
       EXISTS (SELECT FROM stay WHERE stay.patient_id = shredding.patient_id) AS here,
       (SELECT count(*) FROM note n WHERE n.patient_id = shredding.patient_id AND (shredding.note_id IS NULL OR n.id = shredding.note_id) AND n.state <> 'destroyed') AS notes,
       (SELECT count(*) FROM data_key k WHERE k.scope = 3 AND k.owner = shredding.patient_id AND shredding.note_id IS NULL
            OR k.scope = 2 AND k.owner IN (SELECT n.id FROM note n WHERE n.patient_id = shredding.patient_id AND (shredding.note_id IS NULL OR n.id = shredding.note_id))) AS keys
  FROM shredding
  JOIN patient ON patient.id = shredding.patient_id
  JOIN person asker ON asker.id = shredding.asked_by
  LEFT JOIN person approver ON approver.id = shredding.approved_by
  LEFT JOIN person ender ON ender.id = shredding.ended_by
  LEFT JOIN note ON note.id = shredding.note_id
 WHERE NOT sqlc.arg(only_approved)::boolean
    OR shredding.approved_at IS NOT NULL AND shredding.ended_at IS NULL AND shredding.done_at IS NULL AND shredding.until >= now()
 ORDER BY shredding.ended_at IS NOT NULL OR shredding.done_at IS NOT NULL,
          CASE WHEN sqlc.arg(only_approved) THEN shredding.asked_at END, shredding.asked_at DESC
 LIMIT sqlc.arg(max_rows);

-- name: LockShredding :one
SELECT * FROM shredding WHERE id = $1 FOR UPDATE;

-- name: NotesToShred :many
-- In the order of commits. Whoever appends to one of them, or makes a key for it, has done so, or finds it destroyed.
SELECT id FROM note WHERE patient_id = $1 AND (id = sqlc.narg(note) OR sqlc.narg(note)::uuid IS NULL) AND state <> 'destroyed' ORDER BY id FOR UPDATE;

-- name: ShredKeys :execrows
DELETE FROM data_key WHERE scope = $1 AND owner = ANY(sqlc.arg(owners)::uuid[]);

-- name: DestroyNotes :exec
UPDATE note SET state = 'destroyed' WHERE id = ANY(sqlc.arg(notes)::uuid[]);

-- name: DestroyPatient :exec
UPDATE patient SET destroyed_at = now(), mrn_index = NULL WHERE id = $1;

-- name: EndStay :exec
DELETE FROM stay WHERE patient_id = $1;

-- name: FinishShredding :exec
UPDATE shredding SET done_at = now() WHERE id = $1;

-- name: ShreddingsToErase :many
-- Those whose keys may still be in files of tables.
SELECT id FROM shredding WHERE done_at IS NOT NULL AND erased_at IS NULL;

-- name: SetErased :exec
UPDATE shredding SET erased_at = now() WHERE id = ANY(sqlc.arg(ids)::uuid[]);

-- name: DestroyedAmong :many
-- Notes and patients of a list that were destroyed.
SELECT id FROM note WHERE id = ANY(sqlc.arg(ids)::uuid[]) AND state = 'destroyed'
UNION ALL
SELECT id FROM patient WHERE id = ANY(sqlc.arg(ids)::uuid[]) AND destroyed_at IS NOT NULL;

-- name: NoteOwner :one
SELECT patient_id FROM note WHERE id = $1;

-- name: Destruction :one
-- When a note, or with note NULL a patient, was destroyed, and who decided that.
SELECT shredding.done_at, asker.name AS asker, approver.name AS approver
  FROM shredding JOIN person asker ON asker.id = shredding.asked_by JOIN person approver ON approver.id = shredding.approved_by
 WHERE shredding.patient_id = $1 AND (shredding.note_id IS NULL OR shredding.note_id = sqlc.narg(note)::uuid) AND shredding.done_at IS NOT NULL
 ORDER BY shredding.done_at LIMIT 1;
