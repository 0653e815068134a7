-- 0028_recovery: each data key is wrapped a second time, to a key whose secret half people keep in shares, and no server has.

-- +goose Up
ALTER TABLE data_key
    ADD COLUMN recovery         bytea CHECK (octet_length(recovery) = 16),     -- which key; NULL: none
    ADD COLUMN recovery_wrapped bytea,
    ADD COLUMN recovery_tag     bytea CHECK (octet_length(recovery_tag) = 32),
    ADD CHECK (num_nulls(recovery, recovery_wrapped, recovery_tag) IN (0, 3));

-- +goose Down
ALTER TABLE data_key DROP COLUMN recovery, DROP COLUMN recovery_wrapped, DROP COLUMN recovery_tag;
