-- 0051_tasks: the tasks of notes, read behind the log, so that whose they are and what is overdue is known without opening a note.

-- +goose Up
CREATE TABLE note_task (
    note_id   uuid    NOT NULL REFERENCES note (id) ON DELETE CASCADE,
    -- The element of the document that the task is: it stays while people edit what the task says.
    client    bigint  NOT NULL,
    clock     bigint  NOT NULL,
    place     integer NOT NULL,           -- which of the note's tasks it is, from 1
    said      bytea   NOT NULL CHECK (octet_length(said) > 33),
    done      boolean NOT NULL,
    owner_id  uuid    REFERENCES person (id),
    due       text    NOT NULL CHECK (octet_length(due) <= 16), -- 2026-11-23, 2026-11-23T14:00, or empty
    due_by    timestamptz,                -- when it is overdue
    author_id uuid    REFERENCES person (id), -- who wrote it
    PRIMARY KEY (note_id, client, clock)
);
CREATE INDEX note_task_owner ON note_task (owner_id) WHERE NOT done;
COMMENT ON TABLE note_task IS 'Derived from the log; safe to delete together with note_tasked, after which it is read again.';
COMMENT ON COLUMN note_task.said IS 'Its text and whose it is in words, sealed for the note.';

CREATE TABLE note_tasked (
    note_id uuid PRIMARY KEY REFERENCES note (id) ON DELETE CASCADE,
    seq     bigint NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE note_tasked IS 'Up to which update note_task has everything. Whoever reads tasks of a note holds the lock of its row.';

-- What is destroyed has no tasks.
-- +goose StatementBegin
CREATE FUNCTION destroyed_has_no_tasks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM note_task WHERE note_id = NEW.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER destroyed_has_no_tasks AFTER UPDATE OF state ON note FOR EACH ROW
    WHEN (OLD.state <> 'destroyed' AND NEW.state = 'destroyed') EXECUTE FUNCTION destroyed_has_no_tasks();

-- +goose Down
DROP TRIGGER destroyed_has_no_tasks ON note;
DROP FUNCTION destroyed_has_no_tasks;
DROP TABLE note_tasked, note_task;
