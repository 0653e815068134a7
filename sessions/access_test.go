package sessions_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/sessions"
)

// office decides what people may do, and changes its mind. What it says is asked for at any time: tests lock it.
type office struct {
	w *ward
	sync.Mutex
	readOnly bool
	until    time.Time // of recovery
	again    time.Time // when it is to be asked anew
	denied   error
	asked    int
	held     chan struct{} // the next decision, once made, waits for it
}

// grant is what the office says of somebody now, and how to ask again.
func (o *office) grant(who sessions.Author) sessions.Grant {
	o.Lock()
	defer o.Unlock()
	return o.says(who)
}

func (o *office) says(who sessions.Author) sessions.Grant {
	g := sessions.Grant{Author: who, ReadOnly: o.readOnly, RecoverUntil: o.until, Epoch: o.w.hub.AccessEpoch(), Again: o.again}
	g.Stamp = o.w.store.Stamp(note, who.ID)
	g.Renew = func(context.Context) (sessions.Grant, error) {
		o.Lock()
		o.asked++
		g, denied, held := o.says(who), o.denied, o.held
		o.held = nil
		o.Unlock()
		if held != nil {
			<-held
		}
		return g, denied
	}
	return g
}

// change has what the office says now reach those who are there, chen's only.
func (o *office) change(readOnly bool, denied error) {
	o.Lock()
	o.readOnly, o.denied = readOnly, denied
	o.Unlock()
	o.tell()
	synctest.Wait()
}

// tell has chen decided about anew.
func (o *office) tell() {
	o.w.hub.Recheck(o.w.t.Context(), func(_ sessions.NoteID, who sessions.PersonID, _ string) bool { return who == chen.ID })
}

// times is how often it was asked.
func (o *office) times() int {
	o.Lock()
	defer o.Unlock()
	return o.asked
}

// auths are the texts of the auth messages received.
func (c *client) auths() string {
	var texts []string
	for _, m := range c.messages() {
		if m.Kind == ysync.Auth {
			texts = append(texts, m.Text)
		}
	}
	return strings.Join(texts, ", ")
}

// TestRoleChangesInPlace: who may write no longer is told so, goes on reading, and writes nothing (I9).
func TestRoleChangesInPlace(t *testing.T) {
	inWard(t, func(w *ward) {
		o := &office{w: w}
		h, y, other := w.hClient(o.grant(chen)), w.yClient(o.grant(chen)), w.yClient(o.grant(rivera))
		h.update(insert(1, 0, "h"))
		y.update(insert(2, 0, "y"))
		o.change(true, nil)
		if got := h.auths(); got != "read-write, readonly" {
			t.Errorf("the provider is told %q", got)
		}
		if got := y.auths(); got != "not allowed to write this note" {
			t.Errorf("y-websocket is told %q", got)
		}
		h.update(insert(1, 1, "no"))
		y.update(insert(2, 1, "no"))
		other.update(insert(3, 0, "seen"))
		if got := h.answers(); got != "110" || h.closeCode() != 0 || y.closeCode() != 0 {
			t.Errorf("answers %q, want 110; close codes %d and %d", got, h.closeCode(), y.closeCode())
		}
		for _, c := range []*client{h, y, other} {
			if got := c.text(); strings.Contains(got, "no") {
				t.Errorf("text %q", got)
			}
		}
		if got := h.text(); !strings.Contains(got, "seen") {
			t.Errorf("who may still read reads %q", got)
		}
		if n := len(w.store.Rows(note)); n != 4 {
			t.Errorf("log has %d rows, want 4", n)
		}
		for _, p := range w.hub.Present()[note] {
			if p.CanWrite != (p.Author == rivera) {
				t.Errorf("present: %+v", p)
			}
		}
		o.change(false, nil)
		if got := h.auths(); got != "read-write, readonly, read-write" {
			t.Errorf("the provider is told %q", got)
		}
		h.update(insert(1, 1, "h"))
		if got := h.answers(); got != "1101" {
			t.Errorf("answers %q, want 1101", got)
		}
	})
}

// TestNothingIsDeliveredAfterRevocation: nor written by what was under way.
func TestNothingIsDeliveredAfterRevocation(t *testing.T) {
	for _, tt := range []struct {
		name   string
		denied error
		code   int
	}{
		{"role taken", sessions.ErrForbidden, 4403},
		{"signed out", sessions.ErrUnauthenticated, 4401},
		{"nobody can say", errors.New("connection refused"), 1013},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWard(t, func(w *ward) {
				o := &office{w: w}
				gone, h, other := w.yClient(o.grant(chen)), w.hClient(o.grant(chen)), w.yClient(o.grant(rivera))
				synctest.Wait()
				gone.reading(false)
				for i := range byte(20) {
					other.update(insert(2, i, "x")) // the first is being written, the others wait
				}
				gate := make(chan struct{})
				w.store.Fault = func(before bool) error {
					if before {
						<-gate
					}
					return nil
				}
				other.update(insert(2, 20, "x"))
				h.update(insert(1, 0, "under way")) // waits for that commit
				o.change(false, tt.denied)
				close(gate)
				other.update(insert(2, 21, "x"))
				gone.reading(true)
				if got := len(gone.updates()); got > 1 {
					t.Errorf("%d updates were delivered after it", got)
				}
				if a, b, c := gone.closeCode(), h.closeCode(), other.closeCode(); a != tt.code || b != tt.code || c != 0 {
					t.Errorf("close codes %d, %d, %d; want %d twice", a, b, c, tt.code)
				}
				if got := other.text(); strings.Contains(got, "under") {
					t.Errorf("others read %q", got)
				}
				if n := len(w.hub.Present()[note]); n != 1 {
					t.Errorf("%d people are at the note, want 1", n)
				}
			})
		})
	}
}

// TestRevokedWhileJoining: a grant that was decided before a change is looked at again.
func TestRevokedWhileJoining(t *testing.T) {
	inWard(t, func(w *ward) {
		o := &office{w: w}
		early := o.grant(chen)
		o.change(false, sessions.ErrForbidden) // there is nobody yet
		c := w.yClient(early)
		if got := c.closeCode(); got != 4403 || c.text() != "" {
			t.Errorf("close code %d, want 4403; the note reads %q", got, c.text())
		}
	})
}

// TestNothingIsShownBlindly: while nobody can say who may see a note, what people do in it is shown to nobody, and where
// they are by then once that is known (I9).
func TestNothingIsShownBlindly(t *testing.T) {
	inWard(t, func(w *ward) {
		w.hub.AccessSeen(time.Now())
		moving, watching := w.yClient(write(chen)), w.hClient(read(rivera))
		moving.send(announce(1, 1, at(1)))
		if got := strings.Join(watching.people(), ""); !strings.Contains(got, `"clock":1}`) {
			t.Errorf("shown: %q", got)
		}
		time.Sleep(6 * time.Second)
		for i := range 3 {
			moving.send(announce(1, uint64(i+2), at(i+2)))
			time.Sleep(time.Second)
		}
		if got := strings.Join(watching.people(), ""); !strings.Contains(got, `"clock":1}`) {
			t.Errorf("shown to somebody who may have lost their access: %q", got)
		}
		before := len(watching.frames())
		watching.send(ysync.Message{Kind: ysync.QueryAwareness})
		time.Sleep(time.Second)
		if got := len(watching.frames()); got != before {
			t.Error("who asks is told who is there")
		}
		w.hub.AccessSeen(time.Now())
		time.Sleep(time.Second)
		if got := strings.Join(watching.people(), ""); !strings.Contains(got, `"clock":4}`) {
			t.Errorf("shown afterwards: %q", got)
		}
	})
}

// TestNothingIsCommittedBlindly: while nobody can say who may write, updates wait, and then are refused as
// retryable (I9).
func TestNothingIsCommittedBlindly(t *testing.T) {
	inWard(t, func(w *ward) {
		w.hub.AccessSeen(time.Now())
		c, reader := w.hClient(write(chen)), w.yClient(read(rivera))
		time.Sleep(4 * time.Second)
		c.update(insert(1, 0, "a"))
		if got := c.answers(); got != "11" {
			t.Errorf("answers %q within five seconds, want 11", got)
		}
		time.Sleep(2 * time.Second)
		c.update(insert(1, 1, "b"))
		time.Sleep(3 * time.Second)
		if got := len(w.store.Rows(note)); got != 2 || c.answers() != "11" || c.closeCode() != 0 {
			t.Errorf("%d rows, answers %q, close code %d: want 2, 11, 0", got, c.answers(), c.closeCode())
		}
		w.hub.AccessSeen(time.Now())
		time.Sleep(time.Second)
		if got := len(w.store.Rows(note)); got != 3 || c.answers() != "111" {
			t.Errorf("%d rows, answers %q: want 3, 111", got, c.answers())
		}
		time.Sleep(6 * time.Second)
		c.update(insert(1, 2, "c"))
		time.Sleep(6 * time.Second)
		if got := c.closeCode(); got != 1013 || c.answers() != "1110" {
			t.Errorf("close code %d, answers %q: want 1013, 1110", got, c.answers())
		}
		if _, err := w.hub.Apply(w.t.Context(), note, write(chen), insert(1, 2, "c")); !errors.Is(err, sessions.ErrAccessUnknown) {
			t.Errorf("Apply = %v", err)
		}
		if reader.closeCode() != 0 {
			t.Error("a reader was cut off")
		}
		w.hub.AccessSeen(time.Now())
		if seq, err := w.hub.Apply(w.t.Context(), note, write(chen), insert(1, 2, "c")); seq != 4 || err != nil {
			t.Errorf("Apply = %d, %v", seq, err)
		}
	})
}

// TestDestroyedNotesEnd at once, whoever has them open, and leave nothing behind in memory.
func TestDestroyedNotesEnd(t *testing.T) {
	inWard(t, func(w *ward) {
		o := &office{w: w}
		h, y := w.hClient(o.grant(chen)), w.yClient(o.grant(rivera))
		h.update(insert(1, 0, "words"))
		w.hub.End(note, sessions.ErrDestroyed)
		synctest.Wait()
		if a, b := h.closeCode(), y.closeCode(); a != 4410 || b != 4410 {
			t.Errorf("close codes %d and %d", a, b)
		}
		if session, document := w.hub.InMemory(t.Context(), note); session || document {
			t.Error("the session is left")
		}
	})
}
