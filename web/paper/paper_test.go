package paper

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/internal/needs"
	"github.com/clisonix/tidechart/web/words"
	"github.com/clisonix/tidechart/web/words/wordstest"
)

var update = flag.Bool("update", false, "write the golden files")

// TestCopies: what the text formats say, to the letter.
func TestCopies(t *testing.T) {
	for name, got := range map[string]string{
		"draft.txt": sample().Text(t.Context()), "draft.md": sample().Markdown(t.Context()), "signed.txt": signedSample().Text(t.Context()), "signed.md": signedSample().Markdown(t.Context()),
	} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is\n%s", name, got)
		}
	}
}

// read runs a program of poppler's on a PDF, and returns what it says.
func read(t *testing.T, pdf []byte, program string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		needs.Missing(t, "no "+program)
	}
	file := filepath.Join(t.TempDir(), "note.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	args = append(args, file)
	if program == "pdftotext" {
		args = append(args, "-")
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", program, err, out)
	}
	return string(out)
}

func makePDF(t *testing.T, n Note) []byte {
	t.Helper()
	pdf, err := n.PDF(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

// squeezed is text without what a page breaks lines and columns with.
func squeezed(s string) string { return strings.Join(strings.Fields(s), " ") }

// TestPDF: another program reads in it what the note says, in its order and whatever the script; what it cannot show it names, and says so.
func TestPDF(t *testing.T) {
	t.Parallel()
	got := squeezed(read(t, makePDF(t, sample()), "pdftotext", "-layout"))
	for _, want := range []string{
		"DRAFT – preliminary, not signed, may change", "OKONKWO-LINDQVIST, Adaeze (Mrs)", "Born 14-Jul-1945 (81y)", "MRN T-104248",
		"Allergies Known allergies penicillin, latex", "Kind of note Progress note (LOINC 11506-3)", "Where 4 West, bed 12-A",
		"Written by Dr Mei Chen, attending (212 words); Rosa Rivera RN, nurse (1 word)",
		"Slept badly. No chest pain, no dyspnoea; see the guideline (https://example.org/sepsis).",
		"• BP 118/76, SpO₂ 96 % → 94 %, T 38.2 °C", "1. KCl 20 mmol, 250 µg of it", "2. Recheck at 14:00", "“I feel like I am drowning,” she said.",
		"Na 139 K 3.1", "Łódź, Ångström, naïve, Ελληνικά, Кириллица, ≥ ≤ ± × √ ∆", "שלום", "עולם", "123",
		"Called [U+1F44D] and [U+6F22][U+5B57]", "Unsupported content medicationCard", "5 mg", "amLODIPine",
		"Nobody has signed this note.", "written as their Unicode numbers", "Printed by Dr Mei Chen, attending, 22-Nov-2026 12:05, copy K3W8ZQ2M5T", "Page 1 of",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the PDF does not say %q", want)
		}
	}
	if strings.Contains(got, "joined stand apart") {
		t.Error("it warns of letters that it does not have")
	}
	if t.Failed() {
		t.Log(got)
	}

	got = squeezed(read(t, makePDF(t, signedSample()), "pdftotext", "-layout"))
	for _, want := range []string{
		"SIGNED, ADDED TO SINCE", "Author: Sam Okafor MD, 22-Nov-2026 11:05:00 UTC", "Cosigned: Dr Mei Chen, 22-Nov-2026 11:06:00 UTC",
		"Correction, begun 22-Nov-2026 12:05 by Dr Mei Chen", "Reason The wrong side was named.", "It is the left hip.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the signed PDF does not say %q", want)
		}
	}
	if strings.Contains(got, "DRAFT") || strings.Contains(got, "Nobody has signed") {
		t.Error("a signed note passes for a draft")
	}
}

// TestEveryPage has who the patient is, the state of the note, and which page of how many it is, however long it becomes and whatever is
// in it; no word of it is on no page.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	n := sample()
	n.Body.Content = nil
	const paragraphs = 400
	for i := range paragraphs {
		n.Body.Content = append(n.Body.Content, block("paragraph", text(fmt.Sprintf("w%d ", i)+strings.Repeat("and so on {nb} ", i%40))))
	}
	n.Body.Content = append(n.Body.Content, block("paragraph", text(strings.Repeat("x", 5000)))) // no blank in it
	pages := strings.Split(strings.TrimSuffix(read(t, makePDF(t, n), "pdftotext", "-layout"), "\f"), "\f")
	if len(pages) < 5 {
		t.Fatalf("%d pages", len(pages))
	}
	all := squeezed(strings.Join(pages, " "))
	for i, page := range pages {
		for _, want := range []string{n.Patient, "Born " + n.Born, "MRN " + n.MRN, "DRAFT", fmt.Sprintf("Page %d of %d", i+1, len(pages)), n.Copy.ID} {
			if !strings.Contains(squeezed(page), want) {
				t.Errorf("page %d of %d does not say %q", i+1, len(pages), want)
			}
		}
	}
	for i := range paragraphs {
		if !strings.Contains(all, fmt.Sprintf("w%d ", i)) {
			t.Errorf("paragraph %d is on no page", i)
		}
	}
	if got, want := strings.Count(all, "{nb}"), (paragraphs/40)*(39*40/2); got != want {
		t.Errorf("%d of %d words are there", got, want)
	}
	if got := strings.Count(all, "x") - strings.Count(all, "expired"); got < 5000 {
		t.Errorf("%d of 5000 letters of a long word are there", got)
	}
}

// fonts are the sums of the faces when the program begins.
var fonts = func() map[*face][32]byte {
	sums := make(map[*face][32]byte)
	for _, f := range append(faces[:], monospaced) {
		sums[f] = sha256.Sum256(f.ttf)
	}
	return sums
}()

// TestSameNoteSameBytes, and nobody's name in what a program shows of a file without opening it.
func TestSameNoteSameBytes(t *testing.T) {
	t.Parallel()
	n := sample()
	one := makePDF(t, n)
	for range 5 {
		if !bytes.Equal(one, makePDF(t, n)) {
			t.Fatal("the same note gives other bytes")
		}
	}
	for _, f := range append(faces[:], monospaced) {
		if sum := sha256.Sum256(f.ttf); fonts[f] != sum {
			t.Error("making a PDF changes the fonts of the next")
		}
	}
	n.Copy.ID = "ANOTHERONE"
	if bytes.Equal(one, makePDF(t, n)) {
		t.Error("two copies are the same")
	}
	info := read(t, one, "pdfinfo")
	if !strings.Contains(info, "Progress note") {
		t.Errorf("the file has no title:\n%s", info)
	}
	for _, secret := range []string{"OKONKWO", "Adaeze", "T-104248", "Chen"} {
		if strings.Contains(info, secret) {
			t.Errorf("metadata name %q", secret)
		}
	}
	if fonts := read(t, one, "pdffonts"); !strings.Contains(fonts, "yes") || strings.Contains(fonts, " no  no") {
		t.Errorf("fonts are not embedded:\n%s", fonts)
	}
	if len(one) > 400<<10 {
		t.Errorf("two pages take %d bytes", len(one))
	}
}

// order is the text of a line as it stands, from the left.
func order(s string) string {
	var w setter
	gs := w.add(nil, s, look{size: bodySize})
	var b strings.Builder
	for _, g := range visual(gs, rightToLeft(gs)) {
		b.WriteRune(g.r)
	}
	return b.String()
}

// TestRightToLeft: scripts that are written from the right stand so, numbers and other words in them as they are.
func TestRightToLeft(t *testing.T) {
	for logical, want := range map[string]string{
		"plain text, 12 (3)": "plain text, 12 (3)",
		"אבג":                "גבא",
		"אבג 123 דה":         "הד 123 גבא",
		"abc אבג 12 דה xyz":  "abc הד 12 גבא xyz",
		"אב (גד) abc":        "abc (דג) בא",
		"abc (אב)":           "abc (בא)",
		"אֹב":                "באֹ",
	} {
		if got := order(logical); got != want {
			t.Errorf("%q stands as %q, want %q", logical, got, want)
		}
	}
	var w setter
	if w.add(nil, "سلام", look{size: bodySize}); !w.joined {
		t.Error("letters that should be joined are not warned of")
	}
}

// TestHiddenCharacters: what shows nothing, or has a reader see another order than there is, is named.
func TestHiddenCharacters(t *testing.T) {
	for _, hidden := range []rune{0x202E, 0x2066, 0x200B, 0x200D, 0xFEFF, 0x0007, 0xE000, 0xFE0F, 0x2028, 0x1F600} {
		if got, want := order("a"+string(hidden)+"b"), fmt.Sprintf("a[U+%04X]b", hidden); got != want {
			t.Errorf("%U: %q, want %q", hidden, got, want)
		}
	}
}

// TestCopiesInAnotherLanguage: all that a copy says around a note is in the language of whoever takes it, and what the note says is not.
func TestCopiesInAnotherLanguage(t *testing.T) {
	t.Parallel()
	ctx := words.In(t.Context(), wordstest.Accented(t))
	data := wordstest.Data(t, "sample_test.go")
	full := signedSample()
	full.Body.Content = append(full.Body.Content, prose.Node{Type: "taskList", Content: []prose.Node{
		{Type: "taskItem", Attrs: map[string]any{"owner": "1", "ownerName": "Rosa Rivera RN", "due": "2026-11-23T14:00"}, Content: []prose.Node{block("paragraph", text("Recheck"))}},
		{Type: "taskItem", Attrs: map[string]any{"due": "2026-11-24"}, Content: []prose.Node{block("paragraph", text("Recheck", "insertion"))}},
	}})
	draft := sample()
	draft.Body = block("doc", block("paragraph", text("Slept badly."))) // of the rest of it, prose writes names of its own
	pdf, err := full.PDF(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, copied := range map[string]string{"text": draft.Text(ctx), "Markdown": draft.Markdown(ctx), "PDF": read(t, pdf, "pdftotext", "-layout")} {
		for _, left := range wordstest.LeftIn(copied, data) {
			t.Errorf("%s says in English: %.60s", name, left)
		}
		if !strings.Contains(copied, "22-Ñöṽ-2026") || !strings.Contains(copied, "Slept badly.") {
			t.Errorf("%s says\n%s", name, copied)
		}
	}
}
