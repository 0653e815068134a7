package server

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/web/words"
)

// TestEachActHasWords: whoever reads the log of acts reads what people did, not what the program calls it.
func TestEachActHasWords(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "audit/event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Act" {
			act, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if n++; err != nil || actText(t.Context(), act) == act {
				t.Errorf("%s has no words for people", act)
			}
		}
		return true
	})
	if n < 40 {
		t.Errorf("found only %d acts", n)
	}
}

// TestCodesAreSaidInWords: what entries say more is said as people say it; what nobody knows stays as it is, and hashes are left out.
func TestCodesAreSaidInWords(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"page by unit":                               "on a page, by right of unit",
		"editor by unit, author":                     "in the editor, by right of unit, author",
		"note.pdf copy=K3W8ZQ2M5T by unit":           "as a PDF, copy: K3W8ZQ2M5T, by right of unit",
		"head=7 chain=abc= kind=handoff unit=4-west": "up to edit: 7, kind of note: Nursing handoff, unit: 4-west",
		"role=charge-nurse":                          "role: charge nurse",
		"3 found unit=icu":                           "3 found, unit: icu",
		"read note: no relation":                     "read note: no relation",
		"hold=0b8e7d5e-9c3f-4a44-9df1-2f6a2b9d6a10":  "hold: 0b8e7d5e",
		"severity, code status rev=2 mark=qqq=":      "severity, code status, change: 2",
		"freeze-over":                                "the time to sign was over",
		"whatever=1 strange":                         "whatever=1 strange",
		"went by bus":                                "went by bus",
		"":                                           "",
	} {
		if got := codeText(t.Context(), code); got != want {
			t.Errorf("%q is said as %q, want %q", code, got, want)
		}
	}
	for act := access.SeePatient; act.String() != "unknown act"; act++ {
		if !slices.Contains(codeNames, words.Text(act.String())) {
			t.Errorf("a refusal to %s is not in the catalogue", act)
		}
	}
	for r := access.Allowed; r.String() != access.Reason(0).String(); r++ {
		if !slices.Contains(codeNames, words.Text(r.String())) {
			t.Errorf("the reason %q is not in the catalogue", r)
		}
	}
}
