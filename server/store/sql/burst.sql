-- burst records that people begin to edit notes, in the transaction of append.sql, behind it.
-- $1 note ids, $2 author ids, $3 session ids, $4 the seq of the first update: arrays of one length, an element a burst.
-- Whose update was not taken has not begun. Each says how far the note's log has come, and what it is up to there.
INSERT INTO audit_event (act, outcome, who, patient_id, note_id, about, code)
SELECT 'note.edit', 'done', begun.author_id, note.patient_id, note.id, begun.session_id, 
       'seq=' || begun.seq || ' head=' || note.head || ' chain=' || encode(note.chain, 'base64')
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[]) AS begun (note_id, author_id, session_id, seq)
  JOIN note ON note.id = begun.note_id
 WHERE EXISTS (SELECT FROM note_update
                WHERE note_update.note_id = begun.note_id AND note_update.seq = begun.seq AND note_update.author_id = begun.author_id);
