-- How long records are kept, and what goes when that is over.

-- name: RetentionClasses :many
-- With how many patients, or notes of the kind, each is about.
SELECT sqlc.embed(retention_class),
       (CASE what WHEN 'patients' THEN (SELECT count(*) FROM patient WHERE patient.retention = code AND patient.destroyed_at IS NULL)
                  ELSE (SELECT count(*) FROM note WHERE note.kind = code AND note.state <> 'destroyed') END)::bigint AS records
  FROM retention_class ORDER BY what DESC, code;

-- name: SetRetentionClass :exec
INSERT INTO retention_class (code, what, years) VALUES ($1, $2, $3) ON CONFLICT (code) DO UPDATE SET years = excluded.years, changed_at = now();

-- name: ClassOfPatient :execrows
-- From now on their record is of that class.
UPDATE patient SET retention = sqlc.arg(class)::text WHERE id = $1 AND destroyed_at IS NULL;

-- name: ClassIfUndecided :exec
-- Unless somebody has said something else. Whoever was a minor stays one: the longer time counts.
UPDATE patient SET retention = sqlc.arg(class)::text
 WHERE id = $1 AND destroyed_at IS NULL AND (retention IS NULL OR retention = 'standard' AND sqlc.arg(class) = 'minor');

-- name: Unclassified :many
-- Patients of whom nobody has said how long their record is kept, and since when there is one.
SELECT sqlc.embed(patient), least(patient.seen_at, (SELECT min(created_at) FROM note WHERE note.patient_id = patient.id))::timestamptz AS since
  FROM patient WHERE retention IS NULL AND destroyed_at IS NULL ORDER BY patient.id LIMIT $1;

-- name: CountUnclassified :one
SELECT count(*) FROM patient WHERE retention IS NULL AND destroyed_at IS NULL;

-- name: Due :many
-- Notes whose time is over, the longest first. held: they stay all the same.
SELECT note.id, note.kind, sqlc.embed(patient), retention_ends(patient.id, note.id)::timestamptz AS ended,
       EXISTS (SELECT FROM legal_hold h WHERE h.patient_id = note.patient_id AND h.lifted_at IS NULL AND (h.note_id IS NULL OR h.note_id = note.id)) AS held
  FROM note JOIN patient ON patient.id = note.patient_id
 WHERE note.edited_at < now() - interval '1 year' AND patient.seen_at < now() - interval '1 year'
   AND NOT EXISTS (SELECT FROM purged WHERE purged.note_id = note.id)
   AND retention_ends(patient.id, note.id) <= now()
 ORDER BY ended, note.id
 LIMIT $1;

-- name: CountDue :one
-- Of notes, and of patients of whom something is.
SELECT count(*) AS notes, count(DISTINCT note.patient_id) AS patients,
       count(*) FILTER (WHERE EXISTS (SELECT FROM legal_hold h WHERE h.patient_id = note.patient_id AND h.lifted_at IS NULL AND (h.note_id IS NULL OR h.note_id = note.id))) AS held
  FROM note JOIN patient ON patient.id = note.patient_id
 WHERE note.edited_at < now() - interval '1 year' AND patient.seen_at < now() - interval '1 year'
   AND NOT EXISTS (SELECT FROM purged WHERE purged.note_id = note.id)
   AND retention_ends(patient.id, note.id) <= now();

-- name: PatientsDue :many
-- Of whom something is over, after one of them.
SELECT patient.id FROM patient
 WHERE patient.id > $1 AND patient.seen_at < now() - interval '1 year'
   AND (EXISTS (SELECT FROM note WHERE note.patient_id = patient.id AND retention_ends(patient.id, note.id) <= now()
                   AND NOT EXISTS (SELECT FROM purged WHERE purged.note_id = note.id))
        OR retention_ends(patient.id, NULL) <= now() AND NOT EXISTS (SELECT FROM purged WHERE purged.patient_id = patient.id AND purged.note_id IS NULL))
 ORDER BY patient.id
 LIMIT $2;

-- name: NotesToPurge :many
-- All notes about a patient, in the order of commits: nobody edits one of them meanwhile, which would begin the time of all anew.
SELECT id, state FROM note WHERE patient_id = $1 ORDER BY id FOR UPDATE;

-- name: NotesOver :many
-- Those of them whose time is over, and which are there still. held: they stay.
SELECT note.id, retention_ends(note.patient_id, note.id)::timestamptz AS ended,
       EXISTS (SELECT FROM legal_hold h WHERE h.patient_id = note.patient_id AND h.lifted_at IS NULL AND (h.note_id IS NULL OR h.note_id = note.id)) AS held
  FROM note
 WHERE note.patient_id = $1 AND retention_ends(note.patient_id, note.id) <= now() AND NOT EXISTS (SELECT FROM purged WHERE purged.note_id = note.id)
 ORDER BY note.id;

-- name: PatientOver :one
-- Whether nothing keeps who a patient is: no note, no hold, no time. ended is when it was over.
SELECT coalesce(retention_ends(patient.id, NULL), 'infinity')::timestamptz AS ended,
       (retention_ends(patient.id, NULL) <= now()
        AND NOT EXISTS (SELECT FROM note WHERE note.patient_id = patient.id AND NOT EXISTS (SELECT FROM purged p WHERE p.note_id = note.id))
        AND NOT EXISTS (SELECT FROM purged p WHERE p.patient_id = patient.id AND p.note_id IS NULL)
        AND NOT EXISTS (SELECT FROM legal_hold h WHERE h.patient_id = patient.id AND h.lifted_at IS NULL))::boolean AS over,
       (patient.destroyed_at IS NOT NULL)::boolean AS destroyed
  FROM patient WHERE patient.id = $1;

-- name: Purge :exec
-- The database looks at holds, time and record itself; see migration 0045.
INSERT INTO purged (run_id, patient_id, note_id, ended_at) VALUES ($1, $2, sqlc.narg(note), now());

-- name: PurgeSettled :execrows
DELETE FROM note_loss_settled WHERE note_id = $1;

-- name: PurgeLosses :execrows
DELETE FROM note_loss WHERE note_id = $1;

-- name: PurgeRecovered :execrows
DELETE FROM recovered WHERE note_id = $1;

-- name: PurgeBases :execrows
DELETE FROM note_base WHERE note_id = $1;

-- name: PurgeUpdates :execrows
DELETE FROM note_update WHERE note_id = $1;

-- name: PurgeBursts :execrows
DELETE FROM note_burst WHERE note_id = $1;

-- name: PurgeSigned :execrows
DELETE FROM note_signed WHERE note_id = $1;

-- name: PurgeLateSettled :execrows
DELETE FROM late_edit_settled WHERE note_id = $1;

-- name: PurgeLate :execrows
DELETE FROM late_edit WHERE note_id = $1;

-- name: PurgeWriters :execrows
DELETE FROM writer WHERE note_id = $1;

-- name: UnfinishedRun :one
-- No row: every purge was carried through.
SELECT id FROM retention_run WHERE ended_at IS NULL ORDER BY begun_at LIMIT 1;

-- name: BeginRun :exec
INSERT INTO retention_run (id) VALUES ($1);

-- name: EndRun :exec
UPDATE retention_run SET ended_at = now() WHERE id = $1;

-- name: CountPurged :one
-- By one run, of notes and of patients.
SELECT count(note_id) AS notes, (count(*) - count(note_id))::bigint AS patients FROM purged WHERE run_id = $1;

-- name: RunsToErase :many
-- Those whose keys may still be in files of tables.
SELECT id FROM retention_run WHERE erased_at IS NULL AND EXISTS (SELECT FROM purged WHERE run_id = retention_run.id);

-- name: SetRunsErased :exec
UPDATE retention_run SET erased_at = now() WHERE id = ANY(sqlc.arg(ids)::uuid[]) AND ended_at IS NOT NULL;

-- name: Runs :many
-- The newest first.
SELECT retention_run.id, retention_run.begun_at, retention_run.ended_at, count(purged.note_id) AS notes, (count(purged.run_id) - count(purged.note_id))::bigint AS patients
  FROM retention_run LEFT JOIN purged ON purged.run_id = retention_run.id
 GROUP BY retention_run.id ORDER BY retention_run.begun_at DESC LIMIT $1;

-- name: PurgedAt :one
SELECT at FROM purged WHERE note_id = $1;
