package sessions_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/sessions"
)

// witness is a Conn that keeps what is written as it is, to see whether it is the same memory.
type witness struct {
	*pipe
	mu      sync.Mutex
	written [][]byte
}

func (w *witness) Write(_ time.Time, messages [][]byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written = append(w.written, messages...)
	return nil
}

// step2 returns the first Step2 that was written, and what a document holds that got all that was.
func (w *witness) step2(t *testing.T, key string) (frame []byte, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	doc := crdt.New("")
	for _, b := range w.written {
		m, err := ysync.DecodeMessage(b)
		if key != "" {
			var e ysync.Envelope
			e, err = ysync.DecodeEnvelope(b)
			if m = e.Message; err == nil && e.Key != key {
				t.Errorf("a frame has the key %q, want %q", e.Key, key)
			}
		}
		if err != nil {
			t.Errorf("the server sent % x: %v", b, err)
		}
		if m.Kind != ysync.Sync || m.Step == ysync.Step1 {
			continue
		}
		if m.Step == ysync.Step2 && frame == nil {
			frame = b
		}
		if err := doc.ApplyUpdate(m.Data); err != nil {
			t.Error(err)
		}
	}
	return frame, doc.Text("t").String()
}

// TestInSyncMeansWhole: a peer that is told it is in sync has all that was committed before it came, though that was
// encoded for somebody who came earlier.
func TestInSyncMeansWhole(t *testing.T) {
	inWard(t, func(w *ward) {
		typist := w.hClient(write(chen))
		early := w.hClient(read(rivera))
		synctest.Wait()
		for i := range 5 {
			typist.update(insert(1, byte(i), "x"))
		}
		synctest.Wait()
		for name, late := range map[string]*client{"Hocuspocus": w.hClient(read(rivera)), "y-websocket": w.yClient(read(rivera))} {
			synctest.Wait()
			doc := crdt.New("")
			for _, m := range late.messages() {
				if m.Kind != ysync.Sync || m.Step == ysync.Step1 {
					continue
				}
				if err := doc.ApplyUpdate(m.Data); err != nil {
					t.Fatal(err)
				}
				if m.Step == ysync.Step2 {
					break
				}
			}
			if got := doc.Text("t").String(); len(got) != len("start")+5 || got != early.text() {
				t.Errorf("%s: in sync with %q, others have %q", name, got, early.text())
			}
		}
	})
}

// TestJoinStormSharesOneEncoding: whoever joins with nothing is sent the same memory as everybody else, though
// people go on typing; and all of them have all of it.
func TestJoinStormSharesOneEncoding(t *testing.T) {
	inWard(t, func(w *ward) {
		typist := w.hClient(write(chen))
		var ws []*witness
		var keys []string
		for i := range 80 {
			c := &witness{pipe: newPipe()}
			key := []string{"", note.String(), note.String() + "\x00", note.String() + fmt.Sprintf("\x00%d", i)}[i%4]
			go func() {
				if key == "" {
					_ = w.hub.ServeYWebSocket(w.t.Context(), c, note, "", granted(read(rivera)))
				} else {
					_ = w.hub.ServeHocuspocus(w.t.Context(), c, func(context.Context, sessions.NoteID, string) (sessions.Grant, error) { return read(rivera), nil })
				}
				c.close()
			}()
			frame := func(m ysync.Message) []byte {
				if key == "" {
					return ysync.AppendMessage(nil, m)
				}
				return ysync.AppendEnvelope(nil, ysync.Envelope{Key: key, Message: m})
			}
			if key != "" {
				c.in <- frame(ysync.Message{Kind: ysync.Auth, Auth: ysync.Token})
			}
			c.in <- frame(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: []byte{0}})
			ws, keys = append(ws, c), append(keys, key)
			if i%2 == 1 {
				typist.update(insert(1, byte(i/2), "x"))
			}
		}
		synctest.Wait()
		shared := map[*byte]int{}
		for i, c := range ws {
			frame, text := c.step2(t, keys[i])
			if len(frame) == 0 {
				t.Errorf("joiner %d got no Step2", i)
				continue
			}
			shared[&frame[0]]++
			if len(text) != len("start")+40 {
				t.Errorf("joiner %d has %d characters, want %d", i, len(text), len("start")+40)
			}
			c.close()
		}
		if alone := 40; len(shared) != 2+alone { // with a key of its own, each needs a frame of its own
			t.Errorf("%d different frames, want 2 for those with a common key, and %d", len(shared), alone)
		}
	}, crowdedWard())
}

// crowdedWard lets one person open as many windows as a test needs.
func crowdedWard() sessions.Option {
	a := sessions.DefaultAllowance()
	a.ConnsPerPerson = 100
	return sessions.WithAllowance(a)
}

// replay is the note as its log alone says.
func (w *ward) replay() []byte {
	doc := crdt.New("")
	for _, row := range w.store.Rows(note) {
		if err := doc.ApplyUpdate(row.Update); err != nil {
			w.t.Error(err)
		}
	}
	state, err := doc.EncodeStateAsUpdate(nil)
	if err != nil {
		w.t.Error(err)
	}
	return state
}

// TestIdleNotesShrink: a note that nobody edits is bytes while people look at it, leaves memory when they leave, and
// is the same, byte for byte, when it is wanted again.
func TestIdleNotesShrink(t *testing.T) {
	inWard(t, func(w *ward) {
		ctx := w.t.Context()
		in := func(session, document bool, when string) {
			t.Helper()
			if s, d := w.hub.InMemory(ctx, note); s != session || d != document {
				t.Errorf("%s: session %v, document %v; want %v, %v", when, s, d, session, document)
			}
		}
		state := func() []byte {
			t.Helper()
			b, err := w.hub.State(ctx, note)
			if err != nil {
				t.Error(err)
			}
			return b
		}
		c, reader := w.hClient(write(chen)), w.hClient(read(rivera))
		for i := range byte(100) {
			c.update(insert(1, i, "é"))
		}
		c.update([]byte{0, 1, 1, 1, 10, 20}) // some of it is deleted
		before := state()
		in(true, true, "in use")
		time.Sleep(2 * time.Minute)
		in(true, false, "idle")

		if got := w.yClient(read(chen)).text(); got != reader.text() { // joins, and says Step2
			t.Errorf("who joins an idle note reads %q, want %q", got, reader.text())
		}
		c.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: crdt.StateVector{1: 50, 9: 5}.Encode()})
		c.step2([]byte{0, 0})
		in(true, false, "looked at")
		if !bytes.Equal(state(), before) {
			t.Error("parked, it is not what it was")
		}

		c.update(insert(1, 100, "!"))
		in(true, true, "edited again")
		if got := c.closeCode(); got != 0 {
			t.Errorf("close code %d", got)
		}
		edited := state()
		if !bytes.Equal(edited, w.replay()) {
			t.Error("edited after it was parked, it is not what the log says")
		}

		for _, gone := range []*client{c, reader} {
			gone.leave()
		}
		time.Sleep(2 * time.Minute)
		in(true, false, "while one still looks")
		if !bytes.Equal(state(), edited) {
			t.Error("parked again, it is not what it was")
		}
	})
}

// TestUnusedNotesLeaveMemory, and come back as they were.
func TestUnusedNotesLeaveMemory(t *testing.T) {
	inWard(t, func(w *ward) {
		c := w.hClient(write(chen))
		for i := range byte(60) {
			c.update(insert(1, i, "x"))
		}
		before, err := w.hub.State(w.t.Context(), note)
		if err != nil {
			t.Error(err)
		}
		c.leave()
		time.Sleep(30 * time.Second)
		if session, _ := w.hub.InMemory(w.t.Context(), note); session {
			t.Error("still in memory")
		}
		w.yClient(read(rivera)) // a session again
		after, err := w.hub.State(w.t.Context(), note)
		if err != nil || !bytes.Equal(after, before) {
			t.Errorf("reopened, it is not what it was (%v)", err)
		}
		other := sessions.NewHub(w.store, slog.New(slog.DiscardHandler))
		if got, err := other.State(w.t.Context(), note); err != nil || !bytes.Equal(got, before) {
			t.Errorf("another server has it otherwise (%v)", err)
		}
		if err := other.Close(w.t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestReturnersAreSentWhatTheyLack: each by their own state vector, whether the note is a document or bytes.
func TestReturnersAreSentWhatTheyLack(t *testing.T) {
	inWard(t, func(w *ward) {
		c := w.hClient(write(chen))
		c.update(insert(1, 0, "abcdef"))
		for _, wait := range []time.Duration{0, 2 * time.Minute} {
			time.Sleep(wait)
			for _, have := range []uint64{2, 4, 4, 2, 6} {
				before := len(c.messages())
				c.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: crdt.StateVector{1: have, 9: 5}.Encode()})
				for _, m := range c.messages()[before:] {
					if want := "abcdef"[have:]; m.Step == ysync.Step2 && (!bytes.Contains(m.Data, []byte(want)) || bytes.Contains(m.Data, []byte("abcdef"[have-1:]))) {
						t.Errorf("who has %d clocks is sent %q, want %q", have, m.Data, want)
					}
				}
				c.step2([]byte{0, 0})
			}
		}
	})
}
