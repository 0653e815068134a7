package main

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// TestWitnessRefusesWhatIsOld: a server that shows a checkpoint of a minute ago is asked once more, and if it has signed nothing by then,
// the witness ends with status 2 and keeps what it was shown.
func TestWitnessRefusesWhatIsOld(t *testing.T) {
	t.Parallel()
	signer, err := audit.NewSigner("log.example", audit.NewSeed())
	if err != nil {
		t.Fatal(err)
	}
	signed := func(ago time.Duration) []byte {
		text, err := signer.SignCheckpoint(audit.Checkpoint{At: time.Now().Add(-ago).Truncate(time.Microsecond)})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	var shows [][]byte // one for each time that it is asked; the last again and again
	log := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(shows[0])
		shows = shows[min(1, len(shows)-1):]
	}))
	defer log.Close()
	for what, tt := range map[string]struct {
		shows [][]byte
		good  bool
	}{
		"stopped":    {[][]byte{signed(2 * time.Minute)}, false},
		"just begun": {[][]byte{signed(2 * time.Minute), signed(0)}, true},
	} {
		dir := t.TempDir()
		public := filepath.Join(dir, "public")
		if err := os.WriteFile(public, []byte(signer.Keys().String()), 0o600); err != nil {
			t.Fatal(err)
		}
		shows = tt.shows
		c := auditWitnessCmd{URL: log.URL, Public: public, Dir: dir, Name: "witness", Every: time.Second, Once: true}
		err := c.Run(t.Context(), slog.New(slog.DiscardHandler))
		var bad foundBad
		if tt.good != (err == nil) || !tt.good && (!errors.As(err, &bad) || bad.ExitCode() != 2 || !strings.Contains(err.Error(), "stale")) {
			t.Errorf("a log that has %s: %v", what, err)
		}
		if kept, err := filepath.Glob(filepath.Join(dir, "refused-*")); err != nil || (len(kept) == 1) == tt.good {
			t.Errorf("a log that has %s: kept is %v, %v", what, kept, err)
		}
	}
}
