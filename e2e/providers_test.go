package e2e

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// idle is longer than any provider waits for a sign of life (30 s), and than
// an awareness state lives without renewal.
const idle = 60 * time.Second

func testProvider(t *testing.T, s *server, kind string) {
	chenToken := s.token(t, "chen")
	note := s.newNote(t, chenToken)
	n := startNode(t)
	chen := n.connect("chen", kind, s, note, chenToken)
	rivera := n.connect("rivera", kind, s, note, s.token(t, "rivera"))
	// One alone on a note, who shows no presence: nothing that anybody does keeps
	// this connection alive, only the server can.
	alone := n.connect("alone", kind, s, s.newNote(t, chenToken), chenToken)
	for _, c := range []*yclient{chen, rivera, alone} {
		c.wait(want{"synced": true})
	}
	n.must("alone", "mute", nil, nil)

	chen.fresh()
	rivera.wait(want{"blocks": 1, "text": ""})
	chen.insert(0, "from chen. ")
	rivera.wait(want{"text": "from chen. "})
	rivera.insert(-1, "from rivera 🩺 é.")
	chen.wait(want{"text": "from chen. from rivera 🩺 é."})
	chen.remove(0, len("from "))
	rivera.wait(want{"text": "chen. from rivera 🩺 é."})

	// Whatever a client says of itself, others see who signed in.
	n.must("chen", "setAwareness", map[string]any{"field": "user", "value": map[string]any{"name": "Dr Mallory", "color": "#000000"}}, nil)
	n.must("rivera", "setAwareness", map[string]any{"field": "user", "value": map[string]any{"name": "nobody"}}, nil)
	rivera.wait(want{"peers": "Dr Mei Chen"})
	chen.wait(want{"peers": "Rosa Rivera RN"})
	rivera.wait(chen.setCursor(3)) // as sent
	checkPresence(t, rivera, chen.state().ClientID)

	chen.wait(want{"unsynced": 0})
	rivera.wait(want{"unsynced": 0})
	if err := rivera.neverSees("nobody writes this", idle); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*yclient{chen, rivera, alone} {
		st := c.stats()
		if st.Opens != 1 || len(st.Closes) > 0 || len(st.Errors) > 0 || len(st.Denied) > 0 {
			t.Errorf("%s after %v idle: %d connections, closes %v, errors %v, denied %v; want one connection and nothing else",
				c.name, idle, st.Opens, st.Closes, st.Errors, st.Denied)
		}
		if !st.Synced || st.Unsynced != 0 || st.Refused != 0 || st.Surplus != 0 {
			t.Errorf("%s after %v idle: synced %v, %d unsynced, %d refused, %d surplus answers; want true, 0, 0, 0",
				c.name, idle, st.Synced, st.Unsynced, st.Refused, st.Surplus)
		}
	}
	// The connections still carry edits and presence.
	chen.insert(0, "still ")
	rivera.wait(want{"text": "still chen. from rivera 🩺 é.", "peers": "Dr Mei Chen"})
	chen.wait(want{"unsynced": 0})
	if a, b := chen.state(), rivera.state(); a.XML != b.XML || string(a.SV) != string(b.SV) {
		t.Errorf("documents differ: %s and %s", a.XML, b.XML)
	}
	if got := s.text(t, chenToken, note); got != "still chen. from rivera 🩺 é." {
		t.Errorf("the server has %q", got)
	}
}

// checkPresence looks at what others see of a client: identity and colour from
// the login.
func checkPresence(t *testing.T, viewer *yclient, client uint64) {
	t.Helper()
	for _, p := range viewer.presence() {
		if p.ClientID != client {
			continue
		}
		u := p.State.User
		var hex int
		if _, err := fmt.Sscanf(u.Color, "#%06x", &hex); err != nil || u.Color == "#000000" {
			t.Errorf("colour of %s is %q, want the server's #rrggbb", u.Name, u.Color)
		}
		if u.Name != "Dr Mei Chen" || u.ID == "" || u.Role == "" || u.ColorIndex < 0 || u.ColorIndex > 7 {
			said, _ := json.Marshal(u)
			t.Errorf("stamped user is %s, want the name, id, role and colour of the login", said)
		}
		return
	}
	t.Errorf("%s does not see client %d: %+v", viewer.name, client, viewer.presence())
}

// TestOneSocketForSeveralNotes: a provider's socket carries several notes, and
// one note twice; what belongs to one never shows in another, and closing one
// leaves the others open.
func TestOneSocketForSeveralNotes(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	token := s.token(t, "chen")
	first, second := s.newNote(t, token), s.newNote(t, token)
	n := startNode(t)
	one := map[string]any{"share": "one", "sessionAwareness": true}
	a := n.connect("a", hocuspocusV4, s, first, token, one)
	b := n.connect("b", hocuspocusV4, s, second, token, one)
	c := n.connect("c", hocuspocusV4, s, second, token, one)
	for _, client := range []*yclient{a, b, c} {
		client.wait(want{"synced": true, "scope": "read-write"})
	}
	a.fresh()
	b.fresh()
	c.wait(want{"blocks": 1, "text": ""})
	a.insert(0, "of the first")
	b.insert(0, "of the second")
	c.wait(want{"text": "of the second"})
	for _, client := range []*yclient{a, b, c} {
		client.wait(want{"unsynced": 0})
	}
	b.close()
	c.insert(-1, " note")
	a.insert(-1, " note")
	a.wait(want{"unsynced": 0, "text": "of the first note"})
	c.wait(want{"unsynced": 0, "text": "of the second note"})
	for note, text := range map[string]string{first: "of the first note", second: "of the second note"} {
		if got := s.text(t, token, note); got != text {
			t.Errorf("the server has %q, want %q", got, text)
		}
	}
}
