-- 0009_shown: a client id that was shown stays its person's while they are away.
-- Everybody at a note learns the client ids of its windows from presence. One under which nothing is written yet would be
-- free again as soon as the session ends, and whoever knows it could take it from a window that is offline and has
-- unsent edits under it (I3). Whose it is is known from who took part and what they showed.

-- +goose Up
ALTER TABLE participation ADD COLUMN client_id bigint CHECK (client_id BETWEEN 0 AND 9007199254740991);
COMMENT ON COLUMN participation.client_id IS 'The Yjs client id that was shown to others; NULL: none, or one that had written already.';
CREATE INDEX session_note ON session (note_id, started_at);

-- Who was away long may bring all of it at once (sessions.MaxStep2).
ALTER TABLE note_update
    DROP CONSTRAINT note_update_data_check,
    ADD CONSTRAINT note_update_data_check CHECK (octet_length(data) BETWEEN 2 AND 1 << 23) NOT VALID;

-- +goose Down
ALTER TABLE note_update
    DROP CONSTRAINT note_update_data_check,
    ADD CONSTRAINT note_update_data_check CHECK (octet_length(data) BETWEEN 2 AND 1 << 21) NOT VALID;
DROP INDEX session_note;
ALTER TABLE participation DROP COLUMN client_id;
