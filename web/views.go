package web

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/web/words"
)

// Person is someone as pages name them.
type Person struct {
	ID       string
	Username string
	Name     string // as it is shown: "Dr Mei Chen", "Rosa Rivera RN"
	Role     string // in words: "attending", "charge nurse"
	Initials string // one to three letters, for avatars

	// ColorIndex is the author colour, 0 to 7; it is never the only sign of
	// who somebody is. Other values are shown as colour 0.
	ColorIndex int
}

// Shell is what every page has around its content.
//
// All times of a view are shown in the location they carry, so the caller
// converts them to the hospital's.
type Shell struct {
	// Title names the page in the tab. It must not name a patient: bed and
	// initials only (see [TabTitle]).
	Title string
	// User is who is signed in; nil when nobody is.
	User *Person
	// UnitID and UnitName are the unit whose board the navigation offers;
	// empty when the user has none.
	UnitID, UnitName string
	// Active is the navigation entry that this page belongs to.
	Active Section
	// Path is the page's own, without what it was asked for.
	Path string

	// Left is for how long User stays signed in if nobody touches anything.
	Left time.Duration
	// Warn is how long before that they are asked whether they are still there.
	Warn time.Duration

	// Connection is how the page came.
	Connection Connection

	CanReadNotes   bool // offers the worklist and links to notes
	CanSeeSessions bool // offers /admin/sessions
	CanSeePeople   bool // offers /admin/people
	CanBreakGlass  bool // offers /glass
	CanSeeReviews  bool // offers /reviews; the page is told of broken glass while it is open
	Hears          bool // the page is told of something while it is open
	CanSeeAccesses bool // offers /patients/{id}/accesses
	CanDestroy     bool // offers /destruction
	CanUsePhrases  bool // offers /phrases
	CanWrite       bool // offers /unsigned
	ToSign         int  // notes that they began, and nobody has signed
	ToDo           int  // tasks of theirs that are not done
	Late           int  // notes that were signed before words of theirs came
	Notices        Notices

	// Invited is when a code was made for User, which works still; zero: there is none.
	Invited time.Time

	// streams says that the page has an event stream of its own, which tells of these, too.
	streams bool

	// Now is the time of rendering, by the server's clock. Ages, "printed at"
	// and the choice between a time and a date derive from it.
	Now time.Time
}

// streaming is s of a page with an event stream of its own.
func (s Shell) streaming() Shell {
	s.streams = true
	return s
}

// leave has a page without scripts, which can tell of no input, go when its login ends.
func (s Shell) leave() string {
	return strconv.Itoa(int(s.Left.Seconds())) + "; url=/login?ended=unused"
}

// Notices are what a page tells whoever has to know: of broken glass, and of notes; who and when, never whose record.
type Notices struct {
	Reviewer bool     // is told of broken glass; the page has a link to reviews
	Reviews  int      // that wait for this person
	Unseen   []Notice // that they have not looked at, the newest first
	Asked    []Asked  // what they are told of notes

	Cosigns  bool // the page offers /cosign
	ToCosign int  // notes that wait for this person to cosign, or to look at before they are signed
}

// Of returns what of one kind there is.
func (n Notices) Of(what Told) (of []Asked) {
	for _, a := range n.Asked {
		if a.What == what {
			of = append(of, a)
		}
	}
	return of
}

// Told is what somebody is told of a note, as the store names it.
type Told string

// What somebody is told of a note.
const (
	ToldToSign  Told = "sign" // somebody asks them to
	ToldNamed   Told = "mention"
	ToldOfReady Told = "review" // it is ready for review
)

// tolds says each of them, in the order in which pages do.
var tolds = []struct {
	What          Told
	id, list      string // of the notice, and of the page where they all are
	heading, says words.Text
	more, mores   words.Text // of how many more
}{
	{
		ToldToSign, "asked", "/unsigned", "Please sign", "{who}, {role}, asked at {time} for your note of {day} ({kind})",
		"; {n} more note is asked for.", "; {n} more notes are asked for.",
	},
	{
		ToldNamed, "named", "/", "You are named", "{who}, {role}, named you at {time} in the note of {day} ({kind})",
		"; {n} more note names you.", "; {n} more notes name you.",
	},
	{
		ToldOfReady, "ready", "", "Ready for review", "{who}, {role}, says since {time} that nothing is missing in the note of {day} ({kind})",
		"; {n} more note is ready.", "; {n} more notes are ready.",
	},
}

// Asked is what somebody is told of a note.
type Asked struct {
	What         Told
	NoteID, Kind string
	By, Role     string // who asks, names them, or says that it is ready
	At           time.Time
	Begun        time.Time // when the note was
}

// Notice is one time that somebody broke the glass.
type Notice struct {
	Name, Role string // of who did
	At         time.Time
}

// Section is an entry of the navigation.
type Section string

// The sections of the navigation.
const (
	SectionNone     Section = ""
	SectionWorklist Section = "worklist"
	SectionOverview Section = "overview"
	SectionBoard    Section = "board"
	SectionSessions Section = "sessions"
	SectionPeople   Section = "people"
	SectionReviews  Section = "reviews"
	SectionAPI      Section = "api"

	SectionDestruction Section = "destruction"
	SectionCosign      Section = "cosign"
	SectionUnsigned    Section = "unsigned"
	SectionPhrases     Section = "phrases"
	SectionTasks       Section = "tasks"
)

// LoginView is the sign-in page. After a refused sign-in it is shown again
// (status 401) with Error and the Username as typed, never the password.
type LoginView struct {
	Shell
	Username string
	// Error is one sentence for the person: what was wrong, what to do.
	Error string
	// Next is the local path to go to afterwards; it goes round through the
	// form and must be checked by whoever redirects.
	Next string
	// Passkeys offers to sign in with one: the address has a name.
	Passkeys bool
	// Provider is whose account people sign in with, too; empty: nobody's.
	Provider string
	// Ended says why somebody is asked again who was signed in.
	Ended EndedView
	// Demo adds the list of demo sign-ins.
	Demo *DemoSignIns
}

// ConfirmView is the page on which somebody who is signed in proves again who
// they are, before what not everybody at an open browser may do.
type ConfirmView struct {
	Shell
	// Next is the local path to go to afterwards, as in LoginView.
	Next string
	// Error is one sentence for the person: what was wrong, what to do.
	Error       string
	Weak        bool // their password alone was not enough: nothing opens before this
	HasPassword bool
	Codes       bool   // the password goes with a code from an app
	Passkeys    bool   // there is one, that the address allows
	Provider    string // whose account confirms, too; empty: nobody's
}

// OnwardView is a page that leads to another by itself.
type OnwardView struct {
	Shell
	To string // checked by whoever renders the page
}

// EndedView is about the login that a page was shown to before.
type EndedView struct {
	Unused  bool // nobody touched anything for too long
	Unsaved int  // changes that were not saved by then
}

// text says what happened; "" if nothing did.
func (e EndedView) text(ctx context.Context) string {
	said := ""
	if e.Unused {
		said = words.Say(ctx, "Nobody had used the page for a while. Sign in again to go on where you were.")
	}
	if e.Unsaved > 0 {
		said += " " + words.Say(ctx, "{unsaved} may not have been saved before that: look at what you wrote last.", words.Count(ctx, e.Unsaved, "{n} change", "{n} changes"))
	}
	return strings.TrimSpace(said)
}

// EnrolView is the page on which somebody who was invited chooses a password.
// After a refusal it is shown again (status 422) with Error and the Code.
type EnrolView struct {
	Shell
	Code string
	// Error is one sentence for the person: what was wrong, what to do.
	Error       string
	MinPassword int  // characters
	Passkeys    bool // offers one instead, as in LoginView
	Provider    string
}

// DemoSignIns are the accounts that exist in demo mode only.
type DemoSignIns struct {
	Password string
	People   []Person
}

// UnitLink is a unit as a choice, with the number of its patients.
type UnitLink struct {
	ID       string
	Name     string
	Patients int
}

// NoteKind is a kind of note that can be written.
type NoteKind struct {
	ID   string // as POST /notes takes it: "progress"
	Name string // "Progress note"
}

// PatientRow is a patient on the worklist.
type PatientRow struct {
	Patient
	Notes []NoteLink // newest first
}

// NoteLink is a note in a list.
type NoteLink struct {
	ID          string
	Kind        string // in words
	Title       string
	Status      NoteStatus
	EditedAt    time.Time
	EditedBy    string // a name, may be empty
	Changed     bool   // since whoever is shown the list looked at it
	Named       bool   // them, since they looked
	NotReadBack bool   // a handoff that is signed, and that nobody has taken over
	Writers     []Person
}

// NoteStatus is the state of a note as the store names it.
type NoteStatus string

// The states a note can be in.
const (
	StatusDraft     NoteStatus = "draft"
	StatusReview    NoteStatus = "review"
	StatusSigning   NoteStatus = "signing" // somebody is about to sign it
	StatusSigned    NoteStatus = "signed"
	StatusCosigned  NoteStatus = "cosigned"
	StatusAdded     NoteStatus = "added"     // an addendum is about it
	StatusAmended   NoteStatus = "amended"   // a correction is
	StatusRetracted NoteStatus = "retracted" // it was entered in error
)

// Patient is the demographic part that every view of a patient shows, written
// by the rules of the NHS Common User Interface.
type Patient struct {
	ID     string
	Family string
	Given  string
	Title  string    // "Mr", may be empty
	Born   time.Time // a date; zero is shown as not known
	Gender string    // "Female"; empty is shown as not known
	MRN    string
	Bed    string // label of the bed, empty when there is none
	Unit   string // name of the unit, may be empty

	Restricted bool // to the care team

	Allergies Allergies
}

// Allergies says what is known. The zero value says that nothing was recorded,
// which is not the same as having none.
type Allergies struct {
	State AllergyState
	Known []string // with State AllergiesKnown
}

// AllergyState is one of the four things that may be said about allergies.
type AllergyState int

// The four statements. Absence of data is never "none".
const (
	AllergiesNotRecorded AllergyState = iota
	AllergiesKnown
	AllergiesNone
	AllergiesUnavailable
)

// NoteView is the page of one note. Body is what was committed when the page
// was rendered: it is the first paint, the print, and the whole note where
// there is no JavaScript. The editor replaces it after its first sync.
type NoteView struct {
	Shell
	Patient
	ID     string
	Kind   string // in words
	Title  string
	LOINC  string
	Status NoteStatus
	Body   prose.Node
	// Sections are the headings that notes of this kind begin with.
	Sections []string
	// TaskSections are those of them in which each line of a list is a task.
	TaskSections []string
	// Live lets the page open a socket for the note. Without it the note is
	// only the server's rendering.
	Live bool
	// Newer says that the note holds what our editor lacks, so that it is only shown.
	Newer bool
	// Editable lets the person type. The server decides again at each edit.
	Editable  bool
	News      News
	CreatedBy string
	CreatedAt time.Time
	UpdatedAt time.Time

	CanSign bool        // offers the sheet
	About   *AboutView  // what it is about; nil: it stands alone
	Frozen  *FreezeView // who holds it still; nil: nobody

	Comments CommentsView
}

// mayReview reports whether the page offers to say that a draft is done, or is not.
func (v NoteView) mayReview() bool {
	return v.Editable && v.Frozen == nil && (v.Status == StatusDraft || v.Status == StatusReview)
}

// News is what others have written since somebody looked at a note.
type News struct {
	Since  uint64 // the row of its log up to which they had seen it
	People int    // who have written since
}

// ErrorView is a page that says what went wrong and what to do.
type ErrorView struct {
	Shell
	Status  int    // the HTTP status
	Heading string // empty takes the usual words for Status
	Detail  string // one or two sentences; empty likewise
	// Retry is the path to ask for again, if that may help; may be empty.
	Retry string
	// Request identifies the request in the server's log; may be empty.
	Request string
	// NoteID is a note that breaking the glass would open; empty for none.
	NoteID string
}

// APIDocsView is the page of the HTTP API's documentation.
type APIDocsView struct {
	Shell
	SpecURL string // path of the OpenAPI document
}

// HistoryView is a note as it was after one row of its log.
type HistoryView struct {
	Shell
	ID, Title string
	Patient   Patient

	Seq, Head uint64 // which row, and the newest one
	At        time.Time
	Author    Person // of that row
	Body      prose.Node
	People    []Contributor // who wrote any of it until today
	Carried   []CarriedView // what was carried over from earlier notes
	By        string        // the id of whose edits alone one goes through; empty: everybody's
	Show      string        // "no": not who wrote what; "list": that as a list, too

	// Authorship says whose a piece of text is.
	Authorship func(prose.Node) Authorship
}

// Contributor is somebody, and how many of a note's words are theirs.
type Contributor struct {
	Person
	Words   int
	Origins []OriginWords
}

// at is the time of the row, to the second.
func (v HistoryView) at(ctx context.Context) string {
	return words.Date(ctx, v.At, dateLayout+" 15:04:05")
}

// says is the row in a few words.
func (v HistoryView) says(ctx context.Context) string {
	return words.Say(ctx, "edit {seq} of {head}, {at}, {author}", fmt.Sprint(v.Seq), fmt.Sprint(v.Head), v.at(ctx), v.Author.Name)
}
