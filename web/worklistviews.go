package web

import (
	"net/url"
	"slices"
	"strconv"
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
var WorklistSorts = []Choice{{Value: "", Text: "bed"}, {Value: SortName, Text: "name"}, {Value: SortWritten, Text: "last written"}}

// Tab leads to a part of the worklist, with how much there is in it.
type Tab struct {
	Show  WorklistShow
	Count int
}

func (t Tab) name(unit string) string {
	switch t.Show {
	case ShowMine:
		return "Mine"
	case ShowChanged:
		return "Changed since I looked"
	case ShowUnsigned:
		return "Unsigned"
	case ShowCosign:
		return "To cosign"
	default:
		if unit == "" {
			return "All patients"
		}
		return "My unit"
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
func (v WorklistView) says() string {
	text := count(v.Found, "patient", "patients")
	if v.Show == ShowChanged {
		notes := 0
		for _, r := range v.Rows {
			notes += len(r.Notes)
		}
		text = count(notes, "note", "notes") + " of " + text
	}
	if v.Found > len(v.Rows) {
		text += "; the first " + strconv.Itoa(len(v.Rows)) + " are shown: narrow the filter"
	}
	if v.Truncated {
		text += "; older notes are left out: choose a unit"
	}
	return text
}

// has reports whether there is something in another part.
func (v WorklistView) has(part WorklistShow) bool {
	return slices.ContainsFunc(v.Tabs, func(t Tab) bool { return t.Show == part && t.Count > 0 })
}
