-- 0020_follow: a program reads who opens records, page by page, and goes on where it was.

-- +goose Up
ALTER TABLE opening ADD COLUMN id bigint NOT NULL GENERATED ALWAYS AS IDENTITY;
CREATE INDEX opening_follow ON opening (at, id);
COMMENT ON COLUMN opening.id IS 'Tells apart what happened at one time; its order says nothing.';

-- +goose Down
DROP INDEX opening_follow;
ALTER TABLE opening DROP COLUMN id;
