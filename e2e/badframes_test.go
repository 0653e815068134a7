package e2e

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// frames sends, each on a socket of its own, what is no y-websocket message.
func (b *badInput) frames(t *testing.T) {
	update := b.update(t, nil)
	for _, tt := range []struct {
		name  string
		kind  websocket.MessageType
		frame []byte
		code  websocket.StatusCode
	}{
		{"truncated", websocket.MessageBinary, syncFrame(2, update)[:len(update)/2], 4400},
		{"length beyond the end", websocket.MessageBinary, join([]byte{0, 2}, varUint(1<<30), []byte(canary)), 4400},
		{"empty", websocket.MessageBinary, nil, 4400},
		{"unknown type", websocket.MessageBinary, append([]byte{77}, canary...), 4400},
		{"text frame", websocket.MessageText, []byte(canary), 4400},
		{"not Yjs", websocket.MessageBinary, syncFrame(2, []byte(canary)), 4400},
		{"step 2 that is not Yjs", websocket.MessageBinary, syncFrame(1, []byte(canary)), 4400},
		{"state vector that is none", websocket.MessageBinary, syncFrame(0, []byte(canary)), 4400},
		{"presence that is none", websocket.MessageBinary, join([]byte{1}, varBytes([]byte(canary))), 4400},
		{"bytes after the message", websocket.MessageBinary, append(syncFrame(2, update), 1, 2, 3), 4400},
		{"oversized", websocket.MessageBinary, syncFrame(2, bytes.Repeat([]byte(canary), 300_000)), 4413},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from := b.s.log.len()
			r := b.s.dialNote(t, b.note, b.rivera)
			r.send(tt.kind, tt.frame)
			if _, code := r.readUntilClosed(); code != tt.code {
				t.Errorf("close code %d, want %d", code, tt.code)
			}
			b.unharmed(t, from, "close "+itoa(int(tt.code)))
		})
	}
}

// hocuspocusFrames does so on the other endpoint.
func (b *badInput) hocuspocusFrames(t *testing.T) {
	for _, tt := range []struct {
		name   string
		signIn bool
		frame  []byte
		code   websocket.StatusCode
	}{
		{"truncated", true, hocuspocusFrame(b.note, []byte{0, 2})[:9], 4400},
		{"not Yjs", true, hocuspocusFrame(b.note, syncFrame(2, []byte(canary))), 4400},
		{"unknown type", true, hocuspocusFrame(b.note, append([]byte{99}, canary...)), 4400},
		{"broadcast by a client", true, hocuspocusFrame(b.note, join([]byte{6}, varBytes([]byte(canary)))), 4400},
		{"token that never ends", false, hocuspocusFrame(b.note, join([]byte{2, 0}, varUint(1<<40))), 4400},
		{"oversized before sign-in", false, bytes.Repeat([]byte{0}, 2<<20), 1009},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from := b.s.log.len()
			r := b.s.mustDial(t, "/ws")
			if tt.signIn {
				r.send(websocket.MessageBinary, authFrame(b.note, b.rivera))
				r.readUntil("being let in", func(f []byte) bool { return bytes.HasSuffix(f, []byte("read-write")) })
			}
			r.send(websocket.MessageBinary, tt.frame)
			if _, code := r.readUntilClosed(); code != tt.code {
				t.Errorf("close code %d, want %d", code, tt.code)
			}
			b.unharmed(t, from, "close "+itoa(int(tt.code)))
		})
	}
}

// update is a real update that adds a paragraph with the canary to base.
func (b *badInput) update(t *testing.T, more map[string]any) []byte {
	t.Helper()
	args := map[string]any{"text": canary}
	for k, v := range more {
		args[k] = v
	}
	var update []byte
	b.n.must("", "makeUpdate", args, &update)
	return update
}

// gap sends an update whose predecessor never came.
func (b *badInput) gap(t *testing.T) {
	update := b.update(t, map[string]any{"skipFirst": true})
	t.Run("y-websocket", func(t *testing.T) {
		from := b.s.log.len()
		r := b.s.dialNote(t, b.note, b.rivera)
		r.send(websocket.MessageBinary, syncFrame(0, []byte{0}), syncFrame(1, []byte{0, 0}), syncFrame(2, update))
		if _, code := r.readUntilClosed(); code >= 4400 && code < 4500 || code < 1000 {
			t.Errorf("close code %d, want one after which the client syncs again", code)
		}
		b.unharmed(t, from, "update refused")
	})
	t.Run("hocuspocus", func(t *testing.T) {
		from := b.s.log.len()
		r := b.s.mustDial(t, "/ws")
		r.send(websocket.MessageBinary, authFrame(b.note, b.rivera),
			hocuspocusFrame(b.note, syncFrame(0, []byte{0})),
			hocuspocusFrame(b.note, syncFrame(1, []byte{0, 0})),
			hocuspocusFrame(b.note, syncFrame(2, update)))
		refused := hocuspocusFrame(b.note, []byte{8, 0})
		r.readUntil("SyncStatus 0", func(f []byte) bool { return bytes.Equal(f, refused) })
		b.unharmed(t, from, "update refused")
	})
	t.Run("api", func(t *testing.T) {
		from := b.s.log.len()
		resp, body := b.s.api(t, apiRequest{method: "POST", path: "/notes/" + b.note + "/edits", token: b.rivera, contentType: octets, body: update})
		checkProblem(t, resp, body, http.StatusConflict)
		b.unharmed(t, from, "update refused")
	})
}

// forged writes under the client id of somebody else, on from where they are,
// and under clocks that are taken, other text than stands there (I3).
func (b *badInput) forged(t *testing.T) {
	alice := b.alice.state()
	for _, tt := range []struct {
		name, token string
		more        map[string]any
	}{
		{"in another's name", b.rivera, map[string]any{"clientID": alice.ClientID, "base": alice.Update}},
		{"other words, another's", b.rivera, map[string]any{"clientID": alice.ClientID}},
		{"other words, one's own", b.chen, map[string]any{"clientID": alice.ClientID}},
	} {
		update := b.update(t, tt.more)
		t.Run(tt.name+", hocuspocus", func(t *testing.T) {
			from := b.s.log.len()
			r := b.s.mustDial(t, "/ws")
			r.send(websocket.MessageBinary, authFrame(b.note, tt.token),
				hocuspocusFrame(b.note, syncFrame(0, []byte{0})),
				hocuspocusFrame(b.note, syncFrame(1, []byte{0, 0})),
				hocuspocusFrame(b.note, syncFrame(2, update)))
			refused := hocuspocusFrame(b.note, []byte{8, 0})
			r.readUntil("SyncStatus 0", func(f []byte) bool { return bytes.Equal(f, refused) })
			b.unharmed(t, from, "forged")
		})
		t.Run(tt.name+", step 2 of y-websocket", func(t *testing.T) {
			from := b.s.log.len()
			r := b.s.dialNote(t, b.note, tt.token)
			r.send(websocket.MessageBinary, syncFrame(0, []byte{0}), syncFrame(1, update))
			if _, code := r.readUntilClosed(); code < 4000 {
				t.Errorf("close code %d, want one of the application's", code)
			}
			b.unharmed(t, from, "forged")
		})
		t.Run(tt.name+", API", func(t *testing.T) {
			from := b.s.log.len()
			resp, body := b.s.api(t, apiRequest{method: "POST", path: "/notes/" + b.note + "/edits", token: tt.token, contentType: octets, body: update})
			checkProblem(t, resp, body, http.StatusConflict)
			b.unharmed(t, from, "forged")
		})
	}
}

// readerWrites lets one who may only read try to write over every door.
func (b *badInput) readerWrites(t *testing.T) {
	base := b.s.state(t, b.reader, b.note, octets)
	update := b.update(t, map[string]any{"base": base})
	t.Run("hocuspocus", func(t *testing.T) {
		from := b.s.log.len()
		h := b.n.connect("reader-h", hocuspocusV4, b.s, b.note, b.reader)
		h.wait(want{"synced": true, "scope": "readonly", "unsynced": 0})
		h.insert(0, canary)
		h.wait(want{"unsynced": 1})
		r := b.s.mustDial(t, "/ws")
		r.send(websocket.MessageBinary, authFrame(b.note, b.reader),
			hocuspocusFrame(b.note, syncFrame(0, []byte{0})), hocuspocusFrame(b.note, syncFrame(1, update)))
		refused := hocuspocusFrame(b.note, []byte{8, 0})
		r.readUntil("SyncStatus 0 for a Step2 with news", func(f []byte) bool { return bytes.Equal(f, refused) })
		b.unharmed(t, from, "not allowed to write")
		h.close()
	})
	t.Run("y-websocket", func(t *testing.T) {
		from := b.s.log.len()
		y := b.n.connect("reader-y", yWebsocket, b.s, b.note, b.reader)
		y.wait(want{"synced": true})
		y.insert(0, canary)
		b.unharmed(t, from, "not allowed to write")
		y.close()
	})
	t.Run("api", func(t *testing.T) {
		from := b.s.log.len()
		resp, body := b.s.api(t, apiRequest{method: "POST", path: "/notes/" + b.note + "/edits", token: b.reader, contentType: octets, body: update})
		checkProblem(t, resp, body, http.StatusForbidden)
		b.unharmed(t, from, "status\":403")
	})
}

// cursor puts what is no cursor before somebody who has the note open: the
// page goes on, and its console has nothing to complain about.
func (b *badInput) cursor(t *testing.T) {
	w := signedIn(t, b.s, "haddad")
	w.openNote(b.note)
	mallory := b.n.connect("mallory", yWebsocket, b.s, b.note, b.rivera)
	mallory.wait(want{"synced": true})
	for i, cursor := range []any{
		"here", 7,
		[]int{1},
		map[string]any{"x": canary},
		map[string]any{"anchor": 1, "head": 2},
		map[string]any{"anchor": map[string]any{"item": map[string]any{"client": -1, "clock": "x"}}, "head": map[string]any{"type": 3}},
	} {
		b.n.must("mallory", "setAwareness", map[string]any{"field": "cursor", "value": cursor}, nil)
		mark := strings.Repeat("a", i+1)
		b.alice.insert(-1, mark) // each edit makes the page draw all cursors anew
		b.alice.wait(want{"unsynced": 0})
		w.waitText(b.alice.state().Text)
	}
	mallory.close()
	w.close()
}
