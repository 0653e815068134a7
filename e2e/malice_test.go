package e2e

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// attack is something that nobody does by accident.
type attack struct {
	name string
	code int    // that the attacker's socket is closed with; 0: it stays open
	said string // in the server's log, beside the close code; empty: nothing
	do   func(*malice)
}

// malice is one attack: somebody who may write a note, by a real Yjs client,
// beside an honest pair on the same note.
type malice struct {
	*badInput
	t       *testing.T
	mallory *yclient
	kind    string // protocol of mallory
	token   string // mallory's
}

// attacks by what they abuse. TestBadInput has what is merely malformed.
var attacks = []attack{
	{"a victim's next clocks, in nine bytes", 4205, "forged", does("hijack")},
	{"a victim's next clocks, as a step 2", 4205, "forged", does("hijackStep2")},
	{"a victim's first clocks", 4205, "forged", (*malice).hijackFirstWords},
	{"one id and clock, two texts, two sockets", 4205, "forged", (*malice).fork},
	{"2,000 updates with gaps", 4205, "update refused", does("gaps", "n", 2000)},
	{"an undo that replicas do not agree on", 4205, "right origin before its origin", does("undone")},
	{"20,000 elements in one another", 4413, "over a limit", does("nested", "depth", 20_000)},
	{"65 elements in one another", 4413, "over a limit", does("nested", "depth", 65)},
	{"elements in one another, one at a time", 4413, "over a limit", (*malice).nestOneByOne},
	{"20,000 clients at once", 4413, "over a limit", does("crowd", "n", 20_000, "times", 1)},
	{"20,000 clients, a few at a time", 4413, "over a limit", (*malice).crowd},
	{"an update of version 2", 4400, "close 4400", does("v2")},
	{"a run-length bomb of version 2", 4400, "close 4400", does("runLengthBomb")},
	{"a run-length bomb as a step 2", 4400, "close 4400", does("runLengthBombStep2")},
	{"2⁵³ clients in a state vector", 4400, "close 4400", does("question")},
	{"2⁵³ states of presence", 4400, "close 4400", does("awarenessCount")},
	{"a presence of 2⁵³ bytes", 4400, "close 4400", does("awarenessLength")},
	{"1,025 states of presence", 4400, "close 4400", does("manyStates", "n", 1025)},
	{"a presence of 5 KB", 0, "", does("largeState")},
	{"1,000 made-up people", 0, "", does("manyStates", "n", 1000)},
	{"a victim's presence, written anew", 0, "", does("speakAs")},
	{"a victim's presence, ended", 0, "", does("silence")},
}

// does sends what clients/attacks.mjs makes for a name and arguments.
func does(name string, args ...any) func(*malice) {
	return func(m *malice) { m.attack(name, args...) }
}

// TestMalice: whatever somebody who may write a note does to it or to the
// people on it, they are refused, and the honest pair notices nothing. The note
// is afterwards what the honest pair has, in the database too (I3, I6, I10).
func TestMalice(t *testing.T) {
	t.Parallel()
	b := newBadInput(t)
	endless := make([]attack, 0, 12)
	for _, what := range []string{
		"clients", "structs of a client", "clocks of a struct", "a clock at the end of all", "a client of 2⁵³", "bytes of a text",
		"values of an array", "ranges of a deletion", "clients of a deletion", "deleted clocks", "a number that never ends", "a longer zero",
	} {
		endless = append(endless, attack{"no end of " + what, 4400, "close 4400", does("count", "what", what)})
	}
	before, token := b.s.memory(t), b.s.token(t, "okafor")
	left := map[string]replica{}
	try := func(kind string, a attack) {
		t.Run(kind+"/"+a.name, func(t *testing.T) {
			m := newMalice(t, b, kind, token)
			m.run(a)
			left[m.note] = m.checkSame()
		})
	}
	for _, a := range attacks {
		try(yWebsocket, a)
		try(hocuspocusV4, a)
	}
	for i, a := range endless { // one decoder reads both
		try([]string{yWebsocket, hocuspocusV4}[i%2], a)
	}
	// 2⁵³ of anything would be seen here, and so would 10⁹ structs.
	if grown := b.s.memory(t) - before; grown > 256<<10 {
		t.Errorf("the server took %d KiB more", grown)
	}
	if err := b.s.stop(); err != nil {
		t.Fatal(err)
	}
	if err := b.s.start(); err != nil {
		t.Fatal(err)
	}
	for note, want := range left {
		t.Run("reopened/"+note, func(t *testing.T) {
			if got := b.s.checkReplicas(t, b.chen, note); got != want {
				t.Errorf("it is %q, the honest pair had %q", got.rendering, want.rendering)
			}
		})
	}
}

// newMalice puts an honest pair and mallory at a note of their own.
func newMalice(t *testing.T, b *badInput, kind, token string) *malice {
	t.Helper()
	outer := b.n.t
	b.n.t = t
	t.Cleanup(func() { b.n.t = outer })
	m := &malice{badInput: b.onNewNote(t, " of "+t.Name()), t: t, kind: kind, token: token}
	m.mallory = m.enter("mallory of "+t.Name(), kind)
	m.mallory.wait(want{"blocks": 1, "text": ""})
	return m
}

// enter lets the attacker in, over one more socket.
func (m *malice) enter(name, kind string) *yclient {
	m.t.Helper()
	c := m.n.connect(name, kind, m.s, m.note, m.token)
	m.t.Cleanup(c.close)
	c.wait(want{"synced": true})
	return c
}

// attack has mallory do one of clients/attacks.mjs, with alice for a victim.
func (m *malice) attack(name string, args ...any) {
	m.t.Helper()
	with := map[string]any{"attack": name, "victim": m.alice.state().ClientID}
	for i := 0; i < len(args); i += 2 {
		with[args[i].(string)] = args[i+1]
	}
	m.n.must(m.mallory.name, "attack", with, nil)
}

// run attacks while the honest pair writes and shows its carets.
func (m *malice) run(a attack) {
	m.t.Helper()
	m.alice.insert(0, "a")
	m.bob.insert(0, "b")
	m.mallory.wait(want{"contains": []string{"a", "b"}})
	m.bob.wait(m.alice.setCursor(1))
	caret := m.mallory.setCursor(0)
	m.alice.wait(caret)
	m.bob.wait(caret)
	shown := m.shown()

	from := m.s.log.len()
	a.do(m)
	m.alice.insert(0, "a") // beside it: both are on their way
	m.bob.insert(0, "b")
	m.unharmed(m.t, from, a.said)
	if a.code != 0 {
		m.refused(a.code)
		return
	}
	m.mallory.insert(0, "a")
	m.mallory.wait(want{"unsynced": 0})
	if st := m.mallory.stats(); len(st.Closes) > 0 {
		m.t.Errorf("the attacker was cut off: %+v", st.Closes)
	}
	// Presence leaves in order: what came before bob's caret has come by then.
	m.alice.wait(m.bob.setCursor(0))
	if now := m.shown(); now != shown {
		m.t.Errorf("bob saw %s, and after the attack %s", shown, now)
	}
}

// refused waits until mallory is cut off, with a close code.
func (m *malice) refused(code int) {
	m.t.Helper()
	m.mallory.wait(want{"closes": 1})
	if st := m.mallory.stats(); st.Closes[0].Code != code {
		m.t.Errorf("the attacker's socket was closed with %+v, want %d", st.Closes, code)
	}
}

// shown is what bob sees of everybody else.
func (m *malice) shown() string {
	m.t.Helper()
	states := ""
	bob := m.bob.state().ClientID
	for _, id := range []uint64{m.alice.state().ClientID, m.mallory.state().ClientID} {
		for _, p := range m.bob.presence() {
			if p.ClientID == id {
				states += p.State.User.Name + " " + string(p.State.Cursor) + "; "
			}
		}
	}
	others := 0
	for _, p := range m.bob.presence() {
		if p.ClientID != bob {
			others++
		}
	}
	return states + strconv.Itoa(others) + " in all"
}

// hijackFirstWords takes the clocks of somebody who is there, and whose first
// words are on their way.
func (m *malice) hijackFirstWords() {
	dave := m.n.connect("dave of "+m.t.Name(), hocuspocusV4, m.s, m.note, m.s.token(m.t, "haddad"))
	m.t.Cleanup(dave.close)
	dave.wait(want{"synced": true, "contains": []string{"a", "b"}})
	m.mallory.wait(want{"peers": "Lina Haddad RN"})
	m.attack("hijack", "victim", dave.state().ClientID)
	dave.insert(0, "a")
	m.refused(4205)
	dave.wait(want{"unsynced": 0})
	if st := dave.stats(); st.Opens != 1 || st.Refused != 0 {
		m.t.Errorf("who had written nothing yet noticed: %+v", st)
	}
}

// fork says two things under one id and clock, at once, over two sockets. The
// one that comes first is a client's own good right.
func (m *malice) fork() {
	twin := m.enter("twin of "+m.t.Name(), m.kind)
	base := m.alice.state().Update
	first := m.update(m.t, map[string]any{"base": base, "clientID": 4711, "text": "aaaaa"})
	second := m.update(m.t, map[string]any{"base": base, "clientID": 4711, "text": "bbbbb"})
	m.attack("send", "bytes", first)
	m.alice.wait(want{"contains": "aaaaa"})
	m.mallory, twin = twin, m.mallory
	m.attack("send", "bytes", second)
	m.refused(4205)
	if st := twin.stats(); len(st.Closes) > 0 {
		m.t.Errorf("the first of the two was cut off: %+v", st.Closes)
	}
	if text := m.s.text(m.t, m.chen, m.note); strings.Contains(text, "bbbbb") {
		m.t.Errorf("the note has both: %q", text)
	}
}

// nestOneByOne goes as deep as it is let. The pair can remove it (I10).
func (m *malice) nestOneByOne() {
	m.attack("nestedOneByOne", "depth", 70)
	m.refused(4413)
	m.alice.wait(want{"blocks": 2})
	m.n.must(m.alice.name, "deleteBlock", map[string]any{"index": 1}, nil)
	m.bob.wait(want{"blocks": 1})
}

// crowd uses the note's clients up. Who has written goes on writing.
func (m *malice) crowd() {
	m.attack("crowd", "n", 4000, "times", 5)
	m.refused(4413)
}

// checkSame fails unless all have the same, and returns it.
func (m *malice) checkSame() replica {
	m.t.Helper()
	m.alice.wait(want{"text": m.s.text(m.t, m.chen, m.note), "unsynced": 0})
	m.bob.wait(want{"text": m.alice.state().Text, "unsynced": 0})
	same := m.s.checkReplicas(m.t, m.chen, m.note, m.alice, m.bob)
	m.alice.close()
	m.bob.close()
	return same
}

var peakMemory = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// memory is the most that the server ever had in memory, in KiB.
func (s *server) memory(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(s.cmd.Process.Pid) + "/status")
	if os.IsNotExist(err) {
		return 0 // not Linux
	}
	found := peakMemory.FindSubmatch(status)
	if err != nil || found == nil {
		t.Fatalf("no peak memory of the server: %v", err)
	}
	kib, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kib
}
