-- Changes of who may do what.

-- name: AccessVersion :one
-- Read on the connection that listens: what it has committed by now has been told there too.
SELECT version FROM access_version;

-- name: Standing :one
-- What access to a note is decided on, at one moment: what its person has to do with its patient, and the counters that
-- say when that is out of date. No row: there is no such note, or the person is suspended.
SELECT person.role, person.access_epoch AS person_epoch, note.access_epoch AS note_epoch, note.patient_id, note.kind, note.state,
       writable(note.state, note.frozen_until)::boolean AS writable, note.frozen_until, note.frozen_by,
       EXISTS (SELECT FROM note_signature signature JOIN person signer ON signer.id = signature.signer_id
                WHERE signature.note_id = note.id AND signature.cosign AND signer.supervisor_id = person.id) AS answers,
       note.recovery_until, note.created_by = person.id AS author, patient.vip, coalesce(bed.unit_id, note.unit_id)::text AS unit,
       coalesce(tied.ties, '{}')::text[] AS ties, coalesce(tied.until, '0001-01-01 00:00+00')::timestamptz AS until -- else there is no end
  FROM person
 CROSS JOIN note
  JOIN patient ON patient.id = note.patient_id
  LEFT JOIN stay ON stay.patient_id = patient.id
  LEFT JOIN bed ON bed.id = stay.bed_id
  LEFT JOIN LATERAL (
           SELECT array_agg(tie.kind) AS ties, min(tie.until) FILTER (WHERE tie.until < 'infinity') AS until
             FROM tie WHERE tie.person_id = person.id AND tie.patient_id = note.patient_id
       ) tied ON true
 WHERE person.id = sqlc.arg(person) AND NOT person.suspended AND note.id = sqlc.arg(note);

-- name: StandingTo :one
-- The same of a patient. No row: there is no such patient.
SELECT sqlc.embed(patient), coalesce(bed.label, '')::text AS bed_label, coalesce(bed.unit_id, '')::text AS unit_id,
       coalesce((SELECT array_agg(tie.kind) FROM tie WHERE tie.person_id = sqlc.arg(person) AND tie.patient_id = patient.id), '{}')::text[] AS ties
  FROM patient
  LEFT JOIN stay ON stay.patient_id = patient.id
  LEFT JOIN bed ON bed.id = stay.bed_id
 WHERE patient.id = sqlc.arg(patient);

-- name: UnitsFor :many
-- All units, and whether a person works there now.
SELECT sqlc.embed(unit), EXISTS (SELECT FROM duty WHERE duty.person_id = sqlc.arg(person) AND duty.unit_id = unit.id) AS works
  FROM unit ORDER BY unit.name;

-- name: UnitFor :one
SELECT sqlc.embed(unit), EXISTS (SELECT FROM duty WHERE duty.person_id = sqlc.arg(person) AND duty.unit_id = unit.id) AS works
  FROM unit WHERE unit.id = sqlc.arg(id);
