-- 0048_reviews: what the review of sessions finds them by.

-- +goose Up
ALTER TABLE participation ADD COLUMN device text NOT NULL DEFAULT '' CHECK (length(device) <= 200);
COMMENT ON COLUMN participation.device IS 'The browser that somebody signed in with, or the token of a program, in words; empty: not known.';

DROP INDEX session_started_at;
CREATE INDEX session_started_at ON session (started_at, id);
CREATE INDEX session_words ON session (words, id);
CREATE INDEX participation_person ON participation (person_id, session_id);
CREATE INDEX audit_event_refused ON audit_event (note_id, at) WHERE outcome = 'refused' AND note_id IS NOT NULL;
CREATE INDEX note_loss_at ON note_loss (note_id, at);

-- +goose Down
DROP INDEX note_loss_at, audit_event_refused, participation_person, session_words, session_started_at;
CREATE INDEX session_started_at ON session (started_at DESC);
ALTER TABLE participation DROP COLUMN device;
