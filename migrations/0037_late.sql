-- 0037_late: edits that reach a note after its signature are kept beside it, whole, and never become part of it (I5).

-- +goose Up
CREATE TABLE late_edit (
    note_id    uuid        NOT NULL REFERENCES note (id),
    n          bigint      NOT NULL CHECK (n > 0),            -- per note: 1, 2, 3, without a gap
    author_id  uuid        NOT NULL REFERENCES person (id),
    session_id uuid        REFERENCES session (id),
    data       bytea       NOT NULL CHECK (octet_length(data) BETWEEN 35 AND (1 << 22) + 33), -- a Yjs update, v1; sealed
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (note_id, n)
);
CREATE INDEX late_edit_author ON late_edit (author_id, at);
COMMENT ON TABLE late_edit IS 'What came too late for its note. Rows are added, never changed.';

CREATE TABLE late_edit_settled (
    note_id   uuid        NOT NULL,
    n         bigint      NOT NULL,
    how       text        NOT NULL CHECK (how IN ('amended', 'set aside')),
    by_id     uuid        NOT NULL REFERENCES person (id),
    amendment uuid        REFERENCES note (id),                -- the note that was begun with it
    reason    bytea       CHECK (octet_length(reason) > 33),   -- sealed for the patient
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (note_id, n),
    FOREIGN KEY (note_id, n) REFERENCES late_edit (note_id, n),
    CHECK ((how = 'amended') = (amendment IS NOT NULL) AND (how = 'set aside') = (reason IS NOT NULL))
);
COMMENT ON TABLE late_edit_settled IS 'What its author did about it, once.';

CREATE TRIGGER late_edit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON late_edit FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER late_edit_settled_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON late_edit_settled FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN
    IF EXISTS (SELECT FROM late_edit) THEN RAISE EXCEPTION 'edits are kept beside signed notes'; END IF;
END $$;
-- +goose StatementEnd
DROP TABLE late_edit_settled, late_edit;
