-- 0063_mentions: people are told more than that somebody asks them to sign: that a note names them, and that one which they have written in is
-- ready for review. Their pages say so until they have looked. Who is named is read behind the log, as tasks are.

-- +goose Up
ALTER TABLE nudge ADD COLUMN what text NOT NULL DEFAULT 'sign' CHECK (what IN ('sign', 'mention', 'review'));
COMMENT ON TABLE nudge IS 'What somebody''s pages tell them of a note, until they have looked or it is over: they are asked to sign it, it names them, it is ready for review.';

CREATE TABLE note_mention (
    note_id   uuid   NOT NULL REFERENCES note (id) ON DELETE CASCADE,
    -- The element of the document that the mention is.
    client    bigint NOT NULL,
    clock     bigint NOT NULL,
    person_id uuid   NOT NULL REFERENCES person (id),
    PRIMARY KEY (note_id, client, clock)
);
COMMENT ON TABLE note_mention IS 'Whom a note names, up to where note_tasked says; derived from the log. After somebody deletes both, people are told again.';

-- Boards show who was asked to sign, and nothing else of this.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION nudge_tells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM pg_notify('access', '0 nudge ' || OLD.to_id);
        RETURN NULL;
    END IF;
    PERFORM pg_notify('access', '0 nudge ' || NEW.to_id);
    IF NEW.what = 'sign' THEN
        PERFORM tell_unit(bed.unit_id) FROM note JOIN stay ON stay.patient_id = note.patient_id JOIN bed ON bed.id = stay.bed_id WHERE note.id = NEW.note_id;
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER nudge_ends_tells AFTER DELETE ON nudge FOR EACH ROW EXECUTE FUNCTION nudge_tells();

-- Who may cosign is told of a note by a count, whether or not they are told of it besides.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION note_answers_nudge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('access', '0 nudge ' || to_id) FROM nudge WHERE note_id = NEW.id AND seen_at IS NULL;
    PERFORM pg_notify('access', '0 nudge ' || NEW.created_by);
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- What is destroyed names nobody.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION destroyed_has_no_tasks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM note_task WHERE note_id = NEW.id;
    DELETE FROM note_mention WHERE note_id = NEW.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER nudge_ends_tells ON nudge;
DROP TABLE note_mention;
DELETE FROM nudge WHERE what <> 'sign';
ALTER TABLE nudge DROP COLUMN what;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION nudge_tells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('access', '0 nudge ' || NEW.to_id);
    PERFORM tell_unit(bed.unit_id) FROM note JOIN stay ON stay.patient_id = note.patient_id JOIN bed ON bed.id = stay.bed_id WHERE note.id = NEW.note_id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION note_answers_nudge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('access', '0 nudge ' || to_id) FROM nudge WHERE note_id = NEW.id AND seen_at IS NULL;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION destroyed_has_no_tasks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM note_task WHERE note_id = NEW.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
