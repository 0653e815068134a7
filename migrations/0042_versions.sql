-- 0042_versions: versions of a note that somebody named, how its state went, and up to where each person has seen it.

-- +goose Up
CREATE TABLE version (
    id      uuid PRIMARY KEY,
    note_id uuid        NOT NULL REFERENCES note (id),
    seq     bigint      NOT NULL CHECK (seq > 0), -- as the note was after this row of its log
    name    bytea       NOT NULL CHECK (octet_length(name) > 33),
    by_id   uuid        NOT NULL REFERENCES person (id),
    at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX version_note ON version (note_id, seq);
COMMENT ON COLUMN version.name IS 'Sealed for the note: it may say what a record says, and goes with it.';

CREATE TABLE note_turn (
    note_id uuid        NOT NULL REFERENCES note (id),
    n       bigint      GENERATED ALWAYS AS IDENTITY,
    seq     bigint      NOT NULL,           -- its head then
    was     text        NOT NULL,
    state   text        NOT NULL,
    at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (note_id, n)
);
COMMENT ON TABLE note_turn IS 'How the state of a note went: the versions before and after each change of it are worth finding again.';
-- +goose StatementBegin
CREATE FUNCTION note_turns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO note_turn (note_id, seq, was, state) VALUES (NEW.id, NEW.head, OLD.state, NEW.state);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER note_turns_are_kept AFTER UPDATE OF state ON note FOR EACH ROW
    WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION note_turns();

-- Who leaves a note, or is shown it as a page, has seen it as it is then. What they come back to within ten minutes is one look.
CREATE TABLE last_look (
    person_id uuid        NOT NULL REFERENCES person (id),
    note_id   uuid        NOT NULL REFERENCES note (id),
    seq       bigint      NOT NULL,         -- the note's head at that time
    at        timestamptz NOT NULL DEFAULT now(),
    since_seq bigint      NOT NULL,         -- the same at the end of the look before
    PRIMARY KEY (person_id, note_id)
) WITH (fillfactor = 70);
COMMENT ON TABLE last_look IS 'What has changed since somebody looked is what came after seq, or while they look, after since_seq.';

-- +goose StatementBegin
CREATE FUNCTION look_at_note(who uuid, which uuid) RETURNS void LANGUAGE sql AS $$
    INSERT INTO last_look AS look (person_id, note_id, seq, since_seq)
    SELECT who, note.id, note.head, note.head FROM note WHERE note.id = which AND note.state <> 'destroyed'
        ON CONFLICT (person_id, note_id) DO UPDATE SET
           seq = excluded.seq, at = excluded.at,
           since_seq = CASE WHEN look.at < excluded.at - interval '10 minutes' THEN look.seq ELSE look.since_seq END;
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION leaver_has_looked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM look_at_note(NEW.person_id, (SELECT session.note_id FROM session WHERE session.id = NEW.session_id));
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER leaver_has_looked AFTER UPDATE OF left_at ON participation FOR EACH ROW
    WHEN (OLD.left_at IS NULL AND NEW.left_at IS NOT NULL) EXECUTE FUNCTION leaver_has_looked();

-- +goose Down
DROP TRIGGER leaver_has_looked ON participation;
DROP TRIGGER note_turns_are_kept ON note;
DROP FUNCTION leaver_has_looked, look_at_note, note_turns;
DROP TABLE last_look, note_turn, version;
