-- 0046_purge_signed: what a note was when it was signed, and edits that came too late for it, go with it when its time is over (0045). Who signed
-- it, when, and what it was about, stays: the statements are sealed by keys that go.

-- +goose Up
DROP TRIGGER note_signed_is_kept ON note_signed;
DROP TRIGGER late_edit_is_append_only ON late_edit;
DROP TRIGGER late_edit_settled_is_append_only ON late_edit_settled;
CREATE TRIGGER note_signed_is_kept BEFORE UPDATE OR TRUNCATE ON note_signed FOR EACH STATEMENT EXECUTE FUNCTION refuse_signature_change();
CREATE TRIGGER late_edit_is_append_only BEFORE UPDATE OR TRUNCATE ON late_edit FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER late_edit_settled_is_append_only BEFORE UPDATE OR TRUNCATE ON late_edit_settled FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER note_signed_is_purged_only AFTER DELETE ON note_signed REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION keep_unless_purged();
CREATE TRIGGER late_edit_is_purged_only AFTER DELETE ON late_edit REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION keep_unless_purged();
CREATE TRIGGER late_edit_settled_is_purged_only AFTER DELETE ON late_edit_settled REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION keep_unless_purged();

-- +goose Down
DROP TRIGGER late_edit_settled_is_purged_only ON late_edit_settled;
DROP TRIGGER late_edit_is_purged_only ON late_edit;
DROP TRIGGER note_signed_is_purged_only ON note_signed;
DROP TRIGGER late_edit_settled_is_append_only ON late_edit_settled;
DROP TRIGGER late_edit_is_append_only ON late_edit;
DROP TRIGGER note_signed_is_kept ON note_signed;
CREATE TRIGGER note_signed_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON note_signed FOR EACH STATEMENT EXECUTE FUNCTION refuse_signature_change();
CREATE TRIGGER late_edit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON late_edit FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER late_edit_settled_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON late_edit_settled FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
