-- 0049_moves: what editors say that their edits moved or put back, so that it stays whose it was (docs/adr/0010-moves.md).
-- Whoever reads a note's log looks whether it is true. What an update moved is no longer found by its text alone, nor kept.

-- +goose Up
CREATE TABLE note_moved (
    note_id      uuid        NOT NULL REFERENCES note (id),
    person_id    uuid        NOT NULL REFERENCES person (id), -- whose editor it was
    client_id    bigint      NOT NULL,                        -- elements of this client repeat others:
    from_clock   bigint      NOT NULL CHECK (from_clock >= 0),
    to_clock     bigint      NOT NULL CHECK (to_clock > from_clock), -- all of them are from_clock … to_clock - 1
    clocks       bigint[]    NOT NULL,
    lengths      bigint[]    NOT NULL,
    from_clients bigint[]    NOT NULL,
    from_clocks  bigint[]    NOT NULL,
    after        bigint      NOT NULL,                        -- the note's newest row then
    pieces       bigint      NOT NULL,                        -- of this person in this note, with these
    at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (note_id, client_id, to_clock, from_clock, person_id)
);
CREATE INDEX note_moved_person ON note_moved (note_id, person_id, pieces);
COMMENT ON TABLE note_moved IS 'Rows are added, never changed. Each was stored before the rows of the log of which it speaks: those behind after.';
CREATE TRIGGER note_moved_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON note_moved
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

DROP TABLE note_copy;
COMMENT ON TABLE note_searched IS 'Up to which update note_loss has everything. What comes later is searched when the note is opened.';

-- +goose Down
CREATE TABLE note_copy (
    note_id      uuid     NOT NULL,
    seq          bigint   NOT NULL,
    to_clients   bigint[] NOT NULL,
    to_clocks    bigint[] NOT NULL,
    from_clients bigint[] NOT NULL,
    from_clocks  bigint[] NOT NULL,
    lengths      bigint[] NOT NULL,
    PRIMARY KEY (note_id, seq),
    CONSTRAINT note_copy_note_id_fkey FOREIGN KEY (note_id) REFERENCES note (id)
);
COMMENT ON TABLE note_copy IS 'Derived from the log; rows are added, never changed.';
CREATE TRIGGER note_copy_is_append_only BEFORE UPDATE OR TRUNCATE ON note_copy FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER note_copy_is_purged_only AFTER DELETE ON note_copy REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION keep_unless_purged();
DROP TABLE note_moved;
