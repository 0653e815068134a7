package audit_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/clisonix/tidechart/server/audit"
)

func newSigner(t testing.TB, name string) *audit.Signer {
	t.Helper()
	s, err := audit.NewSigner(name, audit.NewSeed())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var someTime = time.Date(2026, 11, 22, 21, 42, 0, 123456000, time.UTC)

// TestBothSignatures: a checkpoint that lacks one of its two signatures, or has a wrong one, is none, and the error says which. A
// note is content with any one of them.
func TestBothSignatures(t *testing.T) {
	s := newSigner(t, "log.example")
	want := audit.Checkpoint{Origin: "log.example", Size: 12, At: someTime}
	want.Root[3] = 7
	signed, err := s.SignCheckpoint(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Keys().Open(signed); err != nil || got != want {
		t.Fatalf("it opens as %+v, %v", got, err)
	}
	text, signatures, _ := strings.Cut(string(signed), "\n\n")
	lines := strings.SplitAfter(strings.TrimSuffix(signatures, "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("it has %d signatures", len(lines))
	}
	classic, quantum := lines[0], lines[1]+"\n"
	if len(quantum) < 20*len(classic) {
		t.Fatal("the second one is not that of ML-DSA")
	}
	flip := func(line string) string { // a byte of the signature
		at := len(line) - 10
		other := byte('A')
		if line[at] == other {
			other = 'B'
		}
		return line[:at] + string(other) + line[at+1:]
	}
	for _, tt := range []struct{ name, signed, says string }{
		{"no ML-DSA", text + "\n\n" + classic, "ML-DSA-65 signature is missing"},
		{"no Ed25519", text + "\n\n" + quantum, "Ed25519 signature is missing"},
		{"none", text + "\n\n" + strings.ReplaceAll(classic, "log.example", "other.example"), "neither signature"},
		{"wrong ML-DSA", text + "\n\n" + classic + flip(quantum), "ML-DSA-65 signature is wrong"},
		{"wrong Ed25519", text + "\n\n" + flip(classic) + quantum, "Ed25519 signature is wrong"},
		{"another size", strings.Replace(string(signed), "\n12\n", "\n13\n", 1), "signature is wrong"},
		{"twice Ed25519", text + "\n\n" + classic + classic, "ML-DSA-65 signature is missing"},
		{"another's", string(mustSign(t, newSigner(t, "log.example"), want)), "neither signature"},
	} {
		if _, err := s.Keys().Open([]byte(tt.signed)); !errors.Is(err, audit.ErrSignature) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	classicKey, err := note.NewVerifier(strings.Split(s.Keys().String(), "\n")[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open([]byte(text+"\n\n"+classic), note.VerifierList(classicKey)); err != nil {
		t.Errorf("any C2SP client reads the Ed25519 signature: %v", err)
	}
	for _, bad := range []string{"", "\n\n", strings.Repeat("x", audit.MaxCheckpoint+1), "a\nb\n\n— log.example AAAA\n"} {
		if _, err := s.Keys().Open([]byte(bad)); err == nil {
			t.Errorf("%.10q is a checkpoint", bad)
		}
	}
}

func mustSign(t testing.TB, s *audit.Signer, c audit.Checkpoint) []byte {
	t.Helper()
	signed, err := s.SignCheckpoint(c)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// TestKeys: public keys are read as they are written, both or none, and of one name.
func TestKeys(t *testing.T) {
	a, b := newSigner(t, "a.example").Keys(), newSigner(t, "b.example").Keys()
	back, err := audit.ParseKeys("# for the auditor\n\n" + a.String())
	if err != nil || back.String() != a.String() || back.Fingerprint() != a.Fingerprint() || back.Name() != "a.example" {
		t.Fatalf("%v, %v", back, err)
	}
	classic, quantum, _ := strings.Cut(a.String(), "\n")
	_, others, _ := strings.Cut(b.String(), "\n")
	for name, text := range map[string]string{
		"one of them": classic, "the other": quantum, "twice the same": classic + "\n" + classic, "of two logs": classic + "\n" + others,
		"one too many": a.String() + classic, "nothing": "", "renamed": strings.ReplaceAll(a.String(), "a.example", "c.example"),
	} {
		if _, err := audit.ParseKeys(text); !errors.Is(err, audit.ErrKeys) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if a.Fingerprint() == b.Fingerprint() {
		t.Error("two keys have one fingerprint")
	}
	if _, err := audit.NewSigner("with space", audit.NewSeed()); err == nil {
		t.Error("a name that no note can have")
	}
}

// TestCosigned: a witness's signatures go with the log's, and do not replace them.
func TestCosigned(t *testing.T) {
	log, witness := newSigner(t, "log.example"), newSigner(t, "witness.example")
	signed := mustSign(t, log, audit.Checkpoint{Size: 3, At: someTime})
	both, err := witness.Cosign(audit.Only(log.Keys()), signed)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := witness.Keys().Cosigned(audit.Only(log.Keys()), both); err != nil || c.Size != 3 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := log.Keys().Open(both); err != nil {
		t.Errorf("the log's own: %v", err)
	}
	if _, err := witness.Keys().Cosigned(audit.Only(log.Keys()), signed); !errors.Is(err, audit.ErrSignature) {
		t.Errorf("without the witness's: %v", err)
	}
	text, _, _ := bytes.Cut(both, []byte("\n\n"))
	lines := strings.SplitAfter(string(both[len(text)+2:]), "\n")
	alone := string(text) + "\n\n" + lines[2] + lines[3]
	if _, err := witness.Keys().Cosigned(audit.Only(log.Keys()), []byte(alone)); !errors.Is(err, audit.ErrSignature) {
		t.Errorf("without the log's: %v", err)
	}
	if _, err := witness.Cosign(audit.Only(newSigner(t, "log.example").Keys()), signed); !errors.Is(err, audit.ErrSignature) {
		t.Errorf("a witness signs for a log that it does not know: %v", err)
	}
}
