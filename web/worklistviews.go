package web

import (
	"context"
	"net/url"
	"slices"
	"strconv"

	"github.com/clisonix/tidechart/web/words"
)

// WorklistView is the page of somebody's patients and their notes.
type WorklistView struct {
	Shell
	Tour  Tour
	Show  WorklistShow
	Tabs  []Tab  // none: there is one part only
	Query string // the filter as typed
	Sort  string // of WorklistSorts; "": by bed
	Unit  string // id of the unit shown, "" for all
	Units []UnitLink
	// Kinds are the notes that the user may begin; none hides the form.
	Kinds []NoteKind
	Rows  []PatientRow
	Found int // patients who match, of whom Rows has the first
	// Truncated says that there are more notes than were looked through.
	Truncated bool
}

// WorklistShow is a part of the worklist.
type WorklistShow string

// The parts of the worklist. The last two are pages of their own.
const (
	ShowUnit     WorklistShow = "" // whom somebody cares for
	ShowMine     WorklistShow = "mine"
	ShowChanged  WorklistShow = "changed" // notes that others have written in since they looked
	ShowUnsigned WorklistShow = "unsigned"
	ShowCosign   WorklistShow = "cosign"
)

// Valid reports whether p is a part that the worklist itself shows.
func (p WorklistShow) Valid() bool { return p == ShowUnit || p == ShowMine || p == ShowChanged }

// Orders of the worklist.
const (
	SortName    = "name"
	SortWritten = "written"
)

// WorklistSorts are the orders to choose from; by bed is the first.
var WorklistSorts = []Option{{Value: "", Text: "bed"}, {Value: SortName, Text: "name"}, {Value: SortWritten, Text: "last written"}}

// Tab leads to a part of the worklist, with how much there is in it.
type Tab struct {
	Show  WorklistShow
	Count int
}

func (t Tab) name(ctx context.Context, unit string) string {
	switch t.Show {
	case ShowMine:
		return words.Say(ctx, "Mine")
	case ShowChanged:
		return words.Say(ctx, "Changed since I looked")
	case ShowUnsigned:
		return words.Say(ctx, "Unsigned")
	case ShowCosign:
		return words.Say(ctx, "To cosign")
	default:
		if unit == "" {
			return words.Say(ctx, "All patients")
		}
		return words.Say(ctx, "My unit")
	}
}

func (t Tab) href() string {
	switch t.Show {
	case ShowUnit:
		return "/"
	case ShowUnsigned, ShowCosign:
		return "/" + string(t.Show)
	default:
		return "/?show=" + string(t.Show)
	}
}

// Address is where the same is shown, but for what was looked for: that stands in no address (I14).
func (v WorklistView) Address() string {
	asked, usual := url.Values{}, ""
	if v.Show == ShowUnit {
		usual = v.UnitID
	} else {
		asked.Set("show", string(v.Show))
	}
	if v.Unit != usual {
		asked.Set("unit", v.Unit)
	}
	if v.Sort != "" {
		asked.Set("sort", v.Sort)
	}
	if len(asked) == 0 {
		return "/"
	}
	return "/?" + asked.Encode()
}

// says counts what is shown.
func (v WorklistView) says(ctx context.Context) string {
	text := words.Count(ctx, v.Found, "{n} patient", "{n} patients")
	if v.Show == ShowChanged {
		notes := 0
		for _, r := range v.Rows {
			notes += len(r.Notes)
		}
		text = words.Say(ctx, "{notes} of {text}", words.Count(ctx, notes, "{n} note", "{n} notes"), text)
	}
	if v.Found > len(v.Rows) {
		text += words.Say(ctx, "; the first {len} are shown: narrow the filter", strconv.Itoa(len(v.Rows)))
	}
	if v.Truncated {
		text += words.Say(ctx, "; older notes are left out: choose a unit")
	}
	return text
}

// has reports whether there is something in another part.
func (v WorklistView) has(part WorklistShow) bool {
	return slices.ContainsFunc(v.Tabs, func(t Tab) bool { return t.Show == part && t.Count > 0 })
}
