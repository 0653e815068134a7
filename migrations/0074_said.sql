-- 0074_said: a signature says whose record the note is in, as its signer was shown, and what they say with it. The statement has both by
-- hash; the words are sealed by the note's keys, and go with them.

-- +goose Up
ALTER TABLE note_signature
    ADD COLUMN identity bytea CHECK (octet_length(identity) > 33), -- who the patient is; none: signed before
    ADD COLUMN remark   bytea CHECK (remark IS NULL OR octet_length(remark) > 33 AND identity IS NOT NULL);
COMMENT ON COLUMN note_signature.remark IS 'What the signer says with it, such as an attestation. None: nothing.';

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN
    IF EXISTS (SELECT FROM note_signature WHERE identity IS NOT NULL) THEN RAISE EXCEPTION 'notes were signed with who their patient is'; END IF;
END $$;
-- +goose StatementEnd
ALTER TABLE note_signature DROP COLUMN remark, DROP COLUMN identity;
