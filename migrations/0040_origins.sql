-- 0040_origins: how text came into a note, where its log does not say.

-- +goose Up
-- What an editor says of its own text. It can only make text look less like typed than its log does, but for what came at
-- once after a line was down.
CREATE TABLE note_declared (
    note_id    uuid        NOT NULL REFERENCES note (id),
    person_id  uuid        NOT NULL REFERENCES person (id), -- whose editor it was
    client_id  bigint      NOT NULL,
    from_clock bigint      NOT NULL CHECK (from_clock >= 0),
    to_clock   bigint      NOT NULL CHECK (to_clock > from_clock), -- the clocks from_clock … to_clock - 1
    how        text        NOT NULL CHECK (how IN ('pasted', 'offline')),
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (note_id, person_id, client_id, from_clock, how)
);
COMMENT ON TABLE note_declared IS 'Rows are added, never changed. Whether the client id is that person''s is looked at when it is read.';
CREATE TRIGGER note_declared_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON note_declared
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

CREATE TABLE note_carried (
    note_id    uuid        NOT NULL REFERENCES note (id),
    client_id  bigint      NOT NULL,
    from_clock bigint      NOT NULL CHECK (from_clock >= 0),
    to_clock   bigint      NOT NULL CHECK (to_clock > from_clock),
    source_id  uuid        NOT NULL REFERENCES note (id),   -- an earlier note of the same patient that says the same
    author_id  uuid        REFERENCES person (id),          -- who wrote it first; NULL: nobody knows
    written_at timestamptz NOT NULL,                        -- and when
    PRIMARY KEY (note_id, client_id, from_clock)
);
COMMENT ON TABLE note_carried IS 'Derived from the logs of two notes; safe to delete, with note_compared.';
CREATE TABLE note_compared (
    note_id uuid PRIMARY KEY REFERENCES note (id),
    seq     bigint NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE note_compared IS 'Up to which row note_carried has what was inserted at once.';

-- +goose Down
DROP TABLE note_compared, note_carried, note_declared;
