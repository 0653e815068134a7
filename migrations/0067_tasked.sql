-- 0067_tasked: which notes have tasks at all, so that those who type in others are not followed.

-- +goose Up
ALTER TABLE note_tasked ADD COLUMN tasks boolean NOT NULL DEFAULT false;
UPDATE note_tasked SET tasks = EXISTS (SELECT FROM note_task WHERE note_task.note_id = note_tasked.note_id);
COMMENT ON COLUMN note_tasked.tasks IS 'Whether the note has tasks, or had since somebody last looked. It is set as soon as one is committed; should a crash keep it from being set, whoever looks through all logs finds it.';

-- +goose Down
ALTER TABLE note_tasked DROP COLUMN tasks;
