-- What the board of a unit shows.

-- name: BoardBeds :many
-- Every bed of a unit in walking order, empty ones too, and who lies there.
SELECT bed.id AS bed_id, bed.label AS bed_label, stay.patient_id, stay.admitted_at, patient.sealed, coalesce(patient.vip, false) AS vip,
       stay.bedside, coalesce(stay.bedside_n, 0) AS bedside_n, stay.bedside_at
  FROM bed
  LEFT JOIN stay ON stay.bed_id = bed.id
  LEFT JOIN patient ON patient.id = stay.patient_id
 WHERE bed.unit_id = $1
 ORDER BY bed.position;

-- name: BoardNotes :many
-- Notes about who lies on a unit, with who began each, and when somebody last signed it: those that nobody has signed first, the newest edited first.
SELECT sqlc.embed(note), person.name AS creator, person.suspended AS creator_left,
       coalesce((SELECT max(note_signature.at) FROM note_signature WHERE note_signature.note_id = note.id), '0001-01-01 00:00+00')::timestamptz AS signed_at
  FROM bed
  JOIN stay ON stay.bed_id = bed.id
  JOIN note ON note.patient_id = stay.patient_id
  JOIN person ON person.id = note.created_by
 WHERE bed.unit_id = sqlc.arg(unit) AND note.state <> 'destroyed'
 ORDER BY note.state IN ('draft', 'review', 'signing') DESC, note.edited_at DESC, note.id
 LIMIT sqlc.arg(max_rows);

-- name: BoardTies :many
-- What a person has to do now with those who lie on a unit.
SELECT tie.patient_id, array_agg(tie.kind)::text[] AS ties
  FROM tie
 WHERE tie.person_id = sqlc.arg(person)
   AND tie.patient_id IN (SELECT stay.patient_id FROM stay JOIN bed ON bed.id = stay.bed_id WHERE bed.unit_id = sqlc.arg(unit))
 GROUP BY tie.patient_id;

-- name: BedFor :one
-- A bed of a unit, who lies there, and what a person has to do with them and with the unit. No row: there is no such bed.
SELECT bed.id AS bed_id, bed.label AS bed_label, stay.patient_id,
       EXISTS (SELECT FROM duty WHERE duty.person_id = sqlc.arg(person) AND duty.unit_id = bed.unit_id) AS works,
       coalesce((SELECT array_agg(tie.kind) FROM tie WHERE tie.person_id = sqlc.arg(person) AND tie.patient_id = stay.patient_id), '{}')::text[] AS ties
  FROM bed LEFT JOIN stay ON stay.bed_id = bed.id
 WHERE bed.unit_id = sqlc.arg(unit) AND bed.id = sqlc.arg(bed);

-- name: StayOf :one
SELECT * FROM stay WHERE patient_id = $1;

-- name: LockStay :one
SELECT * FROM stay WHERE patient_id = $1 FOR NO KEY UPDATE;

-- name: SetBedside :exec
UPDATE stay SET bedside = $2, bedside_n = bedside_n + 1, bedside_at = now() WHERE patient_id = $1;

-- name: BoardNudges :many
-- Who was asked to sign a note about who lies on a unit, the newest first.
SELECT nudge.note_id, nudge.by_id, nudge.at, nudge.seen_at
  FROM nudge
  JOIN note ON note.id = nudge.note_id
  JOIN stay ON stay.patient_id = note.patient_id
  JOIN bed ON bed.id = stay.bed_id
 WHERE bed.unit_id = sqlc.arg(unit) AND nudge.what = 'sign' AND note.state IN ('draft', 'review', 'signing')
 ORDER BY nudge.at DESC, nudge.id
 LIMIT sqlc.arg(max_rows);

-- name: LockNoteToNudge :one
-- Who nudges at the same moment waits. No row: there is no such note.
SELECT created_by, state FROM note WHERE id = $1 FOR NO KEY UPDATE;

-- name: LastNudge :one
-- When somebody asked for a note's signature last; and how often anybody, for any note, since a time. Once they have not, at is long ago.
SELECT coalesce((SELECT max(nudge.at) FROM nudge WHERE nudge.note_id = sqlc.arg(note) AND nudge.by_id = sqlc.arg(by) AND nudge.what = 'sign'), '0001-01-01 00:00+00')::timestamptz AS at,
       (SELECT count(*) FROM nudge WHERE nudge.by_id = sqlc.arg(by) AND nudge.what = 'sign' AND nudge.at > sqlc.arg(since)::timestamptz) AS sent;

-- name: InsertNudge :exec
INSERT INTO nudge (note_id, to_id, by_id) VALUES ($1, $2, $3);

-- name: NudgesTo :many
-- What somebody is told of notes and has not looked at since, what they are asked to sign first: of each note and kind the newest. Whether they may know is to be decided by their ties.
SELECT DISTINCT ON (nudge.what, nudge.note_id) nudge.what, nudge.note_id, nudge.at, note.kind, note.created_at, note.created_by, person.name, person.role, patient.vip,
       coalesce(bed.unit_id, note.unit_id)::text AS unit,
       coalesce((SELECT array_agg(tie.kind) FROM tie WHERE tie.person_id = sqlc.arg(person)::uuid AND tie.patient_id = note.patient_id), '{}')::text[] AS ties
  FROM nudge
  JOIN note ON note.id = nudge.note_id
  JOIN patient ON patient.id = note.patient_id
  JOIN person ON person.id = nudge.by_id
  LEFT JOIN stay ON stay.patient_id = patient.id
  LEFT JOIN bed ON bed.id = stay.bed_id
 WHERE nudge.to_id = sqlc.arg(person) AND nudge.seen_at IS NULL
   AND CASE nudge.what WHEN 'sign' THEN note.state IN ('draft', 'review', 'signing') WHEN 'review' THEN note.state = 'review'
                       ELSE note.state NOT IN ('destroyed', 'retracted') END
 ORDER BY nudge.what DESC, nudge.note_id, nudge.at DESC
 LIMIT sqlc.arg(max_rows);

-- name: SeeNudges :execrows
-- All that somebody is told, or only of a note, or only of a kind.
UPDATE nudge SET seen_at = now()
 WHERE to_id = sqlc.arg(person) AND seen_at IS NULL AND (sqlc.narg(note)::uuid IS NULL OR note_id = sqlc.narg(note)) AND (sqlc.narg(what)::text IS NULL OR what = sqlc.narg(what));

-- name: TellOfReview :exec
-- Who began a note, whoever has written in it, and who answers for who began it: of what is ready for review, but for who says so. Who was told of
-- it before and has not looked is told once.
INSERT INTO nudge (note_id, to_id, by_id, what)
SELECT note.id, person.id, sqlc.arg(by)::uuid, 'review'
  FROM note JOIN person ON person.id <> sqlc.arg(by)::uuid AND NOT person.suspended AND person.role <> 'service account'
 WHERE note.id = sqlc.arg(note)
   AND (person.id = note.created_by OR person.id = (SELECT supervisor_id FROM person creator WHERE creator.id = note.created_by)
        OR EXISTS (SELECT FROM writer WHERE writer.note_id = note.id AND writer.person_id = person.id))
   AND NOT EXISTS (SELECT FROM nudge told WHERE told.note_id = note.id AND told.to_id = person.id AND told.what = 'review' AND told.seen_at IS NULL);
