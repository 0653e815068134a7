-- 0021_factors: a login knows whether its person has shown more than a password.

-- +goose Up
ALTER TABLE login ADD COLUMN strong boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN login.strong IS 'By a passkey, a code beside the password, or at a provider. What else there is asks for that once more.';
UPDATE login SET strong = true WHERE issuer IS NOT NULL;

-- +goose Down
ALTER TABLE login DROP COLUMN strong;
