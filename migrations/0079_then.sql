-- 0079_then: sessions say what was then, and are found by when they went on; whoever is given a signed note can follow its log.

-- +goose Up
ALTER TABLE session ADD COLUMN bed text NOT NULL DEFAULT '';
COMMENT ON COLUMN session.bed IS 'Where the patient lay when it began. Empty: in no bed, or it began before this was kept.';

-- Live ones go on. A clock that was put back makes no session end before it began.
CREATE INDEX session_went_on ON session USING gist (tstzrange(started_at, greatest(started_at, coalesce(ended_at, 'infinity')), '[]'));

-- How often somebody has held a note still.
CREATE INDEX audit_event_freeze ON audit_event (note_id, at) WHERE act = 'note.freeze';

-- Links of the rows of a note can be computed by who has not its key, but for those of the versions before.
ALTER TABLE note ADD COLUMN links_from bigint NOT NULL DEFAULT 1;
COMMENT ON COLUMN note.links_from IS 'Seq of the first row whose link is made of its cover (docs/adr/0008-chains-of-notes.md); links before are keyed.';
ALTER TABLE note DISABLE TRIGGER USER;
UPDATE note SET links_from = head + 1 WHERE head > 0;
ALTER TABLE note ENABLE TRIGGER USER;

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN
    IF EXISTS (SELECT FROM note WHERE head >= links_from) THEN RAISE EXCEPTION 'notes have links that versions before do not know'; END IF;
END $$;
-- +goose StatementEnd
ALTER TABLE note DROP COLUMN links_from;
DROP INDEX audit_event_freeze, session_went_on;
ALTER TABLE session DROP COLUMN bed;
