package e2e

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// kills is how often each of server and database dies, and how often both do
// with edits in flight between them.
const (
	kills         = 20
	inFlightKills = 5
)

// TestNoAcknowledgedEditIsLost: while four clients type, two over each
// protocol, the server, or its database, is killed again and again. Every edit
// that a client was told to be saved is there afterwards, and the note's log
// is 1 … head without a hole (I2, I4).
func TestNoAcknowledgedEditIsLost(t *testing.T) {
	t.Run("server killed", func(t *testing.T) {
		t.Parallel()
		r := newKillRun(t)
		for range envInt(t, "E2E_KILLS", kills) {
			r.awaitProgress()
			r.killServer()
		}
		r.finish()
	})
	t.Run("server killed with edits in flight", func(t *testing.T) {
		t.Parallel()
		r := newKillRun(t)
		for range min(inFlightKills, envInt(t, "E2E_KILLS", kills)) {
			r.awaitProgress()
			r.s.freezePostgres(t)
			for _, c := range r.typists {
				c.wait(want{"unackedWords": 3})
			}
			if err := r.s.kill(); err != nil {
				t.Fatal(err)
			}
			r.s.killPostgres(t) // it must not commit what it was given after all
			// Nobody stops typing, and the clients come back by themselves: what
			// they typed meanwhile builds on edits that the server has lost.
			if err := r.s.start(); err != nil {
				t.Fatal(err)
			}
		}
		r.finish()
	})
	t.Run("postgres killed", func(t *testing.T) {
		t.Parallel()
		r := newKillRun(t)
		for range envInt(t, "E2E_KILLS", kills) {
			r.awaitProgress()
			// What anybody can see in the database is committed for good. The
			// clients would send again what it lost, so the rows are compared.
			head, rows := r.log(math.MaxInt64)
			r.s.killPostgres(t)
			r.awaitProgress()
			if _, now := r.log(head); now != rows {
				t.Fatalf("the log up to seq %d is not what it was before the database died", head)
			}
		}
		r.finish()
	})
}

// killRun is four typists on one note of a server that dies.
type killRun struct {
	t       *testing.T
	s       *server
	n       *node
	rng     *rand.Rand
	token   string
	note    string
	typists []*yclient
	line    *proxy // that the typists are connected over; nil: none
}

// overBadLines puts a line that can be made bad before a server's typists.
func overBadLines(r *killRun, seed uint64) { r.line = startProxy(r.t, r.s, seed) }

func newKillRun(t *testing.T, options ...func(*killRun, uint64)) *killRun {
	t.Helper()
	return newKillRunOn(t, startServer(t), options...)
}

func newKillRunOn(t *testing.T, s *server, options ...func(*killRun, uint64)) *killRun {
	t.Helper()
	n := seed(t)
	r := &killRun{t: t, s: s, n: startNode(t), rng: rand.New(rand.NewPCG(n, 2)), token: s.token(t, "chen")}
	r.note = s.newNote(t, r.token)
	url := s.ws()
	for _, option := range options {
		option(r, n)
	}
	if r.line != nil {
		url = r.line.ws()
	}
	for _, p := range []struct{ name, user, kind string }{
		{"a", "chen", yWebsocket},
		{"b", "rivera", hocuspocusV4},
		{"c", "okafor", yWebsocket},
		{"d", "haddad", hocuspocusV3},
	} {
		c := r.n.connect(p.name, p.kind, s, r.note, s.token(t, p.user), map[string]any{"backoff": 1000, "url": url})
		c.wait(want{"synced": true})
		r.typists = append(r.typists, c)
	}
	r.typists[0].fresh()
	for _, c := range r.typists {
		c.wait(want{"blocks": 1, "text": ""}) // before anybody types
	}
	for i, c := range r.typists {
		r.n.must(c.name, "type", map[string]any{"everyMs": 40, "seed": n + uint64(i)}, nil)
	}
	return r
}

// awaitProgress waits until each client has some more edits acknowledged, a
// random number, so that death comes at any moment of the work.
func (r *killRun) awaitProgress() {
	r.t.Helper()
	for _, c := range r.typists {
		c.wait(want{"progress": c.stats().Progress + 1 + r.rng.IntN(12)})
	}
}

// killServer kills the server, starts it again while the clients stay away,
// and looks for what it had acknowledged before anybody can send it again.
func (r *killRun) killServer() {
	r.t.Helper()
	if err := r.s.kill(); err != nil {
		r.t.Fatal(err)
	}
	for _, c := range r.typists {
		r.n.must(c.name, "leave", nil, nil)
	}
	acked := r.ledgers()
	if err := r.s.start(); err != nil {
		r.t.Fatal(err)
	}
	r.checkAcked(acked, r.s.text(r.t, r.token, r.note))
	for _, c := range r.typists {
		r.n.must(c.name, "comeBack", nil, nil)
	}
}

// ledger is what a typist wrote.
type ledger struct {
	Lost  []string `json:"lost"`
	Words []struct {
		Word          string `json:"word"`
		Acked         bool   `json:"acked"`
		Deleted       bool   `json:"deleted"`
		DeletionAcked bool   `json:"deletionAcked"`
	} `json:"words"`
}

func (r *killRun) ledgers() map[string]ledger {
	r.t.Helper()
	all := map[string]ledger{}
	for _, c := range r.typists {
		var l ledger
		r.n.must(c.name, "ledger", nil, &l)
		all[c.name] = l
	}
	return all
}

// wordsIn counts the words of a text.
func wordsIn(text string) map[string]int {
	words := map[string]int{}
	for w := range strings.SplitAfterSeq(text, ";") {
		words[w]++
	}
	return words
}

// checkAcked fails if the text lacks a word whose insertion was acknowledged,
// or has one whose deletion was. A deletion that was not acknowledged may
// have come through or not.
func (r *killRun) checkAcked(ledgers map[string]ledger, text string) (words int) {
	r.t.Helper()
	have := wordsIn(text)
	for name, l := range ledgers {
		if len(l.Lost) > 0 {
			r.t.Errorf("words %q of %s vanished from its own copy", l.Lost, name)
		}
		for _, w := range l.Words {
			switch n := have[w.Word]; {
			case w.DeletionAcked && n != 0:
				r.t.Errorf("%s was told that the deletion of %q is saved; the server has it", name, w.Word)
			case w.Acked && !w.Deleted && n != 1:
				r.t.Errorf("%s was told that %q is saved; the server has it %d times", name, w.Word, n)
			}
			if w.Acked {
				words++
			}
		}
	}
	if r.t.Failed() {
		r.t.FailNow()
	}
	return words
}

// finish ends the typing and checks what is left: acknowledged edits in a
// server that starts from the database alone, then that all clients agree, and
// that nobody has anything unsaved.
func (r *killRun) finish() {
	r.t.Helper()
	r.awaitProgress()
	for _, c := range r.typists {
		r.n.must(c.name, "stopTyping", nil, nil)
	}
	r.killServer()
	r.s.checkLog(r.t, r.note)
	// Each client's last word comes after all its others.
	last := map[string]string{}
	for _, c := range r.typists {
		c.wait(want{"synced": true})
		last[c.name] = "last-" + c.name + ";"
		c.insert(-1, last[c.name])
	}
	var everyLast []string
	for _, w := range last {
		everyLast = append(everyLast, w)
	}
	for _, c := range r.typists {
		c.wait(want{"contains": everyLast})
	}
	text := r.typists[0].state().Text
	for _, c := range r.typists {
		c.wait(want{"text": text, "synced": true})
	}
	if got := r.s.text(r.t, r.token, r.note); got != text {
		r.t.Errorf("the server's text differs from the clients' %s", firstDifference(got, text))
	}
	r.checkEveryWord(text)
	for _, c := range r.typists {
		if c.name == "b" || c.name == "d" { // y-websocket keeps no count
			c.wait(want{"unsynced": 0})
		}
	}
	r.s.checkReplicas(r.t, r.token, r.note, r.typists...)
}

// checkEveryWord fails unless the text has each word that was not deleted
// once, acknowledged or not: the clients were there all the time.
func (r *killRun) checkEveryWord(text string) {
	r.t.Helper()
	ledgers := r.ledgers()
	acked := r.checkAcked(ledgers, text)
	have, written := wordsIn(text), 0
	for name, l := range ledgers {
		written += len(l.Words)
		for _, w := range l.Words {
			if n := have[w.Word]; n > 1 || (n == 1) == w.Deleted {
				r.t.Errorf("word %q of %s (deleted: %v) is there %d times", w.Word, name, w.Deleted, n)
			}
		}
	}
	r.t.Logf("%d words written, %d acknowledged one by one", written, acked)
}

// log returns the newest seq up to a limit, as the database has it, and a
// digest of the rows up to there.
func (r *killRun) log(upTo int64) (head int64, digest string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	const query = `
		SELECT max(seq), md5(string_agg(concat_ws('|', seq, author_id, at, md5(data)), ',' ORDER BY seq))
		  FROM note_update WHERE note_id = $1 AND seq <= $2`
	if err := r.s.db(r.t).QueryRow(ctx, query, r.note, upTo).Scan(&head, &digest); err != nil {
		r.t.Fatal(err)
	}
	return head, digest
}
