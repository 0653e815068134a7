package web

import (
	"context"
	"strings"

	"github.com/clisonix/tidechart/web/words"
)

// What code, the database and the API name in English, whoever reads, and pages show in the reader's language. Names of kinds of notes
// and their sections are in package notekind, those of relations in [relations].
var names = []words.Text{
	// roles of package access
	"attending", "resident", "nurse", "charge nurse", "pharmacist", "student", "scribe", "service account", "administrator", "privacy officer", "display",
	// ties of package access
	"unit", "team", "supervised", "author", "glass", "answers", "own",
	// genders of patients; an import may have others
	"Female", "Male", "Other", "Indeterminate", "Not Specified", "Not Known",
	// how words came
	"typed", "pasted", "imported", "carried", "recovered",
	// what the store says instead of a text
	unreadable, destroyed,
	// how an act ended, what a review found, of what records are, and how they are classed
	"done", "refused", "failed", "appropriate", "inappropriate", "notes", "patients", "standard", "minor",
	// what browsers run on, and what programs come with
	"an iPhone", "an iPad", "a Mac", "a token",
	// what a bed says
	"severity", "code status", "isolation", "discharge",
}

// Named is such a name as whoever reads has it; of any other, what it is.
func Named(ctx context.Context, name string) string { return words.Say(ctx, words.Text(name)) }

// What package store says instead of a text that does not open, and of one that was destroyed.
const (
	unreadable words.Text = "(does not open)"
	destroyed  words.Text = "(destroyed)"
)

// Kept is a text that somebody wrote, or a name of a patient, as the store gives it.
func Kept(ctx context.Context, text string) string {
	if text == string(unreadable) || text == string(destroyed) {
		return Named(ctx, text)
	}
	return text
}

// NamedAll are several, between commas.
func NamedAll(ctx context.Context, list string) string {
	all := strings.Split(list, ", ")
	for i, name := range all {
		all[i] = Named(ctx, name)
	}
	return strings.Join(all, ", ")
}

// Titled is the title of a note, which is the name of its kind, behind what it is to another note if it is about one.
func Titled(ctx context.Context, title string) string {
	if words.Of(ctx) == nil {
		return title
	}
	before, kind, about := strings.Cut(title, ": ")
	if !about {
		return Named(ctx, title)
	}
	return words.Say(ctx, "{relation}: {title}", Named(ctx, before), Titled(ctx, kind))
}

// Device is with what somebody came, which is stored in English: a browser on a system, or a token.
func Device(ctx context.Context, name string) string {
	if label, is := strings.CutPrefix(name, "token “"); is {
		return words.Say(ctx, "token “{label}”", strings.TrimSuffix(label, "”"))
	}
	browser, system, on := strings.Cut(name, " on ")
	if !on {
		return Named(ctx, name)
	}
	return words.Say(ctx, "{browser} on {system}", browser, Named(ctx, system))
}
