package paper

import (
	"strconv"
	"strings"

	"github.com/clisonix/tidechart/crdt/prose"
)

// Text is the copy as plain text, of lines that end with a newline.
func (n Note) Text() string {
	w := plain{rule: strings.Repeat("-", 72)}
	w.lines(strings.ToUpper(n.Title), n.Stamp(), "")
	w.lines(n.Patient, "Born "+n.Born, "MRN "+n.MRN)
	for _, f := range n.Facts() {
		w.lines(f.Name + ": " + f.Value)
	}
	w.lines(w.rule, prose.Text(n.Body), w.rule)
	w.lines(SignedBy(n.Signatures)...)
	for _, a := range n.Addenda {
		w.lines("", strings.ToUpper(a.Heading()), a.Stamp())
		if a.Reason != "" {
			w.lines("Reason: " + a.Reason)
		}
		w.lines(w.rule, prose.Text(a.Body), w.rule)
		w.lines(SignedBy(a.Signatures)...)
	}
	w.lines("", n.Copy.String())
	return w.b.String()
}

type plain struct {
	b    strings.Builder
	rule string
}

func (w *plain) lines(lines ...string) {
	for _, line := range lines {
		w.b.WriteString(line)
		w.b.WriteByte('\n')
	}
}

// Markdown is the copy as CommonMark.
func (n Note) Markdown() string {
	var w plain
	say := func(format ...string) { w.lines(strings.Join(format, "")) }
	say("# ", md(n.Title))
	say()
	say("**", md(n.Stamp()), "**")
	say()
	say("**", md(n.Patient), "**")
	for _, f := range append([]Fact{{"Born", n.Born}, {"MRN", n.MRN}}, n.Facts()...) {
		say("- ", md(f.Name), ": ", md(f.Value))
	}
	say("\n---\n\n", prose.Markdown(n.Body), "\n\n---\n")
	signatures := func(list []Signature) {
		for _, s := range SignedBy(list) {
			say("- ", md(s))
		}
	}
	signatures(n.Signatures)
	for _, a := range n.Addenda {
		say("\n# ", md(a.Heading()))
		say("\n**", md(a.Stamp()), "**")
		if a.Reason != "" {
			say("\nReason: ", md(a.Reason))
		}
		say("\n---\n\n", prose.Markdown(a.Body), "\n\n---\n")
		signatures(a.Signatures)
	}
	say("\n", md(n.Copy.String()))
	return w.b.String()
}

// md is text that is not to be read as markup.
func md(text string) string {
	return prose.Markdown(prose.Node{Content: []prose.Node{{Type: "text", Text: strings.Join(strings.Fields(text), " ")}}})
}

// count writes a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
