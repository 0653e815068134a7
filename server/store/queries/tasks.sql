-- Tasks of notes, read behind the log.

-- name: NoteHasTasks :exec
INSERT INTO note_tasked (note_id, seq, tasks) SELECT note.id, 0, true FROM note WHERE note.id = $1 AND note.state <> 'destroyed'
    ON CONFLICT (note_id) DO UPDATE SET tasks = true;

-- name: AskForTasks :exec
INSERT INTO note_tasked (note_id, seq, asked_at) SELECT note.id, 0, now() FROM note WHERE note.id = $1 AND note.state <> 'destroyed'
    ON CONFLICT (note_id) DO UPDATE SET asked_at = excluded.asked_at;

-- name: LiveNotesToTask :many
-- Notes with tasks that somebody writes in now, or did a moment ago, and notes of which somebody has asked for it within a minute, whose tasks are
-- not read up to their newest row. What cannot be read is not tried for ever.
SELECT note.id
  FROM session
  JOIN note ON note.id = session.note_id
  JOIN note_tasked ON note_tasked.note_id = note.id
 WHERE NOT session.counted AND note_tasked.tasks AND note.state <> 'destroyed' AND note.head > note_tasked.seq
 UNION
SELECT note.id
  FROM note_tasked
  JOIN note ON note.id = note_tasked.note_id
 WHERE note_tasked.asked_at > now() - interval '1 minute' AND note.state <> 'destroyed' AND note.head > note_tasked.seq
 LIMIT $1;

-- name: NotesToTask :many
-- All notes whose tasks, should they have any, are not read up to their newest row.
SELECT note.id
  FROM note LEFT JOIN note_tasked ON note_tasked.note_id = note.id
 WHERE note.state <> 'destroyed' AND note.head > coalesce(note_tasked.seq, 0)
 LIMIT $1;

-- name: BeginTasks :one
-- It waits for whoever reads tasks of the same note, and returns up to where they have.
INSERT INTO note_tasked (note_id, seq) SELECT note.id, 0 FROM note WHERE note.id = $1 AND note.state <> 'destroyed'
    ON CONFLICT (note_id) DO UPDATE SET seq = note_tasked.seq
RETURNING seq;

-- name: EndTasks :exec
-- Tasks that were committed since, and of which somebody has told, are not forgotten.
UPDATE note_tasked SET seq = $2, tasks = tasks OR sqlc.arg(tasks) WHERE note_id = $1;

-- name: TasksOfNote :many
SELECT * FROM note_task WHERE note_id = $1 ORDER BY place;

-- name: SaveTask :exec
-- An owner or author that is nobody here is not named.
INSERT INTO note_task (note_id, client, clock, place, said, done, owner_id, due, due_by, author_id)
VALUES (sqlc.arg(note_id), sqlc.arg(client), sqlc.arg(clock), sqlc.arg(place), sqlc.arg(said), sqlc.arg(done),
        (SELECT id FROM person WHERE id = sqlc.narg(owner)::uuid), sqlc.arg(due), sqlc.narg(due_by), (SELECT id FROM person WHERE id = sqlc.narg(author)::uuid))
    ON CONFLICT (note_id, client, clock) DO UPDATE SET
       place = excluded.place, said = excluded.said, done = excluded.done, owner_id = excluded.owner_id, due = excluded.due, due_by = excluded.due_by,
       author_id = excluded.author_id,
       done_at = CASE WHEN NOT excluded.done THEN NULL WHEN note_task.done THEN note_task.done_at ELSE now() END;

-- name: DeleteTask :exec
DELETE FROM note_task WHERE note_id = $1 AND client = $2 AND clock = $3;

-- name: MentionsOfNote :many
SELECT client, clock, person_id FROM note_mention WHERE note_id = $1 ORDER BY client, clock;

-- name: SaveMention :execrows
-- Somebody who is nobody here is not named.
INSERT INTO note_mention (note_id, client, clock, person_id)
SELECT sqlc.arg(note_id), sqlc.arg(client), sqlc.arg(clock), person.id FROM person WHERE person.id = sqlc.arg(person);

-- name: DeleteMention :exec
DELETE FROM note_mention WHERE note_id = $1 AND client = $2 AND clock = $3;

-- name: TellOfMention :exec
-- Who was told that the note names them, and has not looked, is told once.
INSERT INTO nudge (note_id, to_id, by_id, what)
SELECT sqlc.arg(note_id), sqlc.arg(to_id), person.id, 'mention' FROM person
 WHERE person.id = sqlc.arg(by_id) AND person.id <> sqlc.arg(to_id)
   AND NOT EXISTS (SELECT FROM nudge WHERE nudge.note_id = sqlc.arg(note_id) AND nudge.to_id = sqlc.arg(to_id) AND nudge.what = 'mention' AND nudge.seen_at IS NULL);

-- name: UntellMention :exec
-- The note names somebody no more, who has not looked.
DELETE FROM nudge WHERE note_id = $1 AND to_id = $2 AND what = 'mention' AND seen_at IS NULL;

-- name: ListTasks :many
-- What somebody has to do, or, of who lies on a unit, what anybody has: the overdue first, then by when it is due, then what is due at no time;
-- behind that what was done there after a time, if one is given, the newest first. A note that was entered in error has no tasks any more.
SELECT sqlc.embed(note_task), sqlc.embed(note), sqlc.embed(patient), coalesce(bed.id, '')::text AS bed_id, coalesce(bed.label, '')::text AS bed_label,
       coalesce(bed.unit_id, note.unit_id)::text AS unit, coalesce(author.name, '')::text AS author, coalesce(owner.name, '')::text AS owner,
       coalesce(doer.name, '')::text AS doer, task_done.at AS signed_done_at,
       coalesce((SELECT array_agg(tie.kind) FROM tie WHERE tie.person_id = sqlc.narg(owner)::uuid AND tie.patient_id = note.patient_id), '{}')::text[] AS ties
  FROM (SELECT note_id, client, clock FROM note_task WHERE owner_id = sqlc.narg(owner)::uuid AND NOT done
        UNION ALL
        SELECT here.note_id, here.client, here.clock
          FROM bed JOIN stay ON stay.bed_id = bed.id JOIN note ON note.patient_id = stay.patient_id JOIN note_task here ON here.note_id = note.id
         WHERE bed.unit_id = sqlc.narg(unit)::text) listed
  JOIN note_task ON note_task.note_id = listed.note_id AND note_task.client = listed.client AND note_task.clock = listed.clock
  JOIN note ON note.id = note_task.note_id
  JOIN patient ON patient.id = note.patient_id
  LEFT JOIN task_done ON task_done.note_id = note_task.note_id AND task_done.client = note_task.client AND task_done.clock = note_task.clock
  LEFT JOIN person author ON author.id = note_task.author_id
  LEFT JOIN person owner ON owner.id = note_task.owner_id
  LEFT JOIN person doer ON doer.id = task_done.by_id
  LEFT JOIN stay ON stay.patient_id = patient.id
  LEFT JOIN bed ON bed.id = stay.bed_id
 WHERE note.state NOT IN ('destroyed', 'retracted')
   AND (NOT note_task.done AND task_done.at IS NULL OR coalesce(task_done.at, note_task.done_at) > sqlc.narg(done_since)::timestamptz)
 ORDER BY note_task.done OR task_done.at IS NOT NULL, coalesce(task_done.at, note_task.done_at) DESC NULLS FIRST, note_task.due_by NULLS LAST,
       note.created_at, note.id, note_task.place
 LIMIT sqlc.arg(max_rows);

-- name: UnitTasks :many
-- Of each patient who lies on a unit and has had any: tasks that are not done, how many of these are overdue, and when they last changed.
SELECT stay.patient_id, count(*) FILTER (WHERE NOT note_task.done AND task_done.at IS NULL) AS open,
       count(*) FILTER (WHERE NOT note_task.done AND task_done.at IS NULL AND note_task.due_by <= now()) AS overdue,
       coalesce(max(note_tasked.changed_at), '0001-01-01 00:00+00')::timestamptz AS changed_at
  FROM bed
  JOIN stay ON stay.bed_id = bed.id
  JOIN note ON note.patient_id = stay.patient_id
  JOIN note_tasked ON note_tasked.note_id = note.id
  LEFT JOIN note_task ON note_task.note_id = note.id
  LEFT JOIN task_done ON task_done.note_id = note_task.note_id AND task_done.client = note_task.client AND task_done.clock = note_task.clock
 WHERE bed.unit_id = $1 AND note_tasked.tasks AND note.state NOT IN ('destroyed', 'retracted')
 GROUP BY stay.patient_id;

-- name: Colleagues :many
-- Who may be given a task about a patient, or be named in a note: those who work on the unit and the patient's team.
SELECT person.id, person.name, person.role
  FROM person
 WHERE NOT person.suspended AND person.role NOT IN ('service account', 'display')
   AND (EXISTS (SELECT FROM duty WHERE duty.person_id = person.id AND duty.unit_id = sqlc.arg(unit))
        OR EXISTS (SELECT FROM care_team WHERE care_team.person_id = person.id AND care_team.patient_id = sqlc.arg(patient)))
 ORDER BY person.name, person.id
 LIMIT sqlc.arg(max_rows);

-- name: DoTask :execrows
-- No row: it is done, or no task of a note that is signed and holds.
INSERT INTO task_done (note_id, client, clock, by_id)
SELECT note_task.note_id, note_task.client, note_task.clock, sqlc.arg(by_id)::uuid
  FROM note_task JOIN note ON note.id = note_task.note_id
 WHERE note_task.note_id = sqlc.arg(note_id) AND note_task.client = sqlc.arg(client) AND note_task.clock = sqlc.arg(clock) AND NOT note_task.done
   AND note.state IN ('signed', 'cosigned', 'added', 'amended')
    ON CONFLICT DO NOTHING;

-- name: UndoTask :execrows
DELETE FROM task_done WHERE note_id = $1 AND client = $2 AND clock = $3;

-- name: TasksAreRead :one
-- Whether note_task has a note up to its newest row.
SELECT (note.head <= coalesce(note_tasked.seq, 0))::boolean FROM note LEFT JOIN note_tasked ON note_tasked.note_id = note.id WHERE note.id = $1;

-- name: TasksIn :many
-- What a note says is to be done, or was, and what of it was done since it was signed.
SELECT sqlc.embed(note_task), coalesce(owner.name, '')::text AS owner, task_done.by_id AS doer_id, coalesce(doer.name, '')::text AS doer,
       task_done.at AS done_at
  FROM note_task
  LEFT JOIN task_done ON task_done.note_id = note_task.note_id AND task_done.client = note_task.client AND task_done.clock = note_task.clock
  LEFT JOIN person owner ON owner.id = note_task.owner_id
  LEFT JOIN person doer ON doer.id = task_done.by_id
 WHERE note_task.note_id = $1
 ORDER BY note_task.place;
