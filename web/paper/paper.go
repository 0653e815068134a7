// Package paper is what of a note leaves Tidechart: who it is about, what state it was in, what it said, who signed it, and who took
// the copy. From one [Note] come a PDF, Markdown and plain text here, and HTML in package web: none says less than another.
//
// Nothing is dropped (I6): what a copy cannot show it names. The same note gives the same bytes.
package paper

import (
	"context"
	"strings"
	"time"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/web/words"
)

// Layouts of times on paper: those of the NHS Common User Interface, whatever the reader's language.
const (
	dateLayout = "02-Jan-2006"
	timeLayout = dateLayout + " 15:04"
)

// A Note is one copy of a note. Texts are as they are to be read, in the language of whoever takes the copy, in which all methods say
// the rest; what the note itself says is never translated. Times are shown in the location they carry.
type Note struct {
	Patient   string // "FAMILY, Given (Title)"
	Born      string // "14-Jul-1945 (61y)"
	Gender    string
	MRN       string
	Allergies string // the statement, with what is known

	Kind, Title string
	LOINC       string
	Unit, Bed   string
	State       string // as the store names it
	About       string // "Correction to note 1a2b3c4d"; empty: it stands alone
	Reason      string // why it was begun about that

	Begun, Saved Event // Saved has no name
	Contributors []Contributor
	Carried      []string // "51 words from the note of 12-Nov-2026, 3 days old"
	Body         prose.Node
	Signatures   []Signature
	Done         []Done     // in the order of the note
	Addenda      []Addendum // the oldest first

	Copy Copy
}

// Event is who did something, and when.
type Event struct {
	By string
	At time.Time
}

// Contributor is somebody whose words are in the note, and how many.
type Contributor struct {
	Name, Role string
	Words      int
}

// Signature is as a signed note shows it: 21 CFR 11.50 wants printed name, date and time, and meaning.
type Signature struct {
	Name    string
	Meaning string // in words: "Author", "Cosigned"
	At      time.Time
	Said    string // with it, such as an attestation; "": nothing
}

// Addendum is a note of its own about this one: the original never changes.
type Addendum struct {
	Kind       string // "Addendum", "Correction", "Late entry", "Retraction"
	State      string
	Begun      Event
	Reason     string
	Body       prose.Node
	Signatures []Signature
	Done       []Done
}

// Done is a task of a signed note that was done since: what was signed says still that it is to be done.
type Done struct {
	Text string
	Event
}

// Copy is who took this copy, and when. ID is in the log of acts, too: a sheet that is found says whose it was.
type Copy struct {
	ID   string
	By   string
	Role string
	At   time.Time
}

// drafts are what stands on each page of a note that can still change, by its state.
var drafts = map[string]words.Text{
	"draft":   "DRAFT – preliminary, not signed, may change",
	"review":  "DRAFT, IN REVIEW – preliminary, not signed, may change",
	"signing": "DRAFT, BEING SIGNED – preliminary, not signed, may change",
}

// signed are those of a note that never changes any more.
var signed = map[string]words.Text{
	"signed": "SIGNED", "cosigned": "SIGNED AND COSIGNED", "amended": "SIGNED, CORRECTED SINCE", "added": "SIGNED, ADDED TO SINCE",
	"retracted": "RETRACTED: ENTERED IN ERROR",
}

// Signed reports whether a note in that state never changes any more.
func Signed(state string) bool { return signed[state] != "" }

// Stamp is what stands on each page about a note's state: that a draft is one, above all.
func Stamp(ctx context.Context, state string) string {
	if s := signed[state]; s != "" {
		return words.Say(ctx, s)
	}
	if s := drafts[state]; s != "" {
		return words.Say(ctx, s)
	}
	return words.Say(ctx, "{state} – not known to be signed", strings.ToUpper(state))
}

// Stamp is that of the note.
func (n Note) Stamp(ctx context.Context) string { return Stamp(ctx, n.State) }

// Signed reports whether the note never changes any more.
func (n Note) Signed() bool { return Signed(n.State) }

// Stamp is that of the addendum.
func (a Addendum) Stamp(ctx context.Context) string { return Stamp(ctx, a.State) }

// Fact is one thing to know about a note before reading it.
type Fact struct{ Name, Value string }

// Facts are what the head of a copy says, beside who the patient is. What is not known is left out.
func (n Note) Facts(ctx context.Context) []Fact {
	kind := n.Kind
	if n.LOINC != "" {
		kind += " (LOINC " + n.LOINC + ")"
	}
	where := n.Unit
	if n.Bed != "" {
		where = words.Say(ctx, "{unit}, bed {bed}", n.Unit, n.Bed)
	}
	var writers []string
	for _, c := range n.Contributors {
		writers = append(writers, c.says(ctx))
	}
	var facts []Fact
	for _, f := range []struct {
		name  words.Text
		value string
	}{
		{"This is", n.About},
		{reason, n.Reason},
		{"Gender", n.Gender},
		{"Allergies", n.Allergies},
		{"Kind of note", kind},
		{"Where", where},
		{"Begun", n.Begun.says(ctx)},
		{"Last saved", n.Saved.says(ctx)},
		{"Written by", strings.Join(writers, "; ")},
		{"Carried forward", strings.Join(n.Carried, "; ")},
	} {
		if f.value != "" {
			facts = append(facts, Fact{words.Say(ctx, f.name), f.value})
		}
	}
	return facts
}

const reason words.Text = "Reason"

// born and mrn are who the patient is, beside the name.
func (n Note) born(ctx context.Context) string { return words.Say(ctx, "Born {born}", n.Born) }
func (n Note) mrn() string                     { return "MRN " + n.MRN }

func (c Contributor) says(ctx context.Context) string {
	s := c.Name
	if c.Role != "" {
		s += ", " + c.Role
	}
	return s + " (" + words.Count(ctx, c.Words, "{n} word", "{n} words") + ")"
}

func (e Event) says(ctx context.Context) string {
	if e.At.IsZero() {
		return e.By
	}
	at := words.Date(ctx, e.At, timeLayout)
	if e.By == "" {
		return at
	}
	return words.Say(ctx, "{at} by {name}", at, e.By)
}

// says is the signature as 21 CFR 11.50 wants it.
func (s Signature) says(ctx context.Context) string {
	line := s.Meaning + ": " + s.Name + ", " + words.Date(ctx, s.At, dateLayout+" 15:04:05 MST")
	if s.Said != "" {
		line += " – “" + strings.Join(strings.Fields(s.Said), " ") + "”"
	}
	return line
}

// Says is whose copy it is.
func (c Copy) Says(ctx context.Context) string {
	by := c.By
	if c.Role != "" {
		by += ", " + c.Role
	}
	return words.Say(ctx, "Printed by {name}, {at}, copy {copy}", by, words.Date(ctx, c.At, timeLayout), c.ID)
}

// Heading is what stands above an addendum.
func (a Addendum) Heading(ctx context.Context) string {
	return words.Say(ctx, "{relation}, begun {begun}", a.Kind, a.Begun.says(ctx))
}

// doneSince stands above what was done since a note was signed.
const doneSince words.Text = "Done since it was signed"

// DoneSince is that heading, and the lines below it; none: nothing was.
func DoneSince(ctx context.Context, done []Done) (heading string, lines []string) {
	for _, d := range done {
		lines = append(lines, words.Say(ctx, "{task} – done {at}", strings.Join(strings.Fields(d.Text), " "), d.says(ctx)))
	}
	return words.Say(ctx, doneSince), lines
}

// SignedBy are the lines of the signature block.
func SignedBy(ctx context.Context, signatures []Signature) []string {
	if len(signatures) == 0 {
		return []string{words.Say(ctx, "Nobody has signed this note.")}
	}
	lines := make([]string, len(signatures))
	for i, s := range signatures {
		lines[i] = s.says(ctx)
	}
	return lines
}
