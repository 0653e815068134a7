package misread

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

//go:embed testdata/cases.json
var cases []byte

// TestCases: what is easily misread is found where it stands, with what to write instead, and nothing in ordinary words. The editor is held to
// the same cases (web/src/misread.test.ts).
func TestCases(t *testing.T) {
	var all []struct {
		Text string   // with what is found in guillemets
		To   []string // the likeliest to write instead, of each
	}
	if err := json.Unmarshal(cases, &all); err != nil || len(all) < 40 {
		t.Fatalf("%d cases, %v", len(all), err)
	}
	used := make(map[string]bool)
	for _, c := range all {
		var marked strings.Builder
		var to []string
		text, at := strings.NewReplacer("«", "", "»", "").Replace(c.Text), 0
		for _, p := range Find(text) {
			marked.WriteString(text[at:p.From] + "«" + text[p.From:p.To] + "»")
			to, at = append(to, p.Instead[0]), p.To
			used[p.Why] = true
		}
		if marked.WriteString(text[at:]); marked.String() != c.Text || !slices.Equal(to, c.To) {
			t.Errorf("%q\n     is %q, %q\nwant %q, %q", text, marked.String(), to, c.Text, c.To)
		}
	}
	for _, r := range rules {
		if !used[r.Why] {
			t.Errorf("no case has %s", r.ID)
		}
	}
}

// FuzzFind: whatever the text, what is found lies in it, in order, and apart.
func FuzzFind(f *testing.F) {
	for _, text := range []string{"10 U qd", "\xff.5 mg", "µg µ", "> 5 < 3"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		end := 0
		for _, p := range Find(text) {
			if p.From < end || p.To <= p.From || p.To > len(text) || len(p.Instead) == 0 {
				t.Fatalf("%+v in %q", p, text)
			}
			end = p.To
		}
	})
}
