-- 0071_marks: records that are written over, such as who a patient is, have a number, and the log of acts says, each time, that it is this
-- number now, with a keyed hash: an earlier record, put back, is found by one probe (server/store/marks.go). Threads of comments, which about names, grow likewise.

-- +goose Up
CREATE INDEX audit_event_mark ON audit_event (coalesce(about, patient_id), act, (substring(code FROM 'rev=([0-9]{1,18}) mark=')::bigint) DESC NULLS LAST)
 WHERE code LIKE '%rev=% mark=%';
ALTER TABLE sealing ADD COLUMN marks boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN sealing.marks IS 'The log of acts says of every record which it is.';

-- +goose Down
ALTER TABLE sealing DROP COLUMN marks;
DROP INDEX audit_event_mark;
