-- 0054_nudge: who was asked to finish and sign a note that they began, and has not looked yet. The channel of migration 0005 has one
-- more kind of line, which moves no version either:
--   0 nudge 9f0c…     that person was asked, has looked, or the note was signed

-- +goose Up
CREATE TABLE nudge (
    id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    note_id uuid        NOT NULL REFERENCES note (id),
    to_id   uuid        NOT NULL REFERENCES person (id), -- who began it
    by_id   uuid        NOT NULL REFERENCES person (id),
    at      timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz,
    CHECK (by_id <> to_id)
);
CREATE INDEX nudge_note ON nudge (note_id, at DESC);
CREATE INDEX nudge_to ON nudge (to_id, at DESC) WHERE seen_at IS NULL;
COMMENT ON TABLE nudge IS 'Somebody asked whoever began a note to sign it. Their pages say so until they have looked, or it is signed.';

-- +goose StatementBegin
CREATE FUNCTION nudge_tells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('access', '0 nudge ' || NEW.to_id);
    PERFORM tell_unit(bed.unit_id) FROM note JOIN stay ON stay.patient_id = note.patient_id JOIN bed ON bed.id = stay.bed_id WHERE note.id = NEW.note_id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER nudge_tells AFTER INSERT OR UPDATE ON nudge FOR EACH ROW EXECUTE FUNCTION nudge_tells();
-- +goose StatementBegin
CREATE FUNCTION note_answers_nudge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('access', '0 nudge ' || to_id) FROM nudge WHERE note_id = NEW.id AND seen_at IS NULL;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER note_answers_nudge AFTER UPDATE OF state ON note FOR EACH ROW
    WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION note_answers_nudge();

-- +goose Down
DROP TRIGGER note_answers_nudge ON note;
DROP FUNCTION note_answers_nudge;
DROP TABLE nudge;
DROP FUNCTION nudge_tells;
