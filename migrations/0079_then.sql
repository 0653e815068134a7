-- 0079_then: sessions say what was then, and are found by when they went on.

-- +goose Up
ALTER TABLE session ADD COLUMN bed text NOT NULL DEFAULT '';
COMMENT ON COLUMN session.bed IS 'Where the patient lay when it began. Empty: in no bed, or it began before this was kept.';

-- Live ones go on. A clock that was put back makes no session end before it began.
CREATE INDEX session_went_on ON session USING gist (tstzrange(started_at, greatest(started_at, coalesce(ended_at, 'infinity')), '[]'));

-- +goose Down
DROP INDEX session_went_on;
ALTER TABLE session DROP COLUMN bed;
