package paper

import (
	"context"
	"strings"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/web/words"
)

// Text is the copy as plain text, of lines that end with a newline. What stands in the note is as package prose writes it in every language.
func (n Note) Text(ctx context.Context) string {
	w := plain{rule: strings.Repeat("-", 72)}
	w.lines(strings.ToUpper(n.Title), n.Stamp(ctx), "")
	w.lines(n.Patient, n.born(ctx), n.mrn())
	for _, f := range n.Facts(ctx) {
		w.lines(f.Name + ": " + f.Value)
	}
	w.lines(w.rule, prose.Text(n.Body), w.rule)
	w.signed(ctx, n.Signatures, n.Done)
	for _, a := range n.Addenda {
		w.lines("", strings.ToUpper(a.Heading(ctx)), a.Stamp(ctx))
		if a.Reason != "" {
			w.lines(words.Say(ctx, reason) + ": " + a.Reason)
		}
		w.lines(w.rule, prose.Text(a.Body), w.rule)
		w.signed(ctx, a.Signatures, a.Done)
	}
	w.lines("", n.Copy.Says(ctx))
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

// signed says who signed, and what was done since.
func (w *plain) signed(ctx context.Context, signatures []Signature, done []Done) {
	w.lines(SignedBy(ctx, signatures)...)
	if heading, lines := DoneSince(ctx, done); lines != nil {
		w.lines("", heading)
		w.lines(lines...)
	}
}

// Markdown is the copy as CommonMark. What stands in the note is as package prose writes it in every language.
func (n Note) Markdown(ctx context.Context) string {
	var w plain
	say := func(format ...string) { w.lines(strings.Join(format, "")) }
	say("# ", md(n.Title))
	say()
	say("**", md(n.Stamp(ctx)), "**")
	say()
	say("**", md(n.Patient), "**")
	for _, f := range append([]Fact{{words.Say(ctx, "Born"), n.Born}, {"MRN", n.MRN}}, n.Facts(ctx)...) {
		say("- ", md(f.Name), ": ", md(f.Value))
	}
	say("\n---\n\n", prose.Markdown(n.Body), "\n\n---\n")
	signatures := func(list []Signature, done []Done) {
		for _, s := range SignedBy(ctx, list) {
			say("- ", md(s))
		}
		heading, lines := DoneSince(ctx, done)
		for i, line := range lines {
			if i == 0 {
				say("\n", md(heading), "\n")
			}
			say("- ", md(line))
		}
	}
	signatures(n.Signatures, n.Done)
	for _, a := range n.Addenda {
		say("\n# ", md(a.Heading(ctx)))
		say("\n**", md(a.Stamp(ctx)), "**")
		if a.Reason != "" {
			say("\n", md(words.Say(ctx, reason)), ": ", md(a.Reason))
		}
		say("\n---\n\n", prose.Markdown(a.Body), "\n\n---\n")
		signatures(a.Signatures, a.Done)
	}
	say("\n", md(n.Copy.Says(ctx)))
	return w.b.String()
}

// md is text that is not to be read as markup.
func md(text string) string {
	return prose.Markdown(prose.Node{Content: []prose.Node{{Type: "text", Text: strings.Join(strings.Fields(text), " ")}}})
}
