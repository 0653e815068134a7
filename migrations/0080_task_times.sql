-- 0080_task_times: when what is to be done last changed, when a task of a draft was ticked off, and which notes are to be read at once.

-- +goose Up
ALTER TABLE note_task ADD COLUMN done_at timestamptz;
COMMENT ON COLUMN note_task.done_at IS 'When it was first read as done; null: it is not, or it was when it was first read. This alone does not come back.';
ALTER TABLE note_tasked
    ADD COLUMN changed_at timestamptz,
    ADD COLUMN asked_at timestamptz;
COMMENT ON COLUMN note_tasked.changed_at IS 'When a task of the note last came, went, changed or was done; null: not since this is known.';
COMMENT ON COLUMN note_tasked.asked_at IS 'When somebody last asked that it be read at once, though nobody writes in it.';
CREATE INDEX note_tasked_asked ON note_tasked (asked_at) WHERE asked_at IS NOT NULL;

-- +goose StatementBegin
CREATE FUNCTION task_dates_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE note_tasked SET changed_at = now() WHERE note_id = coalesce((NEW).note_id, (OLD).note_id) AND changed_at IS DISTINCT FROM now();
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER task_dates_note AFTER INSERT OR UPDATE OR DELETE ON note_task FOR EACH ROW EXECUTE FUNCTION task_dates_note();
CREATE TRIGGER task_done_dates_note AFTER INSERT OR DELETE ON task_done FOR EACH ROW EXECUTE FUNCTION task_dates_note();

-- +goose Down
DROP TRIGGER task_done_dates_note ON task_done;
DROP TRIGGER task_dates_note ON note_task;
DROP FUNCTION task_dates_note;
DROP INDEX note_tasked_asked;
ALTER TABLE note_tasked DROP COLUMN asked_at, DROP COLUMN changed_at;
ALTER TABLE note_task DROP COLUMN done_at;
