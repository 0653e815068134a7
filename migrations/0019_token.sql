-- 0019_token: what a token is for, who has issued it, and when it was last used.

-- +goose Up
ALTER TABLE api_token
    ADD COLUMN id      uuid   NOT NULL DEFAULT gen_random_uuid() UNIQUE,       -- names it to people, and opens nothing
    ADD COLUMN label   text   NOT NULL DEFAULT '' CHECK (length(label) <= 100),
    ADD COLUMN scopes  text[] NOT NULL DEFAULT '{}' CHECK (scopes <@ ARRAY['notes:read', 'notes:write', 'accesses:read']),
    ADD COLUMN unit_id text REFERENCES unit (id),
    ADD COLUMN by_id   uuid REFERENCES person (id) ON DELETE SET NULL,         -- NULL: the operator
    ADD COLUMN used_at timestamptz,                                            -- to the hour
    ADD CONSTRAINT api_token_unit CHECK ((scopes && ARRAY['notes:read', 'notes:write']) = (unit_id IS NOT NULL)),
    ADD CONSTRAINT api_token_ends CHECK (expires_at <= created_at + interval '366 days');
CREATE INDEX api_token_person ON api_token (person_id);
COMMENT ON COLUMN api_token.scopes IS 'Of a program. Without any, it speaks for a person, and may do what they may.';

-- +goose Down
DELETE FROM api_token WHERE scopes <> '{}'; -- the program before this one would let them do anything
DROP INDEX api_token_person;
ALTER TABLE api_token DROP CONSTRAINT api_token_ends,
    DROP COLUMN id, DROP COLUMN label, DROP COLUMN scopes, DROP COLUMN unit_id, DROP COLUMN by_id, DROP COLUMN used_at;
