-- Editing sessions: who sat at which note, when, and how much they wrote.

-- name: StartSession :exec
INSERT INTO session (id, note_id) VALUES ($1, $2);

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
    INSERT INTO participation (id, session_id, person_id) VALUES ($1::uuid, $2::uuid, $3::uuid)
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
UPDATE participation SET left_at = greatest(joined_at, session.ended_at)
  FROM session WHERE session.id = participation.session_id AND left_at IS NULL AND session.ended_at IS NOT NULL;

-- name: Sessions :many
-- The newest first, live ones before all others.
SELECT session.id, session.note_id, session.started_at, session.ended_at, note.kind,
       unit.name AS unit_name, sqlc.embed(patient), coalesce(bed.label, '')::text AS bed_label
  FROM session
  JOIN note ON note.id = session.note_id
  JOIN unit ON unit.id = note.unit_id
  JOIN patient ON patient.id = note.patient_id
  LEFT JOIN stay ON stay.patient_id = patient.id
  LEFT JOIN bed ON bed.id = stay.bed_id
 ORDER BY session.ended_at IS NOT NULL, session.started_at DESC
 LIMIT $1;

-- name: Participants :many
-- One row per person of each session: first arrival, last leave, whether still there, committed edits.
SELECT participation.session_id, sqlc.embed(person),
       min(joined_at)::timestamptz AS joined_at,
       coalesce(max(left_at), min(joined_at))::timestamptz AS left_at,
       bool_or(left_at IS NULL)::boolean AS present,
       ((SELECT count(*) FROM note_update WHERE note_update.session_id = participation.session_id
                                            AND note_update.author_id = person.id)
        + (SELECT coalesce(sum(last_seq - first_seq + 1), 0) FROM note_burst WHERE note_burst.session_id = participation.session_id
                                                                               AND note_burst.author_id = person.id))::bigint AS edits
  FROM participation
  JOIN person ON person.id = participation.person_id
 WHERE participation.session_id = ANY (sqlc.arg(sessions)::uuid[])
 GROUP BY participation.session_id, person.id
 ORDER BY min(joined_at);

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
