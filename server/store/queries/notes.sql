-- Notes, their log and their bases.

-- name: NoteByID :one
-- misplaced: the log of acts says that it is another patient's, or was.
SELECT sqlc.embed(note), sqlc.embed(patient), person.name AS creator,
       coalesce(bed.label, '')::text AS bed_label,
       (EXISTS (SELECT FROM audit_event event WHERE event.note_id = note.id AND event.code LIKE '%chain=%' AND event.patient_id < note.patient_id)
        OR EXISTS (SELECT FROM audit_event event WHERE event.note_id = note.id AND event.code LIKE '%chain=%' AND event.patient_id > note.patient_id))::boolean AS misplaced
  FROM note
  JOIN patient ON patient.id = note.patient_id
  JOIN person ON person.id = note.created_by
  LEFT JOIN stay ON stay.patient_id = patient.id
  LEFT JOIN bed ON bed.id = stay.bed_id
 WHERE note.id = $1;

-- name: NotesFor :many
-- Notes about patients whom a person has something to do with, and what, or with everyone all notes; the newest edited
-- first, behind them those that the person only began. unit is where the patient lies, or of one who has left where the note was written; '' means anywhere.
SELECT sqlc.embed(note), sqlc.embed(patient), coalesce(bed.label, '')::text AS bed_label, coalesce(bed.unit_id, note.unit_id)::text AS unit,
       coalesce(tied.ties, '{}')::text[] AS ties
  FROM note
  JOIN patient ON patient.id = note.patient_id
  LEFT JOIN stay ON stay.patient_id = patient.id
  LEFT JOIN bed ON bed.id = stay.bed_id
  LEFT JOIN (SELECT tie.patient_id, array_agg(tie.kind) AS ties FROM tie WHERE tie.person_id = sqlc.arg(person) GROUP BY tie.patient_id) tied
    ON tied.patient_id = note.patient_id
 WHERE (sqlc.arg(unit)::text = '' OR coalesce(bed.unit_id, note.unit_id) = sqlc.arg(unit))
   AND (sqlc.arg(everyone)::boolean OR tied.ties IS NOT NULL OR note.created_by = sqlc.arg(person))
   AND note.state <> 'destroyed'
 ORDER BY tied.ties IS NULL, note.edited_at DESC, note.id
 LIMIT sqlc.arg(max_rows);

-- name: InsertNote :exec
-- head is 1: the row that InsertFirstUpdate adds in the same transaction.
INSERT INTO note (id, patient_id, unit_id, kind, title, head, chain, created_by, created_at, edited_at)
VALUES ($1, $2, $3, $4, $5, 1, sqlc.arg(chain), $6, sqlc.arg(at), sqlc.arg(at));

-- name: InsertFirstUpdate :exec
INSERT INTO note_update (note_id, seq, author_id, data, at) VALUES ($1, 1, $2, $3, $4);

-- name: OpenRecovery :execrows
-- Of one note, or with note NULL of all that can be written.
UPDATE note SET recovery_until = sqlc.narg(until)
 WHERE (id = sqlc.narg(note) OR sqlc.narg(note) IS NULL) AND state IN ('draft', 'review', 'signing') AND recovery_until IS DISTINCT FROM sqlc.narg(until);

-- name: Recovered :many
-- What came back, as one row for each who wrote and who brought it. writer NULL: nobody knows who wrote it.
SELECT recovered.note_id, author.name AS writer, bringer.name AS brought_by, sum(to_clock - from_clock)::bigint AS units, max(at)::timestamptz AS at
  FROM recovered
  JOIN writer USING (note_id, client_id)
  LEFT JOIN person author ON author.id = writer.person_id
  JOIN person bringer ON bringer.id = recovered.by_id
 WHERE recovered.note_id = sqlc.narg(note) OR sqlc.narg(note) IS NULL
 GROUP BY recovered.note_id, author.name, bringer.name
 ORDER BY max(at) DESC;

-- name: NewestBase :one
-- No row: the note has no base yet, so it is loaded from its log alone.
SELECT seq, data, sum FROM note_base WHERE note_id = $1 ORDER BY seq DESC LIMIT 1;

-- name: Writers :many
-- Whose each client id of a note is; NULL: nobody's yet.
SELECT client_id, person_id FROM writer WHERE note_id = $1;

-- name: InsertWriter :exec
INSERT INTO writer (note_id, client_id, person_id, next_clock) VALUES ($1, $2, $3, $4);

-- name: InsertBase :exec
-- Not of a note that was destroyed.
INSERT INTO note_base (note_id, seq, data, sum)
SELECT note.id, sqlc.arg(seq), sqlc.arg(data), sqlc.arg(sum) FROM note WHERE note.id = sqlc.arg(note_id) AND note.state <> 'destroyed' ON CONFLICT DO NOTHING;

-- name: DeleteOldBases :exec
-- Two are kept: the one just made, and the one that served until now.
DELETE FROM note_base old
 WHERE old.note_id = $1
   AND old.seq < (SELECT seq FROM note_base kept WHERE kept.note_id = $1 ORDER BY seq DESC OFFSET 1 LIMIT 1);

-- name: BatchReceipt :one
-- No row: the batch never committed.
SELECT note_ids, first_seq FROM batch WHERE id = $1;

-- name: DeleteOldBatches :exec
-- A receipt is asked for within seconds; a day is generous.
DELETE FROM batch WHERE at < now() - interval '1 day';

-- name: PatientOfNote :one
SELECT patient_id FROM note WHERE id = $1;
