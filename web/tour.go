package web

import (
	"slices"

	"github.com/clisonix/tidechart/web/words"
)

// Tour is the first steps, as somebody's first page shows them until they say that they need them no more.
type Tour struct {
	Steps []TourStep // none: it is not shown
}

// TourStep is one of them.
type TourStep struct {
	Title, Text words.Text
	Href        string // where to try it; "": here
	Link        words.Text
}

var tours = map[string][]TourStep{
	"clinician": {
		{"Open a note", "Choose one below, or begin one with “New note”. Colleagues can have it open, too: you see each other write, and nobody locks anybody out.", "", ""},
		{"Write, and look for “Saved”", "Everything is kept as you type. “Saved” means that it is stored, not only sent. “Authors” shows who wrote each sentence; “History”, behind “More”, how the note came about.", "", ""},
		{"Sign, and come back", "“Sign…” shows what you are about to sign, and who else wrote in it. “Changed since I looked” leads to what colleagues have written meanwhile.", "/?show=changed", "Changed since I looked"},
	},
	"nurse": {
		{"Open a note", "Choose one below, or begin one with “New note”. Colleagues can have it open, too: you see each other write, and nobody locks anybody out.", "", ""},
		{"Write, and look for “Saved”", "Everything is kept as you type. “Saved” means that it is stored, not only sent. “Authors” shows who wrote each sentence; “History”, behind “More”, how the note came about.", "", ""},
		{"Hand over", "Write a “Nursing handoff”, and sign it with “Sign…”. Whoever takes over opens it, goes through it with you, and presses “Read back and take over…”.", "", ""},
	},
	"charge nurse": {
		{"See the unit at a glance", "The board shows each bed, and who is writing about whom, as it happens. It can stay open all night.", boardOf, "Open the board"},
		{"See what is not signed", "“Unsigned” lists your notes, and those of your unit, the oldest first.", "/unsigned?of=unit", "Unsigned on my unit"},
		{"Know about emergency access", "When somebody opens a record that is not theirs, a line at the bottom of the page says so. You say whether it was right.", "/reviews", "Emergency access"},
	},
	"student": {
		{"Open a note", "Choose one below, or begin one with “New note”. What you begin is a draft, which you and your supervisor write in together.", "", ""},
		{"Write, and look for “Saved”", "Everything is kept as you type. “Saved” means that it is stored, not only sent. “Authors” shows who wrote each sentence.", "", ""},
		{"Say that it is ready", "“Ready for review” tells your supervisor, who reads and signs it. What they change is in “Changed since I looked”.", "/?show=changed", "Changed since I looked"},
	},
	"administrator": {
		{"Add people", "A person gets a code, which you hand to them. Role and unit decide what they see: nobody asks you for passwords.", "/admin/people", "People"},
		{"Look after what waits", "This page says what needs somebody: keys, servers, decisions. When it is empty, nothing does.", "/admin/system", "Servers"},
		{"See who wrote when", "Sessions show who had which note open, and how much they wrote, but never what: content is not yours to read.", "/admin/sessions", "Sessions"},
	},
	"privacy officer": {
		{"Review emergency access", "Whoever opens a record that is not theirs says why. You see it at once, on any page, and say whether it was right.", "/reviews", "Emergency access"},
		{"Find who opened a record", "Search for a patient on the overview: “Who opened it” lists everybody who did. The log of acts has all else.", "/reviews/log", "Log of acts"},
		{"Replay a session", "Sessions show who wrote when. From each, the note plays back, edit by edit, without touching it.", "/admin/sessions", "Sessions"},
	},
}

// TourFor is that of a role; unit is the one whose board they see, or "".
func TourFor(role, unit string) Tour {
	if role == "scribe" {
		role = "student"
	}
	steps, ok := tours[role]
	if !ok {
		steps = tours["clinician"]
	}
	steps = slices.Clone(steps)
	for i, step := range steps {
		if step.Href == boardOf {
			if steps[i].Href += unit; unit == "" {
				steps[i].Href = ""
			}
		}
	}
	return Tour{steps}
}

// boardOf is where boards are.
const boardOf = "/units/"
