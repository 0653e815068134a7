-- 0073_threads_on_record: which threads of comments a note has had is asked of the log of acts whenever they are read: one that was taken away whole is missed.

-- +goose Up
CREATE INDEX audit_event_threads ON audit_event (note_id, about) WHERE act = 'note.comment' AND code LIKE '%rev=% mark=%';

-- +goose Down
DROP INDEX audit_event_threads;
