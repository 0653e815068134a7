-- 0077_board_hears: boards are told when a handoff is read back, and when what is to be done about a patient changes: both are on the board,
-- and a signature of who takes over moves no state, so that nothing told of it.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION of_note_tells_unit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell_unit(bed.unit_id) FROM note JOIN stay ON stay.patient_id = note.patient_id JOIN bed ON bed.id = stay.bed_id
     WHERE note.id = coalesce((NEW).note_id, (OLD).note_id);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER receiver_tells_unit AFTER INSERT ON note_signature FOR EACH ROW WHEN (NEW.meaning = 'receiver') EXECUTE FUNCTION of_note_tells_unit();
CREATE TRIGGER task_tells_unit AFTER INSERT OR DELETE ON note_task FOR EACH ROW EXECUTE FUNCTION of_note_tells_unit();
-- What a task says is on no board: nobody is told of each word of it.
CREATE TRIGGER task_change_tells_unit AFTER UPDATE ON note_task FOR EACH ROW
    WHEN (OLD.done <> NEW.done OR OLD.due_by IS DISTINCT FROM NEW.due_by) EXECUTE FUNCTION of_note_tells_unit();

-- +goose Down
DROP TRIGGER task_change_tells_unit ON note_task;
DROP TRIGGER task_tells_unit ON note_task;
DROP TRIGGER receiver_tells_unit ON note_signature;
DROP FUNCTION of_note_tells_unit;
