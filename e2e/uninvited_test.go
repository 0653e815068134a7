package e2e

import (
	"bytes"
	"testing"

	"github.com/coder/websocket"
)

// TestUninvited: who has not signed in, or may only read, gets nothing into a
// note beside an honest pair, whatever comes first and however much of it (I6,
// I9). TestBadInput has the plain cases.
func TestUninvited(t *testing.T) {
	t.Parallel()
	b := newBadInput(t)
	t.Run("edits before a wrong token", b.editsBeforeWrongToken)
	t.Run("edits and no token", b.editsAndNoToken)
	t.Run("too many edits before a token", b.tooManyEarlyEdits)
	t.Run("edits of a reader who was away", b.readerComesBack)
	t.Run("2,000 gaps and no step 2", b.gapsAndNoStep2)
	b.s.checkReplicas(t, b.chen, b.note, b.alice, b.bob)
}

// earlyEdit is an edit of the note by one who has shown no token.
func (b *badInput) earlyEdit(t *testing.T) []byte {
	t.Helper()
	update := b.update(t, map[string]any{"base": b.alice.state().Update})
	return hocuspocusFrame(b.note, syncFrame(2, update))
}

func (b *badInput) editsBeforeWrongToken(t *testing.T) {
	from := b.s.log.len()
	r := b.s.mustDial(t, "/ws")
	edit := b.earlyEdit(t)
	r.send(websocket.MessageBinary, edit, authFrame(b.note, "nobody's"), edit)
	refused := hocuspocusFrame(b.note, []byte{8, 0})
	r.readUntil("SyncStatus 0 for the edit after it", func(f []byte) bool { return bytes.Equal(f, refused) })
	b.unharmed(t, from, "document refused")
	if _, code := r.readUntilClosed(); code != 4401 {
		t.Errorf("close code %d, want 4401", code)
	}
}

func (b *badInput) editsAndNoToken(t *testing.T) {
	from := b.s.log.len()
	r := b.s.mustDial(t, "/ws")
	r.send(websocket.MessageBinary, b.earlyEdit(t))
	frames, code := r.readUntilClosed()
	if code != 4401 || len(frames) > 0 {
		t.Errorf("close code %d after %x, want 4401 after nothing", code, frames)
	}
	b.unharmed(t, from, "close 4401")
}

func (b *badInput) tooManyEarlyEdits(t *testing.T) {
	from := b.s.log.len()
	r := b.s.mustDial(t, "/ws")
	edit := b.earlyEdit(t)
	for range 257 {
		r.send(websocket.MessageBinary, edit)
	}
	r.send(websocket.MessageBinary, authFrame(b.note, b.rivera)) // too late
	if _, code := r.readUntilClosed(); code != 1013 {
		t.Errorf("close code %d, want 1013", code)
	}
	b.unharmed(t, from, "close 1013")
}

// readerComesBack writes offline, as stock clients let a reader, so that the
// edit is in the Step2 of the next connection.
func (b *badInput) readerComesBack(t *testing.T) {
	for _, kind := range []string{yWebsocket, hocuspocusV4, hocuspocusV3} {
		t.Run(kind, func(t *testing.T) {
			reader := b.n.connect("reader-"+kind, kind, b.s, b.note, b.reader, map[string]any{"backoff": 100})
			defer reader.close()
			reader.wait(want{"synced": true, "text": b.alice.state().Text})
			b.n.must(reader.name, "leave", nil, nil)
			reader.wait(want{"closes": 1})
			reader.insert(0, canary)
			from := b.s.log.len()
			b.n.must(reader.name, "comeBack", nil, nil)
			reader.wait(want{"opens": 2})
			b.unharmed(t, from, "not allowed to write")
		})
	}
}

// gapsAndNoStep2 never says what it has: what it sends builds on what never
// comes, and is not kept for ever.
func (b *badInput) gapsAndNoStep2(t *testing.T) {
	from := b.s.log.len()
	r := b.s.dialNote(t, b.note, b.rivera)
	gap := syncFrame(2, b.update(t, map[string]any{"skipFirst": true}))
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for range 2000 {
			r.send(websocket.MessageBinary, gap)
		}
	}()
	b.alice.insert(0, "a") // beside it
	b.alice.wait(want{"unsynced": 0})
	if _, code := r.readUntilClosed(); code != 1013 {
		t.Errorf("close code %d, want 1013: it is behind for ten seconds", code)
	}
	<-sent
	b.unharmed(t, from, "close 1013")
}
