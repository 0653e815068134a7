-- 0072_fresh: data keys may be given up at once, as after somebody has seen what they seal, or the key that they are wrapped to.

-- +goose Up
ALTER TABLE sealing ADD COLUMN fresh_since timestamptz;
COMMENT ON COLUMN sealing.fresh_since IS 'What notes and the log of acts say from then on is sealed by data keys that were made since.';

-- +goose Down
ALTER TABLE sealing DROP COLUMN fresh_since;
