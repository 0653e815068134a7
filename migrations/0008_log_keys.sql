-- 0008_log_keys: a keystroke's row is not looked up in three other tables.
-- The rows of the log are by far the most that are written, and each foreign key asked for a row of its own: a third
-- of what the database did for a keystroke. What they said is said elsewhere already, once for many rows. append holds
-- the row lock of the note while it inserts; who writes has a participation in the session first, which refers to both;
-- the first row of a note is its creator's.

-- +goose Up
ALTER TABLE note_update
    DROP CONSTRAINT note_update_note_id_fkey,
    DROP CONSTRAINT note_update_author_id_fkey,
    DROP CONSTRAINT note_update_session_id_fkey;
COMMENT ON COLUMN note_update.note_id IS 'A note: append inserts under the lock of its row, and rows that refer to a note keep it from being deleted.';
COMMENT ON COLUMN note_update.author_id IS 'A person: has a participation in the session, or created the note.';
COMMENT ON COLUMN note_update.session_id IS 'A session; NULL: written when the note was created.';

-- +goose Down
ALTER TABLE note_update
    ADD CONSTRAINT note_update_note_id_fkey FOREIGN KEY (note_id) REFERENCES note (id),
    ADD CONSTRAINT note_update_author_id_fkey FOREIGN KEY (author_id) REFERENCES person (id),
    ADD CONSTRAINT note_update_session_id_fkey FOREIGN KEY (session_id) REFERENCES session (id);
