-- Signing: states, signatures, and notes that are about another.

-- name: LockToSign :many
-- The note, and the one it is about, if any, in the order of commits.
SELECT sqlc.embed(note), (note.state = 'signing' AND note.frozen_until > now())::boolean AS frozen, writable(note.state, note.frozen_until)::boolean AS writable
  FROM note
 WHERE note.id = sqlc.arg(note) OR note.id = (SELECT parent_id FROM note_about WHERE note_id = sqlc.arg(note))
 ORDER BY note.id FOR NO KEY UPDATE OF note;

-- name: Freeze :one
-- No row: somebody else has frozen it, or it is signed. Their own freeze somebody may begin anew.
UPDATE note SET frozen_from = CASE state WHEN 'signing' THEN frozen_from ELSE state END, state = 'signing', sign_epoch = sign_epoch + 1,
       frozen_by = sqlc.arg(who), frozen_until = now() + make_interval(secs => sqlc.arg(seconds)::float8)
 WHERE id = sqlc.arg(note) AND (writable(state, frozen_until) OR state = 'signing' AND frozen_by = sqlc.arg(who))
RETURNING head, sign_epoch, frozen_until;

-- name: CountFreezes :one
-- How often somebody has frozen a note for some time. Whoever asks holds its row.
SELECT count(*) FROM audit_event
 WHERE note_id = sqlc.arg(note)::uuid AND act = 'note.freeze' AND outcome = 'done' AND who = sqlc.arg(who)::uuid
   AND at > now() - make_interval(secs => sqlc.arg(seconds)::float8);

-- name: LetGo :execrows
UPDATE note SET state = frozen_from, frozen_from = NULL, frozen_by = NULL, frozen_until = NULL
 WHERE id = sqlc.arg(note) AND state = 'signing' AND sign_epoch = sqlc.arg(epoch);

-- name: SetReview :execrows
-- A freeze whose time is over ends with it.
UPDATE note SET state = sqlc.arg(state), frozen_from = NULL, frozen_by = NULL, frozen_until = NULL
 WHERE id = sqlc.arg(note) AND state = sqlc.arg(was)::text;

-- name: EndFreeze :exec
-- Of one whose time is over.
UPDATE note SET state = frozen_from, frozen_from = NULL, frozen_by = NULL, frozen_until = NULL
 WHERE id = $1 AND state = 'signing' AND frozen_until <= now();

-- name: SetSigned :exec
UPDATE note SET state = sqlc.arg(state), frozen_from = NULL, frozen_by = NULL, frozen_until = NULL WHERE id = sqlc.arg(note);

-- name: SignTime :one
-- Of the database's clock, while the note's row is held.
SELECT clock_timestamp()::timestamptz;

-- name: NoteSigners :many
-- The first is first; the newest signs.
SELECT * FROM note_signer ORDER BY id;

-- name: InsertNoteSigner :execrows
-- No row: another server was faster.
INSERT INTO note_signer (id, keys, seed) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: InsertSignature :exec
INSERT INTO note_signature (note_id, n, signer_id, role, name, meaning, at, head, cosign, keys, statement, hash, identity, remark)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: InsertSigned :exec
INSERT INTO note_signed (note_id, content, attribution) VALUES ($1, $2, $3);

-- name: SignedNote :one
-- No row: it is not signed.
SELECT * FROM note_signed WHERE note_id = $1;

-- name: SignaturesOf :many
SELECT note_signature.*, note_signer.keys AS public FROM note_signature JOIN note_signer ON note_signer.id = note_signature.keys
 WHERE note_signature.note_id = ANY (sqlc.arg(notes)::uuid[]) ORDER BY note_signature.note_id, note_signature.n;

-- name: InsertAbout :exec
INSERT INTO note_about (note_id, parent_id, relation, reason) VALUES ($1, $2, $3, $4);

-- name: AboutNote :one
-- What a note is about. No row: it stands alone.
SELECT note_about.*, parent.title AS parent_title, parent.patient_id FROM note_about JOIN note parent ON parent.id = note_about.parent_id
 WHERE note_about.note_id = $1;

-- name: NotesAbout :many
-- The notes about one, those about these, and so on, the oldest first. Destroyed ones are not in it.
WITH RECURSIVE about AS (
    SELECT note_about.*, 1 AS depth FROM note_about WHERE note_about.parent_id = sqlc.arg(note)::uuid
    UNION ALL
    SELECT note_about.*, about.depth + 1 FROM note_about JOIN about ON note_about.parent_id = about.note_id WHERE about.depth < 20
)
SELECT about.note_id, about.parent_id, about.relation, about.reason, sqlc.embed(note), person.name AS creator
  FROM about JOIN note ON note.id = about.note_id JOIN person ON person.id = note.created_by
 WHERE note.state <> 'destroyed'
 ORDER BY about.depth, note.created_at, note.id
 LIMIT sqlc.arg(max_rows);

-- name: Cosigners :many
-- Who may cosign what somebody signed: the attending they work under first, then those who have the patient.
SELECT person.id, person.name, coalesce(person.id = signer.supervisor_id, false)::boolean AS supervises
  FROM note
  JOIN person signer ON signer.id = sqlc.arg(signer)
  JOIN person ON person.role = 'attending' AND NOT person.suspended AND person.id <> signer.id
 WHERE note.id = sqlc.arg(note)
   AND (person.id = signer.supervisor_id OR EXISTS (SELECT FROM tie WHERE tie.person_id = person.id AND tie.patient_id = note.patient_id AND tie.kind IN ('unit', 'team')))
   AND NOT EXISTS (SELECT FROM tie WHERE tie.person_id = person.id AND tie.patient_id = note.patient_id AND tie.kind = 'own')
 ORDER BY person.id = signer.supervisor_id DESC NULLS LAST, person.name
 LIMIT sqlc.arg(max_rows);

-- name: AwaitingCosign :many
-- Notes that wait for an attending's signature which a person could give: of those who work under them first, then of those whose
-- patients they have; each the oldest first.
SELECT sqlc.embed(note), sqlc.embed(patient), coalesce(bed.label, '')::text AS bed_label, signature.signer_id, signature.name AS signed_by, signature.at AS signed_at,
       (signer.supervisor_id IS NOT DISTINCT FROM sqlc.arg(person)::uuid)::boolean AS supervises,
       coalesce((SELECT array_agg(tie.kind) FROM tie WHERE tie.person_id = sqlc.arg(person)::uuid AND tie.patient_id = note.patient_id), '{}')::text[] AS ties,
       coalesce(bed.unit_id, note.unit_id)::text AS unit
  FROM note_signature signature
  JOIN note ON note.id = signature.note_id
  JOIN patient ON patient.id = note.patient_id
  JOIN person signer ON signer.id = signature.signer_id
  LEFT JOIN stay ON stay.patient_id = patient.id
  LEFT JOIN bed ON bed.id = stay.bed_id
 WHERE signature.cosign AND signature.signer_id <> sqlc.arg(person)::uuid AND note.state NOT IN ('retracted', 'destroyed')
   AND NOT EXISTS (SELECT FROM note_signature given WHERE given.note_id = signature.note_id AND (given.meaning = 'cosign' OR given.signer_id = sqlc.arg(person)::uuid))
   AND (signer.supervisor_id = sqlc.arg(person)::uuid
        OR EXISTS (SELECT FROM tie WHERE tie.person_id = sqlc.arg(person)::uuid AND tie.patient_id = note.patient_id AND tie.kind IN ('unit', 'team')))
 ORDER BY supervises DESC, signature.at, note.id
 LIMIT sqlc.arg(max_rows);

-- name: ReadyForReview :many
-- Drafts that their authors say are done, and an attending may look at: of those who work under them first, then about patients whom they
-- have; each the oldest first.
SELECT sqlc.embed(note), sqlc.embed(patient), coalesce(bed.label, '')::text AS bed_label, coalesce(bed.unit_id, note.unit_id)::text AS unit, person.name AS creator,
       (person.supervisor_id IS NOT DISTINCT FROM sqlc.arg(person)::uuid)::boolean AS supervises,
       coalesce((SELECT array_agg(tie.kind) FROM tie WHERE tie.person_id = sqlc.arg(person)::uuid AND tie.patient_id = note.patient_id), '{}')::text[] AS ties
  FROM note
  JOIN patient ON patient.id = note.patient_id
  JOIN person ON person.id = note.created_by
  LEFT JOIN stay ON stay.patient_id = patient.id
  LEFT JOIN bed ON bed.id = stay.bed_id
 WHERE note.state = 'review' AND note.created_by <> sqlc.arg(person)::uuid
   AND (person.supervisor_id = sqlc.arg(person)::uuid
        OR EXISTS (SELECT FROM tie WHERE tie.person_id = sqlc.arg(person)::uuid AND tie.patient_id = note.patient_id AND tie.kind IN ('unit', 'team')))
 ORDER BY supervises DESC, note.edited_at, note.id
 LIMIT sqlc.arg(max_rows);

-- name: UnsignedNotes :many
-- Notes that nobody has signed, the oldest first: of a person those that they began, of a unit those written there; with neither, all.
SELECT sqlc.embed(note), sqlc.embed(patient), coalesce(bed.label, '')::text AS bed_label, coalesce(bed.unit_id, note.unit_id)::text AS unit, person.name AS creator,
       coalesce((SELECT array_agg(tie.kind) FROM tie WHERE tie.person_id = sqlc.arg(reader)::uuid AND tie.patient_id = note.patient_id), '{}')::text[] AS ties
  FROM note
  JOIN patient ON patient.id = note.patient_id
  JOIN person ON person.id = note.created_by
  LEFT JOIN stay ON stay.patient_id = patient.id
  LEFT JOIN bed ON bed.id = stay.bed_id
 WHERE note.state IN ('draft', 'review', 'signing')
   AND (sqlc.narg(author)::uuid IS NULL OR note.created_by = sqlc.narg(author))
   AND (sqlc.arg(unit)::text = '' OR note.unit_id = sqlc.arg(unit))
 ORDER BY note.created_at, note.id
 LIMIT sqlc.arg(max_rows);

-- name: EntryOfSignature :one
-- The place of a signing in the log of acts. No row: it has none yet.
SELECT audit_order.seq FROM audit_event JOIN audit_order ON audit_order.n = audit_event.n
 WHERE audit_event.note_id = sqlc.arg(note)::uuid AND audit_event.act = sqlc.arg(act) AND audit_event.who = sqlc.arg(who)::uuid
   AND audit_event.outcome = 'done' AND audit_event.code LIKE '%chain=%' AND strpos(audit_event.code, sqlc.arg(mark)::text) > 0;

-- name: NotReadBack :many
-- Of some handoffs, those that are signed, and hold, and that nobody has taken over. What is added to a handoff is none.
SELECT note.id FROM note
 WHERE note.id = ANY(sqlc.arg(notes)::uuid[]) AND note.state IN ('signed', 'cosigned', 'added', 'amended')
   AND NOT EXISTS (SELECT FROM note_signature WHERE note_signature.note_id = note.id AND note_signature.meaning = 'receiver')
   AND NOT EXISTS (SELECT FROM note_about WHERE note_about.note_id = note.id);
