package e2e

import (
	"syscall"
	"testing"
)

// cuts is how many lines break before TestBadLines has seen enough.
const cuts = 10

// TestBadLines: two people over each protocol type over lines that delay,
// pass on a few bytes at a time and break in the middle of frames. What they
// were told to be saved is there, and all have the same (I2, I4).
func TestBadLines(t *testing.T) {
	t.Parallel()
	r := newKillRun(t, overBadLines)
	r.line.bad.Store(true)
	enough := int64(envInt(t, "E2E_KILLS", cuts))
	for r.line.cuts.Load() < enough {
		r.awaitProgress()
	}
	r.line.bad.Store(false)
	r.finish()
	t.Logf("%d lines cut", r.line.cuts.Load())
}

// TestDatabaseRestarts: while four people type, the database is shut down as
// an operator does it, and comes back (I2, I4).
func TestDatabaseRestarts(t *testing.T) {
	t.Parallel()
	r := newKillRun(t)
	for range min(5, envInt(t, "E2E_KILLS", 5)) {
		r.awaitProgress()
		tree := r.s.postgresTree()
		if len(tree) == 0 {
			t.Fatal("no Postgres runs")
		}
		if err := syscall.Kill(tree[0], syscall.SIGINT); err != nil { // a fast shutdown
			t.Fatal(err)
		}
		for _, c := range r.typists {
			c.wait(want{"unackedWords": 1})
		}
		r.awaitProgress()
	}
	r.finish()
}
