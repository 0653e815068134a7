package web

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/web/words"
)

// Meaning is what somebody signs a note as.
type Meaning string

// The meanings of a signature, as package signature names them.
const (
	MeaningAuthor  Meaning = "author"
	MeaningCosign  Meaning = "cosign"
	MeaningWitness Meaning = "witness"

	MeaningReceiver Meaning = "receiver"
)

// meanings say what each is, in words.
var meanings = map[Meaning]struct {
	button, noun, past, says words.Text
	remark                   words.Text // what to say with it is called; "": there is nothing to be said
}{
	MeaningAuthor: {
		"Sign", "Author", "Signed",
		"By signing you say that this is your note, or one that you answer for, and that it is complete and true as far as you know. From then on nobody changes it: what is to be added is an addendum.",
		"",
	},
	MeaningCosign: {
		"Cosign", "Cosigner", "Cosigned",
		"By cosigning you say that you have read this note, that you supervised the care which it describes, and that you agree with it. The note stays as it was signed.",
		"Your attestation",
	},
	MeaningWitness: {
		"Sign as witness", "Witness", "Witnessed",
		"By signing as a witness you say that you have seen this note as it stands here, not that you wrote it or answer for it.",
		"What you say with it",
	},
	MeaningReceiver: {
		"Read back", "Receiver", "Read back",
		"I have read this back. By signing as the receiver you say that you have gone through this handoff with who hands over, said in your own words what you understood and asked about what you did not, and that you take over the care that it hands over.",
		"What you read back",
	},
}

func (m Meaning) button(ctx context.Context) string { return words.Say(ctx, meanings[m].button) }
func (m Meaning) noun(ctx context.Context) string   { return words.Say(ctx, meanings[m].noun) }
func (m Meaning) past(ctx context.Context) string   { return words.Say(ctx, meanings[m].past) }
func (m Meaning) says(ctx context.Context) string   { return words.Say(ctx, meanings[m].says) }
func (m Meaning) remark(ctx context.Context) string { return words.Say(ctx, meanings[m].remark) }

// SignView is what somebody looks at before they sign a note.
type SignView struct {
	Shell
	Patient
	ID, Title, Kind string
	Status          NoteStatus
	Meaning         Meaning
	Printed         string // the signer's name as it will stand in the signature

	Body         prose.Node
	Authorship   func(prose.Node) Authorship
	Contributors []Contributor // whoever has no id is not known
	Origins      []OriginWords
	Carried      []CarriedView
	Blanks       []BlankView
	Losses       []LossView
	MoreLost     bool          // than these
	Misread      []MisreadView // the first
	MisreadAll   int
	About        *AboutView
	Signatures   []SignatureView
	Cosigners    []CosignerView // one of them has to sign as well
	Threads      int            // of comments that are not resolved
	// Suggestions are how many nobody has decided on, and FirstSuggestion is the block that has the first.
	Suggestions, FirstSuggestion int

	// What of the note is shown: the form returns it, and nothing else is signed.
	Content, Attribution string
	Identity             string // of who the patient is
	Seq                  uint64
	Epoch                int64 // of the freeze that is this person's; 0: there is none

	Frozen *FreezeView
	// Since is what has changed since they looked before; nil: they did not.
	Since *Since

	Remark    string // what somebody typed to say with their signature, when nothing was signed
	MaxRemark int    // in characters
	ProveAt   string // where they prove again who they are

	Error string // why nothing was signed
	Fresh bool   // they have proven lately who they are
	// Barred says that nothing can be signed, and Error why.
	Barred bool
}

// MisreadView is a notation that is easily misread.
type MisreadView struct {
	BlankView
	Instead []string // what may be written, the likeliest first
	Why     string
}

func (m MisreadView) says(ctx context.Context) string {
	return words.Say(ctx, "write “{instead}”: {why}", strings.Join(m.Instead, words.Say(ctx, "” or “")), m.Why)
}

// BlankView is what is to be filled in, or looked at.
type BlankView struct {
	Section      string
	Before, Mark string // of the line: its asterisks, and what stands before
	After        string
	Nth          int // of the block
}

// LossView is somebody's text that went without anybody having chosen to delete it.
type LossView struct {
	Author, By string
	At         time.Time
	Words      string
}

// CosignerView is an attending who may sign as well.
type CosignerView struct {
	Name       string
	Supervises bool
}

// FreezeView is a note that nobody writes.
type FreezeView struct {
	By    string
	Until time.Time
	Own   bool
	Epoch int64
}

func (f FreezeView) until() string { return f.Until.Format("15:04:05") }

// Since is how a note changed since somebody looked.
type Since struct {
	Seq     uint64
	Changed bool          // else it reads as it did, by the same people
	Lines   []ChangedLine // none although it has changed: its words are the same
	More    int           // lines that are not listed
}

// ChangedLine is a paragraph, or another block, of which something came or went.
type ChangedLine struct{ Pieces []ChangedPiece }

// ChangedPiece is text that came, went or stayed.
type ChangedPiece struct {
	Change prose.Change
	Text   string
}

// SinceOf lists the lines that differ between two versions of a note, most at most.
func SinceOf(older, newer prose.Node, most int) (lines []ChangedLine, more int) {
	root := prose.Compare(older, newer)
	var walk func(p *prose.Part)
	walk = func(p *prose.Part) {
		line, differs := ChangedLine{}, p.Change != prose.Same
		for i := range p.Parts {
			c := &p.Parts[i]
			switch {
			case c.Node.Type == "text":
				differs = differs || c.Change != prose.Same
				line.add(c.Change, c.Node.Text)
			case len(c.Parts) == 0 && len(line.Pieces) > 0: // a break, or a node that stands in the line
				differs = differs || c.Change != prose.Same
				line.add(c.Change, " ⏎ ")
			default:
				walk(c)
			}
		}
		if !differs || len(line.Pieces) == 0 {
			return
		}
		if len(lines) == most {
			more++
			return
		}
		lines = append(lines, line)
	}
	walk(&root)
	return lines, more
}

// add appends text, to what is there if it is of the same kind.
func (l *ChangedLine) add(change prose.Change, text string) {
	if k := len(l.Pieces) - 1; k >= 0 && l.Pieces[k].Change == change {
		l.Pieces[k].Text += text
		return
	}
	l.Pieces = append(l.Pieces, ChangedPiece{change, text})
}

// SignatureView is one signature of a note.
type SignatureView struct {
	Name, Role  string // as they are printed
	Meaning     Meaning
	At          time.Time
	Fingerprint string // of the keys that made it
	Hash        string // of the statement
	Content     string // hash of what was signed
	Cosign      bool   // an attending has to sign as well
	Said        string // what the signer says with it; "": nothing
}

func (s SignatureView) at(ctx context.Context) string {
	return words.Date(ctx, s.At, dateLayout+" 15:04:05 MST")
}

// AboutView is a note that is about another one.
type AboutView struct {
	ID, Title   string // of the note that says so
	Parent      string // id of the one that it is about
	ParentTitle string
	Relation    string
	Reason      string
	By          string // who began it
	At          time.Time
	Status      NoteStatus
	Signatures  []SignatureView
	Body        *prose.Node // nil: it is not shown in full here
	Depth       int         // 1: about this note; more: about one that is
}

// relations are what a note is to another, in words.
var relations = map[string]struct{ noun, choice words.Text }{
	"addendum":   {"Addendum", "Addendum: something is to be added"},
	"correction": {"Correction", "Correction: something in it is wrong, and the new note says what is right"},
	"late-entry": {"Late entry", "Late entry: it should have been written then, and was not"},
	"retraction": {"Retraction", "Retraction: the note was entered in error. It stays legible, struck through"},
}

// RelationName is what a note is to another, in a word or two.
func RelationName(ctx context.Context, relation string) string {
	return words.Say(ctx, relations[relation].noun)
}

func (a AboutView) relation(ctx context.Context) string { return RelationName(ctx, a.Relation) }

// adds reports whether it leaves what the note says as right as it was.
func (a AboutView) adds() bool { return a.Relation == "addendum" || a.Relation == "late-entry" }

// SignedView is the page of a note that is signed.
type SignedView struct {
	Shell
	Patient
	ID, Title, Kind, LOINC string
	Status                 NoteStatus
	Body                   prose.Node
	Carried                func(prose.Node) Authorship // of a piece of Body, if it was carried forward; nil: nothing was
	CarriedFrom            []CarriedView               // the same, note by note
	CreatedBy              string
	CreatedAt              time.Time
	Signatures             []SignatureView
	About                  *AboutView  // what it is about
	Notes                  []AboutView // about it, and about these
	WaitsForCosign         bool
	Tampered               bool // it does not read as it was signed

	CanCosign, CanWitness, CanReceive, CanAmend bool

	WaitsForReceiver bool // nobody has read the handoff back
	Tasks            []SignedTask
	Late             []LateView
	Comments         CommentsView
}

func (v SignedView) retracted() bool { return v.Status == StatusRetracted }

// effects are the notes that are signed and say something about this one directly.
func (v SignedView) effects() (all []AboutView) {
	for _, a := range v.Notes {
		if a.Depth == 1 && a.Status.signed() {
			all = append(all, a)
		}
	}
	return all
}

// AmendView is the form that begins a note about a signed one.
type AmendView struct {
	Shell
	Patient
	ID, Title string
	Relation  string
	Reason    string
	Error     string
	MaxReason int
}

func (v AmendView) choices(ctx context.Context) []Choice {
	var all []Choice
	for _, r := range []string{"addendum", "correction", "late-entry", "retraction"} {
		all = append(all, Choice{r, words.Say(ctx, relations[r].choice)})
	}
	return all
}

// SignList is a list of notes that wait for somebody.
type SignList struct {
	Shell
	Tabs      []Tab     // the other parts of the worklist
	Ready     []SignRow // drafts whose authors say that they are done
	Rows      []SignRow
	Of        string // "" or "unit"
	OffersOf  bool   // the unit's can be listed, too
	Overdue   time.Duration
	Truncated bool
}

// SignRow is a note that waits to be signed.
type SignRow struct {
	Patient
	NoteID, Title, Kind string
	Status              NoteStatus
	By                  string    // who began or signed it
	Since               time.Time // when they did
	Overdue             bool
	Supervises          bool // who looks at it answers for who signed
	CanSign             bool
}

// ready is the list of drafts that are to be looked at.
func (v SignList) ready() SignList {
	v.Rows, v.Truncated = v.Ready, false
	return v
}

// says is how many there are, and how long they wait.
func (v SignList) says(ctx context.Context) string {
	text := words.Count(ctx, len(v.Rows), "{n} note", "{n} notes")
	if n := v.overdue(); n > 0 {
		text += words.Say(ctx, ", {n2} longer than {age}", words.Count(ctx, n, "{n} waits", "{n} wait"), age(ctx, v.Now, v.Now.Add(v.Overdue)))
	}
	if v.Truncated {
		text += words.Say(ctx, "; there are more, which come when these are signed")
	}
	return text
}

// overdue counts those that have waited too long.
func (v SignList) overdue() (n int) {
	for _, r := range v.Rows {
		if r.Overdue {
			n++
		}
	}
	return n
}

// LateView is what one person wrote that came after the signature.
type LateView struct {
	NoteID    string
	Title     string   // empty: who looks may not know
	Patient   *Patient // on a list only; nil likewise
	Author    string
	Own       bool
	Texts     []LateText
	Error     string // why nothing was done about it
	Reason    string // as it was typed
	MaxReason int
}

// LateText is one edit of it.
type LateText struct {
	At      time.Time
	Words   string
	Deletes int // characters of the note that it would have taken out
}

// words counts them.
func (t LateText) words() int { return len(strings.Fields(t.Words)) }

// words counts all of them.
func (v LateView) words() (n int) {
	for _, t := range v.Texts {
		n += t.words()
	}
	return n
}

// since is when the first came.
func (v LateView) since() (at time.Time) {
	for _, t := range v.Texts {
		if at.IsZero() || t.At.Before(at) {
			at = t.At
		}
	}
	return at
}

// LateList is the page of somebody's words that came too late.
type LateList struct {
	Shell
	Rows []LateView
}

// age is how long something waits: "3 h 05 min", "25 h", "4 d".
func age(ctx context.Context, from, to time.Time) string {
	switch d := to.Sub(from); {
	case d >= 48*time.Hour:
		return words.Say(ctx, "{days} d", strconv.Itoa(int(d/(24*time.Hour))))
	case d >= 10*time.Hour:
		return words.Say(ctx, "{hours} h", strconv.Itoa(int(d/time.Hour)))
	}
	return span(ctx, from, to)
}

// signPath is the sheet of a note, or what of it somebody has seen.
func signPath(id string, as Meaning) string {
	if as == "" {
		return "/notes/" + id + "/sign"
	}
	return "/notes/" + id + "/sign?" + url.Values{"as": {string(as)}}.Encode()
}

// StandingView is why nobody writes a note now, for an editor that is open.
type StandingView struct {
	ID         string
	Frozen     *FreezeView
	Signatures []SignatureView // none: it is not signed
	Late       *LateView       // words of who looks, which came too late
}

// SignedTask is what a signed note says is to be done, and whether it was done since.
type SignedTask struct {
	ID      string
	Text    string
	Owner   string // a name; empty: nobody's
	Due     string // "23-Nov-2026 14:00"; "": any time
	Overdue bool
	Doer    string
	DoneAt  time.Time // zero: it is not done
	CanTick bool
}
