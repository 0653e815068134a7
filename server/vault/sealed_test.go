package vault

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// service is a key service in memory: a key of its own, and what it was asked.
type service struct {
	key   [keySize]byte
	asked [][]byte
	fault error
}

func (s *service) Seal(_ context.Context, plain []byte) (string, error) {
	s.asked = append(s.asked, plain)
	return "service:" + base64.StdEncoding.EncodeToString(fileCipher(s.key).Seal(nil, nil, plain, nil)), s.fault
}

func (s *service) Open(_ context.Context, sealed string) ([]byte, error) {
	if s.fault != nil {
		return nil, s.fault
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sealed, "service:"))
	if err != nil {
		return nil, err
	}
	return fileCipher(s.key).Open(nil, nil, b, nil)
}

// TestSealedKeyFile: what a key service seals is read back through it alone; the file has no key in the clear, says which they are, and takes
// the place of one in the clear and the other way round; and the service is never shown a key.
func TestSealedKeyFile(t *testing.T) {
	made, _, err := NewSecret().Rotated().WithRecovery()
	if err != nil {
		t.Fatal(err)
	}
	by, path := &service{}, filepath.Join(t.TempDir(), "keys")
	text, err := made.Sealed(t.Context(), by)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := made.Text()
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteText(path, plain); err != nil {
		t.Fatal(err)
	}
	if err := ReplaceText(path, text); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	read, err := ReadText(path)
	if err != nil || !IsSealed(read) || IsSealed(plain) || !strings.HasPrefix(Ticket(read), "service:") || Ticket(plain) != "" {
		t.Fatalf("read back as %q, %v", read, err)
	}
	if again, err := ParseSealed(t.Context(), read, by); err != nil || !again.Equal(made) {
		t.Errorf("opened as another: %v", err)
	}
	if _, err := ReadFile(path); !errors.Is(err, ErrSealedFile) {
		t.Errorf("without the service: %v", err)
	}
	ids, err := made.IDs()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(plain)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		body := line[strings.LastIndexByte(line, '-')+1:]
		for _, shown := range append(by.asked, read) {
			if strings.Contains(string(shown), body[:20]) || bytes.Contains(shown, made.roots[0][:]) || bytes.Contains(shown, made.recovery.tags) {
				t.Error("a key is in the file, or was shown to the service")
			}
		}
	}
	for _, id := range ids {
		if !strings.Contains(string(read), "# Key "+id.String()) {
			t.Errorf("the file does not say that it has %v", id)
		}
	}
	other, err := made.Sealed(t.Context(), by)
	if err != nil || slices.EqualFunc(by.asked[:1], by.asked[1:], bytes.Equal) {
		t.Errorf("two files have the same key: %v", err)
	}
	lines := func(text []byte) []string { return strings.Split(strings.TrimSpace(string(text)), "\n") }
	mine, theirs := lines(read), lines(other)
	last := len(mine) - 1
	for what, text := range map[string]string{
		"another's key":   strings.Join(append(slices.Clone(mine[:last]), theirs[last]), "\n"),
		"another's keys":  strings.Join(append(slices.Clone(theirs[:last]), mine[last]), "\n"),
		"no key":          strings.Join(mine[:last], "\n"),
		"the key alone":   mine[last],
		"a line too many": strings.Join(append(slices.Clone(mine), mine[last]), "\n"),
		"a flipped bit":   flipped(mine, last-1),
		"a key of no one": strings.Join(append(slices.Clone(mine[:last]), "service:AAAA"), "\n"),
	} {
		if got, err := ParseSealed(t.Context(), []byte(text), by); err == nil || got.roots != nil || strings.Contains(err.Error(), mine[last-1][30:50]) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := ParseSealed(t.Context(), read, &service{key: [keySize]byte{1}}); err == nil {
		t.Error("another service opens it")
	}
	away := errors.New("away")
	if _, err := ParseSealed(t.Context(), read, &service{fault: away}); !errors.Is(err, away) {
		t.Errorf("while the service is away: %v", err)
	}
	if _, err := made.Sealed(t.Context(), &service{fault: away}); !errors.Is(err, away) {
		t.Errorf("sealed while the service is away: %v", err)
	}
	if err := ReplaceText(path, plain); err != nil {
		t.Errorf("in the clear again: %v", err)
	}
	full := made
	for len(full.roots) < maxKeys {
		full = full.Rotated()
	}
	text, err = full.Sealed(t.Context(), by)
	if err != nil {
		t.Fatal(err)
	}
	if err := ReplaceText(path, text); err != nil {
		t.Fatal(err)
	}
	if read, err = ReadText(path); err != nil {
		t.Errorf("as many keys as there may be: %v", err)
	} else if again, err := ParseSealed(t.Context(), read, by); err != nil || !again.Equal(full) {
		t.Errorf("as many keys as there may be: %v", err)
	}
}

// flipped changes a character in the middle of a line.
func flipped(lines []string, at int) string {
	changed := slices.Clone(lines)
	b := []byte(changed[at])
	if b[60] == 'A' {
		b[60] = 'B'
	} else {
		b[60] = 'A'
	}
	changed[at] = string(b)
	return strings.Join(changed, "\n")
}
