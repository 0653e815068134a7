package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// diskSize is room for a private Postgres and little more.
const diskSize = "size=300m"

// TestFullDisk: when the database's disk is full nothing is said to be saved
// that is not, the server stays up, and goes on when there is room (I2, I4).
func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	dir := filepath.Dir(s.data)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, diskSize); err != nil {
		t.Skipf("a small disk of its own takes the right to mount one: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
		_ = os.Remove(dir)
	})
	r := newKillRunOn(t, startNewServer(t, s))
	ballast := filepath.Join(dir, "ballast")
	for range 2 {
		r.awaitProgress()
		fill(t, ballast)
		for _, c := range r.typists {
			c.wait(want{"unackedWords": 10})
		}
		if !s.running() {
			t.Fatal("the server ended")
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		r.awaitProgress()
	}
	r.finish()
}

// fill writes until there is no room.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 1<<20); len(block) > 0; {
		switch _, err := f.Write(block); {
		case errors.Is(err, syscall.ENOSPC):
			block = block[:len(block)/2]
		case err != nil:
			t.Fatal(err)
		}
	}
}
