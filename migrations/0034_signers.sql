-- 0034_signers: the log's signing keys change, each pair named by the one before; and of old checkpoints some go.

-- +goose Up
ALTER TABLE audit_signer ADD COLUMN statement text; -- signed by the keys before and by these; NULL: they are the first
COMMENT ON COLUMN audit_signer.statement IS 'That these keys go on where the ones before ended (server/audit/ring.go).';
ALTER TABLE audit_signer ADD CHECK ((id = 1) = (statement IS NULL)) NOT VALID;

-- Of checkpoints older than three days the newest of each hour stays, and of such as are older than 90 days the newest of each day.
-- +goose StatementBegin
CREATE FUNCTION keep_checkpoint() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    width text := CASE WHEN OLD.at < now() - interval '90 days' THEN 'day' ELSE 'hour' END;
BEGIN
    -- A row that goes sees which others have gone before it, so that whatever is deleted, one stays.
    IF OLD.at < now() - interval '3 days' AND EXISTS (
        SELECT FROM audit_checkpoint later
         WHERE later.at > OLD.at AND later.at < date_trunc(width, OLD.at, 'UTC') + ('1 ' || width)::interval
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';
END $$;
-- +goose StatementEnd
DROP TRIGGER audit_checkpoint_is_append_only ON audit_checkpoint;
CREATE TRIGGER audit_checkpoint_is_append_only BEFORE UPDATE OR TRUNCATE ON audit_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_checkpoint_is_thinned_only BEFORE DELETE ON audit_checkpoint FOR EACH ROW EXECUTE FUNCTION keep_checkpoint();
CREATE INDEX audit_checkpoint_at ON audit_checkpoint (at);

-- Whoever may call it deletes those, and no others; it needs no right to delete of its own.
-- +goose StatementBegin
CREATE FUNCTION thin_checkpoints(most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    WITH superfluous AS (
        SELECT checkpoint.size, checkpoint.at
          FROM audit_checkpoint checkpoint,
               LATERAL (SELECT CASE WHEN checkpoint.at < now() - interval '90 days' THEN 'day' ELSE 'hour' END AS width) of
         WHERE checkpoint.at < now() - interval '3 days' AND EXISTS (
               SELECT FROM audit_checkpoint later
                WHERE later.at > checkpoint.at AND later.at < date_trunc(of.width, checkpoint.at, 'UTC') + ('1 ' || of.width)::interval)
         ORDER BY checkpoint.at
         LIMIT most
    )
    DELETE FROM audit_checkpoint USING superfluous WHERE audit_checkpoint.size = superfluous.size AND audit_checkpoint.at = superfluous.at;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION thin_checkpoints FROM PUBLIC;
GRANT DELETE ON audit_checkpoint TO CURRENT_USER;

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN
    IF EXISTS (SELECT FROM audit_signer WHERE statement IS NOT NULL) THEN RAISE EXCEPTION 'signing keys were rotated'; END IF;
END $$;
-- +goose StatementEnd
REVOKE DELETE ON audit_checkpoint FROM CURRENT_USER;
DROP FUNCTION thin_checkpoints;
DROP INDEX audit_checkpoint_at;
DROP TRIGGER audit_checkpoint_is_thinned_only ON audit_checkpoint;
DROP TRIGGER audit_checkpoint_is_append_only ON audit_checkpoint;
CREATE TRIGGER audit_checkpoint_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
DROP FUNCTION keep_checkpoint;
ALTER TABLE audit_signer DROP COLUMN statement;
