-- 0030_audit: the log of who did what (I8; server/audit).
-- An act is a row of audit_event, inserted by its own transaction. The sequencer (server/store/sequence.go) gives rows whose
-- transactions are over their places, in audit_order, without a gap, and adds them to a Merkle tree, in audit_tile, whose root
-- it signs, in audit_checkpoint. What names nobody but by id is in the clear: a row's leaf is made of it. From where somebody
-- acted, and what they looked for, is sealed.

-- +goose Up
CREATE TABLE audit_event (
    n          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid        xid8        NOT NULL DEFAULT pg_current_xact_id(),
    id         uuid        NOT NULL DEFAULT gen_random_uuid(), -- random, so that nobody guesses which leaf a hash is of
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    act        text        NOT NULL CHECK (octet_length(act) BETWEEN 1 AND 40),
    outcome    text        NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
    who        uuid,                                           -- NULL: the server, or its operator
    patient_id uuid,
    note_id    uuid,
    about      uuid,                                           -- a person, a token, broken glass
    code       text        NOT NULL CHECK (octet_length(code) <= 200),
    commitment bytea       CHECK (octet_length(commitment) = 32),
    details    bytea       CHECK ((details IS NULL) = (commitment IS NULL)) -- sealed
);
COMMENT ON TABLE audit_event IS 'Who did what. Rows are added, never changed. References would keep what they name from going.';
CREATE INDEX audit_event_to_sequence ON audit_event (xid, n);
CREATE INDEX audit_event_who ON audit_event (who, n) WHERE who IS NOT NULL;
CREATE INDEX audit_event_patient ON audit_event (patient_id, n) WHERE patient_id IS NOT NULL;
CREATE INDEX audit_event_at ON audit_event USING brin (at);

CREATE TABLE audit_order (
    seq bigint PRIMARY KEY CHECK (seq >= 0), -- 0, 1, 2, without a gap
    n   bigint NOT NULL UNIQUE               -- of audit_event
);
COMMENT ON TABLE audit_order IS 'The place of each entry in the log. Rows are added, never changed.';

CREATE TABLE audit_tile (
    level smallint NOT NULL,
    n     bigint   NOT NULL,
    data  bytea    NOT NULL CHECK (octet_length(data) BETWEEN 32 AND 8192), -- up to 256 hashes; one with fewer grows
    PRIMARY KEY (level, n)
);
ALTER TABLE audit_tile ALTER data SET STORAGE EXTERNAL; -- hashes cannot be compressed
COMMENT ON TABLE audit_tile IS 'The Merkle tree over the log, in tiles eight levels high (C2SP tlog-tiles).';

-- Data keys of the log: the newest seals what is new.
ALTER TABLE data_key DROP CONSTRAINT data_key_scope_check, ADD CONSTRAINT data_key_scope_check CHECK (scope IN (1, 2, 3, 4, 10));

CREATE TABLE audit_signer (
    id      integer     PRIMARY KEY CHECK (id > 0),
    keys    text        NOT NULL,         -- public, with the name of the log
    seed    bytea       NOT NULL,         -- sealed
    made_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE audit_signer IS 'Who signs checkpoints. Rows are added, never changed.';

CREATE TABLE audit_checkpoint (
    size bigint      NOT NULL,
    at   timestamptz NOT NULL,
    note text        NOT NULL,            -- signed by both keys
    PRIMARY KEY (size, at)
);
COMMENT ON TABLE audit_checkpoint IS 'Signed roots of the tree, one for each size that was signed. Rows are added, never changed.';

CREATE TABLE audit_head (
    single  boolean PRIMARY KEY DEFAULT true CHECK (single), -- one row
    size    bigint      NOT NULL DEFAULT 0,
    xid     xid8        NOT NULL DEFAULT '0',  -- the last row that was sequenced
    n       bigint      NOT NULL DEFAULT 0,
    cluster bigint      NOT NULL,              -- whose transaction numbers these are
    settled bigint      NOT NULL DEFAULT 0,    -- up to which n rows came from another cluster, and are sequenced
    newest  text,                              -- checkpoint, signed again while nothing happens
    signed  timestamptz NOT NULL DEFAULT 'epoch'
) WITH (fillfactor = 20);                      -- it changes several times a second: leave room for HOT updates
INSERT INTO audit_head (cluster) SELECT system_identifier FROM pg_control_system();
COMMENT ON TABLE audit_head IS 'How far the log is sequenced. It is derived from the tables above.';

-- +goose StatementBegin
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_event_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_order_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_order FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_signer_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_signer FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_checkpoint_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_tile_is_kept BEFORE DELETE OR TRUNCATE ON audit_tile FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_head_is_kept BEFORE DELETE OR TRUNCATE ON audit_head FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

-- A server whose role is not the tables' owner may insert, and nothing else. An owner's rights are taken from it as well; it
-- could give them to itself again, which is one thing more to do, and to be seen doing.
REVOKE UPDATE, DELETE, TRUNCATE ON audit_event, audit_order, audit_signer, audit_checkpoint FROM CURRENT_USER, PUBLIC;
REVOKE DELETE, TRUNCATE ON audit_tile, audit_head FROM CURRENT_USER, PUBLIC;

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN
    IF EXISTS (SELECT FROM audit_event) THEN RAISE EXCEPTION 'acts are on record'; END IF;
END $$;
-- +goose StatementEnd
DROP TABLE audit_head, audit_checkpoint, audit_signer, audit_tile, audit_order, audit_event;
DROP FUNCTION refuse_audit_change;
DELETE FROM data_key WHERE scope = 10;
ALTER TABLE data_key DROP CONSTRAINT data_key_scope_check, ADD CONSTRAINT data_key_scope_check CHECK (scope IN (1, 2, 3, 4));
