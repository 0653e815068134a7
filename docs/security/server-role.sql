-- A role for the server that is not the tables' owner, which it cannot become. The owner migrates (tidechart serve, once, or any command
-- that opens the database) and runs this, anew after each upgrade; the server runs as tidechart_server.
-- Of the log of acts it can add, and neither change nor remove; of notes' logs it can remove only what it has folded, by a trigger.
-- It is tried by TestServerRole.

GRANT USAGE ON SCHEMA public TO tidechart_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO tidechart_server;

REVOKE UPDATE, DELETE ON audit_event, audit_order, audit_signer, audit_checkpoint FROM tidechart_server;
REVOKE DELETE ON audit_tile, audit_head FROM tidechart_server;
REVOKE UPDATE ON note_update FROM tidechart_server;
REVOKE UPDATE, DELETE ON note_signer, note_signature, note_signed, note_about, late_edit, late_edit_settled FROM tidechart_server;
REVOKE UPDATE, DELETE ON note_burst, thread_act, goose_db_version FROM tidechart_server;
REVOKE DELETE ON thread FROM tidechart_server;
REVOKE INSERT ON goose_db_version FROM tidechart_server;

-- It purges nothing: tidechart retention is run by the owner.
REVOKE INSERT, UPDATE, DELETE ON retention_class, retention_run, purged FROM tidechart_server;

-- Old checkpoints go by this function alone, which lets no others go.
GRANT EXECUTE ON FUNCTION thin_checkpoints TO tidechart_server;
