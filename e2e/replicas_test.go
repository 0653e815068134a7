package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/postgres"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/vault"
)

// replica is a note as somebody has it, in all that two replicas must share.
type replica struct{ vector, deleted, rendering string }

// replicaOf reads a replica from its whole state as one update.
func replicaOf(t *testing.T, whose string, updates ...[]byte) replica {
	t.Helper()
	doc := crdt.New("")
	for i, u := range updates {
		if err := doc.ApplyUpdate(u); err != nil {
			t.Fatalf("update %d of %s: %v", i+1, whose, err)
		}
		if doc.HasPending() {
			t.Fatalf("update %d of %s builds on what is not there", i+1, whose)
		}
	}
	return replica{
		vector:    fmt.Sprintf("%x", doc.EncodeStateVector()),
		deleted:   fmt.Sprint(doc.DeleteSet()),
		rendering: doc.XMLFragment("default").String(),
	}
}

// checkReplicas fails unless all who have the note have the same: its log from
// the first row on, each row of which must build on those before it, the
// newest base and the rows after it, the server, and every client, as Yjs
// itself renders it too (I4). It returns that replica.
func (s *server) checkReplicas(t *testing.T, token, note string, clients ...*yclient) replica {
	t.Helper()
	s.checkLog(t, note)
	rows, base, baseSeq := s.stored(t, note)
	want := replicaOf(t, "the log", rows...)
	got := map[string]replica{"the server": replicaOf(t, "the server", s.state(t, token, note, octets))}
	if baseSeq > 0 {
		got[fmt.Sprintf("the base of seq %d and its tail", baseSeq)] = replicaOf(t, "the base", append([][]byte{base}, rows[baseSeq:]...)...)
	}
	for _, c := range clients {
		st := c.state()
		if st.Pending {
			t.Errorf("%s waits for what never comes", c.name)
		}
		got[c.name] = replicaOf(t, c.name, st.Update)
		if other := clients[0].state().XML; st.XML != other {
			t.Errorf("Yjs renders what %s has otherwise than what %s has %s", c.name, clients[0].name, firstDifference(st.XML, other))
		}
	}
	for whose, have := range got {
		if have.rendering != want.rendering {
			t.Errorf("%s and the log differ %s", whose, firstDifference(have.rendering, want.rendering))
		} else if have != want {
			t.Errorf("%s and the log read alike and are not: clocks %s and %s, deleted %s and %s",
				whose, have.vector, want.vector, have.deleted, want.deleted)
		}
	}
	return want
}

// stored reads a note's rows, and its newest base if it has one.
func (s *server) stored(t *testing.T, note string) (rows [][]byte, base []byte, baseSeq int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	secret, err := vault.ReadFile(filepath.Join(s.data, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.New(secret)
	if err != nil {
		t.Fatal(err)
	}
	url, err := postgres.Running(s.data)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(ctx, url, keys)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	id := uuid.MustParse(note)
	for more := true; more; {
		log, err := db.ReadLog(ctx, id, uint64(len(rows)), 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range log {
			rows = append(rows, r.Update)
		}
		more = len(log) > 0
	}
	log, err := db.Load(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return rows, log.Base, int64(log.BaseSeq)
}
