-- 0056_receiver: who takes over from a handoff signs that they have read it back.

-- +goose Up
ALTER TABLE note_signature DROP CONSTRAINT note_signature_meaning_check,
    ADD CONSTRAINT note_signature_meaning_check CHECK (meaning IN ('author', 'cosign', 'witness', 'receiver'));

-- +goose Down
ALTER TABLE note_signature DROP CONSTRAINT note_signature_meaning_check,
    ADD CONSTRAINT note_signature_meaning_check CHECK (meaning IN ('author', 'cosign', 'witness'));
