package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// TestKeys: a demo makes its key once, for its owner alone, and needs it again; with another it does not start, and says why.
func TestKeys(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	path := filepath.Join(s.data, "keys")
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	said, err := s.command(t.Context(), "keys", "status", "--data", s.data)
	if err != nil || !strings.Contains(said, "0, 0 of which do not open") || !strings.Contains(said, "0 apps for codes") {
		t.Errorf("status: %q, %v", said, err)
	}
	if runtime.GOOS == "linux" {
		limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", s.cmd.Process.Pid))
		if err != nil || !regexp.MustCompile(`(?m)^Max core file size +0 +0 `).Match(limits) {
			t.Errorf("it may leave a core file: %v\n%s", err, limits)
		}
	}
	other := filepath.Join(t.TempDir(), "keys")
	if _, err := s.command(t.Context(), "keys", "init", other); err != nil {
		t.Fatal(err)
	}
	if said, err := s.command(t.Context(), "keys", "init", path); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Errorf("over the key that is there: %q, %v", said, err)
	}
	if said, err := s.command(t.Context(), "keys", "status", "--data", s.data, "--keys", other); err == nil || !strings.Contains(err.Error(), "do not fit") {
		t.Errorf("status of another key: %q, %v", said, err)
	}

	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	aside := path + ".aside"
	if err := os.Rename(path, aside); err != nil {
		t.Fatal(err)
	}
	if err := s.start(); err == nil || !strings.Contains(s.log.String(), "sealed with another key") {
		t.Errorf("with a key that it made anew: %v", err)
	}
	if err := os.Rename(aside, path); err != nil {
		t.Fatal(err)
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}
