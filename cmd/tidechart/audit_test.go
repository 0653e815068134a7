package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/clisonix/tidechart/server/audit"
)

// TestSeenFile: what a server has seen is kept whole, for nobody else to read; a file that is none is an error, and no memory.
func TestSeenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen")
	f := seenFile(path)
	if kept, err := f.Recall(); kept != nil || err != nil {
		t.Errorf("nothing was kept: %q, %v", kept, err)
	}
	for _, checkpoint := range []string{"one", "another"} {
		if err := f.Keep([]byte(checkpoint)); err != nil {
			t.Fatal(err)
		}
		if kept, err := f.Recall(); string(kept) != checkpoint || err != nil {
			t.Errorf("kept is %q, %v", kept, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if all, err := os.ReadDir(filepath.Dir(path)); err != nil || len(all) != 1 {
		t.Errorf("beside it lies %v, %v", all, err)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), audit.MaxCheckpoint+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Recall(); err == nil {
		t.Error("what is too long is recalled")
	}
}
