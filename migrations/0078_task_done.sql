-- 0078_task_done: tasks of signed notes are done, too, most of those of a handoff. The note stays as it was signed; that they were done is
-- beside it.

-- +goose Up
CREATE TABLE task_done (
    note_id uuid   NOT NULL REFERENCES note (id) ON DELETE CASCADE,
    client  bigint NOT NULL,
    clock   bigint NOT NULL,
    by_id   uuid   NOT NULL REFERENCES person (id),
    at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (note_id, client, clock)
);
COMMENT ON TABLE task_done IS 'Which tasks of signed notes were done since, by whom. They are those of note_task, and outlive its being read anew.';
CREATE TRIGGER task_done_tells_unit AFTER INSERT OR DELETE ON task_done FOR EACH ROW EXECUTE FUNCTION of_note_tells_unit();

-- +goose Down
DROP TABLE task_done;
