package store_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
)

// newest is the newest checkpoint.
func (h hospital) newest(t testing.TB) audit.Checkpoint {
	t.Helper()
	l, err := h.db.AuditLog(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Keys.Open(l.Newest)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCheckpointsAreInTime: while a server looks at the log each second, no checkpoint is ten seconds old, whether or not something happens,
// and whatever the row beside it says of when it was signed.
func TestCheckpointsAreInTime(t *testing.T) {
	h := open(t)
	s := h.sequencer(t)
	now := time.Now()
	s.SetClock(func() time.Time { return now })
	signed := make(map[time.Time]bool)
	for i := range 45 {
		if i < 15 {
			h.record(t, audit.Event{Act: "test"})
		}
		if i == 20 {
			h.must(t, `UPDATE audit_head SET signed = now() + interval '100 years'`)
		}
		step(t, s)
		c := h.newest(t)
		if signed[c.At] = true; now.Sub(c.At) > 9*time.Second {
			t.Errorf("after %d seconds the newest checkpoint is %v old", i, now.Sub(c.At))
		}
		now = now.Add(time.Second)
	}
	if n := len(signed); n < 5 || n > 8 {
		t.Errorf("%d checkpoints in 45 seconds", n)
	}
	now = now.Add(-time.Hour) // another server's clock was wrong
	step(t, s)
	if at := h.newest(t).At; now.Sub(at).Abs() > time.Second {
		t.Errorf("a checkpoint of a time to come stays: %v", at.Sub(now))
	}
}

// TestLateLogIsTold: figures have acts without a place and the age of the newest checkpoint, and a server says so itself that neither
// goes on, even if it is another session that keeps it from its work.
func TestLateLogIsTold(t *testing.T) {
	h := open(t)
	s := h.sequencer(t)
	step(t, s)
	step(t, s)
	if f := s.Figures(); f.Entries == 0 || f.Waiting != 0 || !f.Since.IsZero() || time.Since(f.Signed).Abs() > time.Minute {
		t.Errorf("at rest: %+v", f)
	}
	conn := h.connection(t)
	if _, err := conn.Exec(t.Context(), `SELECT pg_advisory_lock(hashtextextended('tidechart audit', 0))`); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		h.record(t, audit.Event{Act: "test"})
	}
	ahead := time.Duration(0)
	s.SetClock(func() time.Time { return time.Now().Add(ahead) })
	said := func() (says string, f store.LogFigures) {
		t.Helper()
		var out bytes.Buffer
		ending, end := context.WithCancel(t.Context())
		end()
		s.Run(ending, slog.New(slog.NewTextHandler(&out, nil)))
		return out.String(), s.Figures()
	}
	if says, f := said(); strings.Contains(says, "behind") || f.Waiting != 3 {
		t.Errorf("at once: %+v, %s", f, says)
	}
	ahead = time.Minute
	if says, f := said(); !strings.Contains(says, "level=ERROR") || !strings.Contains(says, "the log of acts is behind") || f.Waiting != 3 || time.Since(f.Since).Abs() > time.Minute {
		t.Errorf("a minute later: %+v, %s", f, says)
	}
	if _, err := conn.Exec(t.Context(), `SELECT pg_advisory_unlock(hashtextextended('tidechart audit', 0))`); err != nil {
		t.Fatal(err)
	}
	step(t, s)
	step(t, s)
	if f := s.Figures(); f.Waiting != 0 || !f.Since.IsZero() {
		t.Errorf("and then: %+v", f)
	}
}
