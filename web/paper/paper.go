// Package paper is what of a note leaves Tidechart: who it is about, what state it was in, what it said, who signed it, and who took
// the copy. From one [Note] come a PDF, Markdown and plain text here, and HTML in package web: none says less than another.
//
// Nothing is dropped (I6): what a copy cannot show it names. The same note gives the same bytes.
package paper

import (
	"strings"
	"time"

	"github.com/clisonix/tidechart/crdt/prose"
)

// Layouts of times on paper: those of the NHS Common User Interface, whatever the reader's locale.
const (
	dateLayout = "02-Jan-2006"
	timeLayout = dateLayout + " 15:04"
)

// A Note is one copy of a note. Texts are as they are to be read; times are shown in the location they carry.
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
}

// Addendum is a note of its own about this one: the original never changes.
type Addendum struct {
	Kind       string // "Addendum", "Correction", "Late entry", "Retraction"
	State      string
	Begun      Event
	Reason     string
	Body       prose.Node
	Signatures []Signature
}

// Copy is who took this copy, and when. ID is in the log of acts, too: a sheet that is found says whose it was.
type Copy struct {
	ID   string
	By   string
	Role string
	At   time.Time
}

// drafts are the states in which a note can still change.
var drafts = map[string]string{
	"draft": "DRAFT", "review": "DRAFT, IN REVIEW", "signing": "DRAFT, BEING SIGNED",
}

// signed are the states of a note that never changes any more.
var signed = map[string]string{
	"signed": "SIGNED", "cosigned": "SIGNED AND COSIGNED", "amended": "SIGNED, CORRECTED SINCE", "added": "SIGNED, ADDED TO SINCE",
	"retracted": "RETRACTED: ENTERED IN ERROR",
}

// Signed reports whether a note in that state never changes any more.
func Signed(state string) bool { return signed[state] != "" }

// Stamp is what stands on each page about a note's state: that a draft is one, above all.
func Stamp(state string) string {
	if s := signed[state]; s != "" {
		return s
	}
	if s := drafts[state]; s != "" {
		return s + " – preliminary, not signed, may change"
	}
	return strings.ToUpper(state) + " – not known to be signed"
}

// Stamp is that of the note.
func (n Note) Stamp() string { return Stamp(n.State) }

// Signed reports whether the note never changes any more.
func (n Note) Signed() bool { return Signed(n.State) }

// Stamp is that of the addendum.
func (a Addendum) Stamp() string { return Stamp(a.State) }

// Fact is one thing to know about a note before reading it.
type Fact struct{ Name, Value string }

// Facts are what the head of a copy says, beside who the patient is. What is not known is left out.
func (n Note) Facts() []Fact {
	kind := n.Kind
	if n.LOINC != "" {
		kind += " (LOINC " + n.LOINC + ")"
	}
	where := n.Unit
	if n.Bed != "" {
		where += ", bed " + n.Bed
	}
	var writers []string
	for _, c := range n.Contributors {
		writers = append(writers, c.String())
	}
	var facts []Fact
	for _, f := range []Fact{
		{"This is", n.About},
		{"Reason", n.Reason},
		{"Gender", n.Gender},
		{"Allergies", n.Allergies},
		{"Kind of note", kind},
		{"Where", where},
		{"Begun", n.Begun.String()},
		{"Last saved", n.Saved.String()},
		{"Written by", strings.Join(writers, "; ")},
		{"Carried forward", strings.Join(n.Carried, "; ")},
	} {
		if f.Value != "" {
			facts = append(facts, f)
		}
	}
	return facts
}

func (c Contributor) String() string {
	s := c.Name
	if c.Role != "" {
		s += ", " + c.Role
	}
	return s + " (" + count(c.Words, "word", "words") + ")"
}

func (e Event) String() string {
	if e.At.IsZero() {
		return e.By
	}
	at := e.At.Format(timeLayout)
	if e.By == "" {
		return at
	}
	return at + " by " + e.By
}

// String is the signature as 21 CFR 11.50 wants it.
func (s Signature) String() string {
	return s.Meaning + ": " + s.Name + ", " + s.At.Format(dateLayout+" 15:04:05 MST")
}

// String says whose copy it is.
func (c Copy) String() string {
	by := c.By
	if c.Role != "" {
		by += ", " + c.Role
	}
	return "Printed by " + by + ", " + c.At.Format(timeLayout) + ", copy " + c.ID
}

// Heading is what stands above an addendum.
func (a Addendum) Heading() string { return a.Kind + ", begun " + a.Begun.String() }

// Unsigned stands where signatures would.
const Unsigned = "Nobody has signed this note."

// SignedBy are the lines of the signature block.
func SignedBy(signatures []Signature) []string {
	if len(signatures) == 0 {
		return []string{Unsigned}
	}
	lines := make([]string, len(signatures))
	for i, s := range signatures {
		lines[i] = s.String()
	}
	return lines
}
