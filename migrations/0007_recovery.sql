-- 0007_recovery: what a restore of an older database took away comes back from browsers that still have it.
-- Browsers hold a note whole, others' text too, which they may not send: it is not theirs (I3). While an operator has
-- opened a note for recovery its writers may, and each piece of text is marked with who brought it back.

-- +goose Up
ALTER TABLE note ADD COLUMN recovery_until timestamptz;
COMMENT ON COLUMN note.recovery_until IS 'Until then writers may bring text that others wrote. NULL: never opened for it.';

ALTER TABLE writer ALTER COLUMN person_id DROP NOT NULL;
COMMENT ON COLUMN writer.person_id IS 'NULL: its text was recovered, and nobody knows whose it was. It becomes whose writes on under it.';

CREATE TABLE recovered (
    note_id    uuid        NOT NULL REFERENCES note (id),
    client_id  bigint      NOT NULL,
    from_clock bigint      NOT NULL CHECK (from_clock >= 0),
    to_clock   bigint      NOT NULL CHECK (to_clock > from_clock), -- the clocks from_clock … to_clock - 1
    by_id      uuid        NOT NULL REFERENCES person (id),        -- who brought them, not who wrote them
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (note_id, client_id, from_clock)
);
COMMENT ON TABLE recovered IS 'Text that somebody else brought back: rows are added, never changed.';
CREATE TRIGGER recovered_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recovered
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

DROP TRIGGER note_changes_access ON note;
CREATE TRIGGER note_changes_access AFTER UPDATE OF state, recovery_until ON note FOR EACH ROW
    WHEN ((OLD.state, OLD.recovery_until) IS DISTINCT FROM (NEW.state, NEW.recovery_until)) EXECUTE FUNCTION tell_access('note');

-- +goose Down
DROP TRIGGER note_changes_access ON note;
CREATE TRIGGER note_changes_access AFTER UPDATE OF state ON note FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION tell_access('note');
DROP TABLE recovered;
DELETE FROM writer WHERE person_id IS NULL;
ALTER TABLE writer ALTER COLUMN person_id SET NOT NULL;
ALTER TABLE note DROP COLUMN recovery_until;
