-- The log of every note, and what is derived from it (I1, I2, I4).

-- +goose Up
CREATE TABLE note (
    id         uuid PRIMARY KEY,
    patient_id uuid        NOT NULL REFERENCES patient (id),
    unit_id    text        NOT NULL REFERENCES unit (id),
    kind       text        NOT NULL,       -- a code of package notekind
    title      text        NOT NULL,
    state      text        NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'signed')),
    head       bigint      NOT NULL DEFAULT 0 CHECK (head >= 0), -- seq of the newest row in note_update
    created_by uuid        NOT NULL REFERENCES person (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    edited_at  timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);                  -- head moves with every commit: leave room for HOT updates
CREATE INDEX note_patient ON note (patient_id);
CREATE INDEX note_unit ON note (unit_id);
COMMENT ON COLUMN note.head IS 'Advanced only under the row lock that also inserts note_update rows, so seq has no gap and no duplicate.';

-- One sitting of people at a note: from the first one who opens it until the last one leaves.
CREATE TABLE session (
    id         uuid PRIMARY KEY,
    note_id    uuid        NOT NULL REFERENCES note (id),
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz                 -- NULL: live, or cut off by a crash until the next start mends it
);
CREATE INDEX session_started_at ON session (started_at DESC);
CREATE INDEX session_live ON session (note_id) WHERE ended_at IS NULL;

CREATE TABLE participation (
    id         uuid PRIMARY KEY,
    session_id uuid        NOT NULL REFERENCES session (id),
    person_id  uuid        NOT NULL REFERENCES person (id),
    joined_at  timestamptz NOT NULL DEFAULT now(),
    left_at    timestamptz
);
CREATE INDEX participation_session ON participation (session_id);

CREATE TABLE note_update (
    note_id    uuid        NOT NULL REFERENCES note (id),
    seq        bigint      NOT NULL CHECK (seq > 0),  -- per note: 1, 2, 3, without a gap
    author_id  uuid        NOT NULL REFERENCES person (id),
    session_id uuid        REFERENCES session (id),   -- NULL: written when the note was created
    data       bytea       NOT NULL CHECK (octet_length(data) BETWEEN 2 AND 1 << 21), -- a Yjs update, v1
    at         timestamptz NOT NULL DEFAULT now(),    -- the server's clock
    PRIMARY KEY (note_id, seq)
);
CREATE INDEX note_update_session ON note_update (session_id, author_id) WHERE session_id IS NOT NULL;
COMMENT ON TABLE note_update IS 'The log: rows are added, never changed.';

CREATE TABLE note_base (
    note_id uuid        NOT NULL REFERENCES note (id),
    seq     bigint      NOT NULL CHECK (seq > 0),     -- data holds the merged rows 1 … seq
    data    bytea       NOT NULL,
    sum     bytea       NOT NULL CHECK (octet_length(sum) = 32), -- SHA-256 of data
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (note_id, seq)
);
COMMENT ON TABLE note_base IS 'Derived from the log, decoded again and compared before it was stored; safe to delete.';

-- The receipt of a commit. A batch whose outcome is unknown is sent again under the same id;
-- the primary key then says that it had been committed, and the row says as what.
CREATE TABLE batch (
    id        uuid PRIMARY KEY,
    note_ids  uuid[]      NOT NULL,
    first_seq bigint[]    NOT NULL,        -- of each note above
    at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX batch_at ON batch (at);

-- +goose StatementBegin
CREATE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log of a note is append-only' USING ERRCODE = 'restrict_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER note_update_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON note_update
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- +goose Down
DROP TABLE batch, note_base, note_update, participation, session, note;
DROP FUNCTION refuse_rewrite;
