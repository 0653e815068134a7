-- 0025_sealed_notes: what notes say is sealed (server/vault): updates, bases and bursts.

-- +goose Up
CREATE TABLE note_key (
    note_id    uuid        NOT NULL REFERENCES note (id),
    epoch      integer     NOT NULL CHECK (epoch > 0),
    from_seq   bigint      NOT NULL CHECK (from_seq > 0), -- the note's next row when it was made
    kek        bytea       NOT NULL REFERENCES kek (id),
    wrapped    bytea       NOT NULL,
    commitment bytea       NOT NULL CHECK (octet_length(commitment) = 32),
    tag        bytea       NOT NULL CHECK (octet_length(tag) = 32),
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (note_id, epoch)
);
COMMENT ON TABLE note_key IS 'Wrapped data keys of notes. The newest seals what is new; without one of them what it sealed is gone.';

-- Notes of before are sealed by the first server that starts with a key, note by note (server/store/sealnotes.go).
ALTER TABLE kek ADD COLUMN notes_sealed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN kek.notes_sealed IS 'Every note is: rows of the log are never changed any more.';

-- A sealed update is 33 bytes longer.
ALTER TABLE note_update
    DROP CONSTRAINT note_update_data_check,
    ADD CONSTRAINT note_update_data_check CHECK (octet_length(data) BETWEEN 35 AND (1 << 21) + 33) NOT VALID;
COMMENT ON COLUMN note_update.data IS 'A Yjs update, v1, sealed for this note, seq, author and session.';
COMMENT ON COLUMN note_burst.data IS 'Rows, packed (sessions/burst.go), behind their own checksum; sealed.';
COMMENT ON COLUMN note_burst.sum IS 'SHA-256 of what note_update held, sealed as it was there.';
COMMENT ON COLUMN note_base.sum IS 'SHA-256 of data, which is sealed.';

-- +goose StatementBegin
CREATE FUNCTION refuse_resealing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM kek WHERE NOT notes_sealed) THEN
        RAISE EXCEPTION 'the log of a note is append-only' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
DROP TRIGGER note_update_is_append_only ON note_update;
DROP TRIGGER note_burst_is_append_only ON note_burst;
CREATE TRIGGER note_update_is_append_only BEFORE TRUNCATE ON note_update FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER note_burst_is_append_only BEFORE DELETE OR TRUNCATE ON note_burst FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER note_update_is_sealed_once BEFORE UPDATE ON note_update FOR EACH STATEMENT EXECUTE FUNCTION refuse_resealing();
CREATE TRIGGER note_burst_is_sealed_once BEFORE UPDATE ON note_burst FOR EACH STATEMENT EXECUTE FUNCTION refuse_resealing();

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN
    IF EXISTS (SELECT FROM note_key) THEN RAISE EXCEPTION 'some notes are sealed'; END IF;
END $$;
-- +goose StatementEnd
DROP TRIGGER note_update_is_sealed_once ON note_update;
DROP TRIGGER note_burst_is_sealed_once ON note_burst;
DROP TRIGGER note_update_is_append_only ON note_update;
DROP TRIGGER note_burst_is_append_only ON note_burst;
CREATE TRIGGER note_update_is_append_only BEFORE UPDATE OR TRUNCATE ON note_update
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER note_burst_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON note_burst
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
DROP FUNCTION refuse_resealing;
ALTER TABLE note_update
    DROP CONSTRAINT note_update_data_check,
    ADD CONSTRAINT note_update_data_check CHECK (octet_length(data) BETWEEN 2 AND 1 << 21);
COMMENT ON COLUMN note_update.data IS NULL;
COMMENT ON COLUMN note_burst.data IS NULL;
COMMENT ON COLUMN note_burst.sum IS NULL;
COMMENT ON COLUMN note_base.sum IS NULL;
ALTER TABLE kek DROP COLUMN notes_sealed;
DROP TABLE note_key;
