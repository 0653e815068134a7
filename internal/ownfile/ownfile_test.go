package ownfile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/internal/ownfile"
)

// TestWhoMayRead: a file that others may read, or write, is refused; a group may read one of root's where the rule says so, and nobody
// else's.
func TestWhoMayRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	group := os.Geteuid() == 0                       // what this test makes is root's then
	for mode, good := range map[fs.FileMode][3]bool{ // of Owner, Group, GroupOfRoot
		0o600: {true, true, true}, 0o400: {true, true, true},
		0o640: {false, true, group}, 0o440: {false, true, group},
		0o660: {}, 0o644: {}, 0o604: {}, 0o602: {}, 0o610: {},
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		for i, rule := range []ownfile.Rule{ownfile.Owner, ownfile.Group, ownfile.GroupOfRoot} {
			text, err := ownfile.Read(path, 6, rule)
			if (err == nil) != good[i] || err == nil && string(text) != "secret" || err != nil && !strings.Contains(err.Error(), "chmod 600") {
				t.Errorf("rule %d of mode %v: %q, %v", i, mode, text, err)
			}
		}
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ownfile.Read(path, 5, ownfile.Owner); err == nil || !strings.Contains(err.Error(), "longer") {
		t.Errorf("a longer file: %v", err)
	}
}
