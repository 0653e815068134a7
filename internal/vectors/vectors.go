// Package vectors reads test vectors of others.
package vectors

import (
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Hex is bytes that a file has as hexadecimal digits.
type Hex []byte

// UnmarshalText reads them.
func (h *Hex) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// Read decodes a file of JSON, which may be compressed.
func Read(t testing.TB, path string, into any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // only read
	var text io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if text, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := json.NewDecoder(text).Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// all names the folder of Wycheproof's module that make vectors downloads: 100 MB.
const all = "TIDECHART_WYCHEPROOF"

// Wycheproof decodes one of Wycheproof's files: of each kind of test the first, which testdata has, or all of them. It reports how many there have
// to be.
func Wycheproof(t testing.TB, name string, into any) (whole bool) {
	t.Helper()
	if dir := os.Getenv(all); dir != "" {
		Read(t, filepath.Join(dir, "testvectors_v1", name+".json"), into)
		return true
	}
	Read(t, filepath.Join("testdata", name+".json.gz"), into)
	return false
}

// Circl is the folder of circl's module, which has those of NIST's ACVP.
func Circl(t testing.TB) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/cloudflare/circl").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
