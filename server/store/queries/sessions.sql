-- Editing sessions: who sat at which note, when, and how much they wrote.

-- name: StartSession :exec
INSERT INTO session (id, note_id, bed)
VALUES ($1, $2, coalesce((SELECT bed.label FROM note JOIN stay ON stay.patient_id = note.patient_id JOIN bed ON bed.id = stay.bed_id WHERE note.id = $2), ''));

-- name: EndSession :exec
-- It ended when the last one left, which is a moment ago. Whose leave was not recorded has left by now.
WITH late AS (
    UPDATE participation SET left_at = now() WHERE participation.session_id = $1 AND participation.left_at IS NULL
    RETURNING participation.id, participation.person_id
), recorded AS (
    INSERT INTO audit_event (act, outcome, who, patient_id, note_id, about, code)
    SELECT 'note.leave', 'done', late.person_id, note.patient_id, note.id, late.id, ''
      FROM late JOIN session sat ON sat.id = $1 JOIN note ON note.id = sat.note_id
)
UPDATE session SET ended_at = coalesce((SELECT max(left_at) FROM participation WHERE session_id = session.id), now())
 WHERE session.id = $1 AND session.ended_at IS NULL;

-- name: StartParticipation :exec
-- By number: sqlc would count what is named from the end.
WITH joined AS (
    INSERT INTO participation (id, session_id, person_id, device) VALUES ($1::uuid, $2::uuid, $3::uuid, $4::text)
    RETURNING participation.session_id
)
INSERT INTO audit_event (act, outcome, who, patient_id, note_id, about, code)
SELECT 'note.join', 'done', $3::uuid, note.patient_id, note.id, $1::uuid, ''
  FROM joined JOIN session ON session.id = joined.session_id JOIN note ON note.id = session.note_id;

-- name: EndParticipation :exec
WITH gone AS (
    UPDATE participation SET left_at = now() WHERE participation.id = sqlc.arg(id)::uuid AND left_at IS NULL
    RETURNING participation.session_id, participation.person_id
)
INSERT INTO audit_event (act, outcome, who, patient_id, note_id, about, code)
SELECT 'note.leave', 'done', gone.person_id, note.patient_id, note.id, sqlc.arg(id)::uuid, ''
  FROM gone JOIN session ON session.id = gone.session_id JOIN note ON note.id = session.note_id;

-- name: EndCutOffSessions :execrows
-- After an unclean stop: a session ended when its last edit was committed, or when it started.
UPDATE session SET ended_at = coalesce(greatest((SELECT max(at) FROM note_update WHERE session_id = session.id),
                                                (SELECT max(last_at) FROM note_burst WHERE session_id = session.id)), started_at)
 WHERE ended_at IS NULL;

-- name: EndCutOffParticipations :exec
-- When they left is not known; that it is on record late, the code says.
WITH late AS (
    UPDATE participation SET left_at = greatest(joined_at, session.ended_at)
      FROM session WHERE session.id = participation.session_id AND left_at IS NULL AND session.ended_at IS NOT NULL
    RETURNING participation.id, participation.person_id, session.note_id
)
INSERT INTO audit_event (act, outcome, who, patient_id, note_id, about, code)
SELECT 'note.leave', 'done', late.person_id, note.patient_id, note.id, late.id, 'cut off'
  FROM late JOIN note ON note.id = late.note_id;

-- name: ShowClient :exec
UPDATE participation SET client_id = $2 WHERE id = $1;

-- name: ShownClients :many
-- Client ids that were shown at a note since a time and have not written, the newest first. Of several people it is who
-- showed it first.
SELECT shown.client_id::bigint AS client_id, (array_agg(shown.person_id ORDER BY shown.joined_at))[1]::uuid AS person_id
  FROM participation shown
  JOIN session ON session.id = shown.session_id
 WHERE session.note_id = sqlc.arg(note) AND shown.client_id IS NOT NULL
   AND (session.ended_at IS NULL OR session.ended_at > sqlc.arg(since)::timestamptz)
   AND (shown.left_at IS NULL OR shown.left_at > sqlc.arg(since)::timestamptz)
   AND NOT EXISTS (SELECT FROM writer WHERE writer.note_id = session.note_id AND writer.client_id = shown.client_id)
 GROUP BY shown.client_id
 ORDER BY max(shown.joined_at) DESC
 LIMIT sqlc.arg(max_rows);
