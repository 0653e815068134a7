package store_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/internal/needs"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
)

// one reads one value, as an operator with psql could.
func one[T any](t *testing.T, h hospital, sql string, args ...any) (value T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), h.url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// written is a note of n rows of one session, all of them in a base.
func (h hospital) written(t *testing.T, n int) (sessions.NoteID, sessions.SessionID) {
	t.Helper()
	note, session := h.newNote(t), uuid.New()
	if err := errors.Join(h.db.StartSession(t.Context(), session, note), h.db.StartParticipation(t.Context(), uuid.New(), session, h.author, "")); err != nil {
		t.Fatal(err)
	}
	b := sessions.Batch{ID: uuid.New()}
	for i := range n {
		b.Entries = append(b.Entries, sessions.Entry{Note: note, Author: h.author, Session: session, Update: fmt.Appendf(nil, "row %d of %d", i, n)})
	}
	if placed, err := h.db.Append(t.Context(), b); err != nil || len(placed) != 1 {
		t.Fatal(placed, err)
	}
	if err := h.db.SaveBase(t.Context(), note, uint64(n)+1, []byte{0, 0}); err != nil {
		t.Fatal(err)
	}
	return note, session
}

// log reads a note's whole log.
func (h hospital) log(t *testing.T, note sessions.NoteID) []sessions.Row {
	t.Helper()
	var log []sessions.Row
	for {
		rows, err := h.db.ReadLog(t.Context(), note, uint64(len(log)), 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) == 0 {
			return log
		}
		log = append(log, rows...)
	}
}

func later() time.Time { return time.Now().Add(time.Minute) }

// TestOnlyFoldedRowsGo: the database itself keeps whatever no burst holds, and every burst (I4).
func TestOnlyFoldedRowsGo(t *testing.T) {
	h := open(t)
	note, session := h.written(t, 20)
	// What a burst is to hold, as the database computes it, and ways in which it may hold something else.
	const sum = `(SELECT sha256(string_agg(int8send(seq) || timestamptz_send(at) || int4send(octet_length(data)) || data, ''::bytea ORDER BY seq))
	                FROM note_update WHERE note_id = $1 AND seq BETWEEN 2 AND 11)`
	const burst = `WITH b AS (INSERT INTO note_burst (note_id, first_seq, last_seq, author_id, session_id, last_at, data, sum) SELECT $1, %s, now(), 'x', %s) SELECT`
	for _, tt := range []struct{ name, burst, sum, delete string }{
		{"more than it holds", "2, 11, $2::uuid, $3::uuid", sum, "seq BETWEEN 2 AND 12"},
		{"less than it holds", "2, 11, $2::uuid, $3::uuid", sum, "seq BETWEEN 2 AND 10"},
		{"others than it holds", "2, 11, $2::uuid, $3::uuid", sum, "seq BETWEEN 3 AND 12"},
		{"other bytes", "2, 11, $2::uuid, $3::uuid", "sha256('x')", "seq BETWEEN 2 AND 11"},
		{"at other seqs", "3, 12, $2::uuid, $3::uuid", sum, "seq BETWEEN 3 AND 12"},
		{"by somebody else", "2, 11, (SELECT id FROM person WHERE id <> $2::uuid LIMIT 1), $3::uuid", sum, "seq BETWEEN 2 AND 11"},
		{"in no session", "2, 11, $2::uuid, NULLIF($3::uuid, $3::uuid)", sum, "seq BETWEEN 2 AND 11"},
		{"in no burst", "", "", "seq = 1"},
	} {
		conn, err := pgx.Connect(t.Context(), h.url)
		if err != nil {
			t.Fatal(err)
		}
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if tt.burst != "" {
			if _, err := tx.Exec(t.Context(), fmt.Sprintf(burst, tt.burst, tt.sum), note, h.author, session); err != nil {
				t.Fatal(tt.name, err)
			}
		}
		if _, err := tx.Exec(t.Context(), "DELETE FROM note_update WHERE note_id = $1 AND "+tt.delete, note); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("rows go that the log holds as %s: %v", tt.name, err)
		}
		_ = conn.Close(t.Context())
	}
	before := h.log(t, note)
	if done, err := h.db.Fold(t.Context(), note, later()); err != nil || done.Rows != 20 {
		t.Fatal(done, err)
	}
	for _, sql := range []string{"UPDATE note_burst SET data = 'xx'", "DELETE FROM note_burst", "TRUNCATE note_burst", "DELETE FROM note_update", "TRUNCATE note_update"} {
		if err := h.exec(t, sql); err == nil {
			t.Errorf("%s succeeded", sql)
		}
	}
	if after := h.log(t, note); len(before) != 21 || !slices.EqualFunc(before, after, sameRow) {
		t.Errorf("the log of %d rows has %d now, or others", len(before), len(after))
	}
	if n := one[int](t, h, "SELECT count(*) FROM note_update WHERE note_id = $1", note); n != 1 {
		t.Errorf("%d rows are left beside their burst, want 1", n)
	}
}

func sameRow(a, b sessions.Row) bool {
	return a.Seq == b.Seq && a.Author == b.Author && a.Session == b.Session && a.At.Equal(b.At) && string(a.Update) == string(b.Update)
}

// TestFoldEndsWithItsConnection: whatever ends it between its statements, all is as before, and the next try does it.
func TestFoldEndsWithItsConnection(t *testing.T) {
	h := open(t)
	note, _ := h.written(t, 20)
	before := h.log(t, note)
	ctx := t.Context()
	for _, table := range []string{"note_fold", "note_burst", "note_update"} { // it waits for each in turn
		holder, err := pgx.Connect(ctx, h.url)
		if err != nil {
			t.Fatal(err)
		}
		tx, err := holder.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		mode := "EXCLUSIVE" // which readers do not mind
		if _, err := tx.Exec(ctx, "LOCK TABLE "+table+" IN "+mode+" MODE"); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := h.db.Fold(ctx, note, later())
			ended <- err
		}()
		const waiting = `SELECT coalesce((SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() LIMIT 1), 0)`
		pid := 0
		for pid == 0 {
			pid = one[int](t, h, waiting)
		}
		if err := h.exec(t, "SELECT pg_terminate_backend($1)", pid); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err == nil {
			t.Errorf("waiting for %s: folded over a connection that ended", table)
		}
		_ = holder.Close(ctx)
		if n := one[int](t, h, "SELECT count(*) FROM note_burst"); n != 0 {
			t.Errorf("waiting for %s: %d bursts are left", table, n)
		}
		if after := h.log(t, note); !slices.EqualFunc(before, after, sameRow) {
			t.Errorf("waiting for %s: the log is another", table)
		}
	}
	if done, err := h.db.FoldLogs(ctx, later()); err != nil || done.Rows != 20 || done.Bursts != 1 {
		t.Errorf("FoldLogs = %+v, %v", done, err)
	}
	if done, err := h.db.FoldLogs(ctx, later()); err != nil || done.Rows != 0 { // an answer was lost, say
		t.Errorf("FoldLogs once more = %+v, %v", done, err)
	}
}

// TestFoldLogs: what cannot be folded keeps nothing else from it, and what is young stays; two servers may do it at once.
func TestFoldLogs(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	broken, _ := h.written(t, 30)
	if err := h.exec(t, "UPDATE note_base SET data = 'a bust' WHERE note_id = $1", broken); err != nil {
		t.Fatal(err)
	}
	var notes []sessions.NoteID
	for range 5 {
		note, _ := h.written(t, 20)
		notes = append(notes, note)
	}
	if done, err := h.db.FoldLogs(ctx, time.Now().Add(-time.Hour)); err != nil || done.Rows != 0 {
		t.Errorf("rows of this hour: %+v, %v", done, err)
	}
	second, err := store.Open(ctx, h.url, h.vault)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	other := make(chan sessions.Folded)
	go func() {
		done, _ := second.FoldLogs(ctx, later())
		other <- done
	}()
	done, err := h.db.FoldLogs(ctx, later())
	if err == nil || !strings.Contains(err.Error(), broken.String()) || !strings.Contains(err.Error(), "base is damaged") {
		t.Errorf("of a damaged base: %v", err)
	}
	if rows := done.Rows + (<-other).Rows; rows != 100 {
		t.Errorf("%d rows were folded by two, want 100", rows)
	}
	for _, note := range notes {
		if n := len(h.log(t, note)); n != 21 {
			t.Errorf("a log of 21 rows has %d", n)
		}
	}
	if left, err := h.db.NotesToFold(ctx, later(), 10); err != nil || len(left) != 1 || left[0] != broken { // though each has a row left
		t.Errorf("%d notes are left to fold, %v", len(left), err)
	}
}

// TestFoldedSessionsAreReviewed: until when people wrote is known of what is folded, too.
func TestFoldedSessionsAreReviewed(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	note, session := h.written(t, 20)
	last := h.log(t, note)[20].At
	if _, err := h.db.Fold(ctx, note, later()); err != nil {
		t.Fatal(err)
	}
	if n, err := h.db.MendCutOffSessions(ctx); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if ended := one[time.Time](t, h, "SELECT ended_at FROM session WHERE id = $1", session); !ended.Equal(last) {
		t.Errorf("cut off at %v, want %v, when its last edit was made", ended, last)
	}
}

// TestFoldedHistoryIsSmall: a recorded history of 259,778 keystrokes, folded and read back whole.
func TestFoldedHistoryIsSmall(t *testing.T) {
	if testing.Short() || needs.Raced {
		t.Skip("writes 260,000 rows and takes the time; make test does, without the race detector")
	}
	h := open(t)
	ctx := t.Context()
	note, session := h.newNote(t), uuid.New()
	if err := h.db.StartSession(ctx, session, note); err != nil {
		t.Fatal(err)
	}
	b, n, doc := sessions.Batch{ID: uuid.New()}, 0, crdt.New("")
	commit := func() {
		if placed, err := h.db.Append(ctx, b); err != nil || len(placed) != 1 {
			t.Fatal(placed, err)
		}
		b = sessions.Batch{ID: uuid.New()}
	}
	for update := range history(t, doc) {
		n++
		b.Entries = append(b.Entries, sessions.Entry{Note: note, Author: h.author, Session: session, Update: update})
		if len(b.Entries) == 500 {
			commit()
		}
	}
	commit()
	state, err := doc.EncodeStateAsUpdate(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.db.SaveBase(ctx, note, uint64(n)+1, state); err != nil {
		t.Fatal(err)
	}
	size := func() (int, int64, time.Duration) {
		if err := h.exec(t, "VACUUM FULL note_update, note_burst"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		rows := len(h.log(t, note))
		return rows, one[int64](t, h, "SELECT pg_total_relation_size('note_update') + pg_total_relation_size('note_burst')"), time.Since(began)
	}
	rows, bytes, took := size()
	before := h.log(t, note)
	began := time.Now()
	done, err := h.db.FoldLogs(ctx, later())
	if err != nil {
		t.Fatal(err)
	}
	folding := time.Since(began)
	rowsAfter, bytesAfter, tookAfter := size()
	t.Logf("%d rows of %d bytes, in all %d on disk, read in %v", rows, done.From, bytes, took)
	t.Logf("%d bursts of %d bytes, in all %d on disk, read in %v; folded in %v, half of it resting", done.Bursts, done.To, bytesAfter, tookAfter, folding)
	if rowsAfter != rows || rows != n+1 || !slices.EqualFunc(before, h.log(t, note), sameRow) {
		t.Errorf("%d rows come back of %d, or others", rowsAfter, rows)
	}
	// On a busy machine, where all takes longer, at least no longer than before.
	if done.Rows != n || bytesAfter*10 > bytes || tookAfter > max(2*time.Second, took) {
		t.Errorf("%d rows folded from %d to %d bytes, read in %v", done.Rows, bytes, bytesAfter, tookAfter)
	}
}

// history yields the updates of a recorded history, typed into doc, or without one those of a made-up typist.
func history(t *testing.T, doc *crdt.Doc) func(yield func([]byte) bool) {
	t.Helper()
	path := filepath.Join(os.Getenv("TRACES"), "sequential-automerge-paper.json.gz")
	file, err := os.Open(path)
	if os.Getenv("TRACES") == "" || err != nil {
		t.Log("no recorded history; one is made up")
		w := newTypist(t)
		w.doc = doc
		return func(yield func([]byte) bool) {
			for range 259_778 {
				if !yield(w.press()) {
					return
				}
			}
		}
	}
	defer func() { _ = file.Close() }()
	unzipped, err := gzip.NewReader(bufio.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var trace struct {
		Txns []struct {
			Patches [][3]json.RawMessage
		}
	}
	if err := json.NewDecoder(unzipped).Decode(&trace); err != nil {
		t.Fatal(err)
	}
	return func(yield func([]byte) bool) {
		text := doc.Text("t")
		for _, txn := range trace.Txns {
			for _, p := range txn.Patches {
				var at, gone int
				var typed string
				if err := errors.Join(json.Unmarshal(p[0], &at), json.Unmarshal(p[1], &gone), json.Unmarshal(p[2], &typed)); err != nil {
					t.Fatal(err)
				}
				update, err := doc.Transact(1<<31+12345, func(tx *crdt.Txn) {
					if gone > 0 {
						text.Delete(tx, at, gone)
					}
					if typed != "" {
						text.Insert(tx, at, typed)
					}
				})
				if err != nil {
					t.Fatal(err)
				}
				if !yield(update) {
					return
				}
			}
		}
	}
}
