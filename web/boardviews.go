package web

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clisonix/tidechart/web/words"
)

// BoardView is the live board of a unit.
type BoardView struct {
	Shell
	BoardUnitID   string
	BoardUnitName string
	Units         []UnitLink
	AsOf          time.Time
	Beds          []BoardBed // in walking order
	Filter        BoardFilter
	Overdue       time.Duration // after which a note that nobody signed is overdue
	CanSeeWall    bool          // offers the wall
}

// BoardBed is a row of the board.
type BoardBed struct {
	// ID is the bed's id. Of all ids it may only hold letters, digits, '-' and
	// '_', since it becomes part of an element id.
	ID           string
	UnitID       string
	Label        string
	Place        int      // in walking order, from 0
	Patient      *Patient // nil: the bed is empty
	Bedside      Bedside
	Alike        []string // labels of the beds whose patients have the same family name
	Writing      []Writer
	Notes        []BoardNote // those that nobody signed first
	Tasks        int         // that are not done
	TasksOverdue int         // of these
	Mine         bool        // whoever looks is on the care team, or has begun a note here that nobody signed

	CanChange bool      // offers to change Bedside
	AsOf      time.Time // of the newest of all this
}

// Bedside is what a team has to know at a glance. A choice without a value is one that nobody has made.
type Bedside struct {
	Severity  Choice
	Code      Choice
	Isolation Choice
	Isolated  bool
	Home      time.Time // the day on which they are expected to go; zero: nobody has said
}

// BoardNote is a note of a bed.
type BoardNote struct {
	NoteLink
	By      string    // who began it
	Waits   string    // for how long it has waited for a signature; empty: it has one
	Overdue bool      // that is too long
	Asked   time.Time // when whoever began it was last asked to sign; zero: never
	Seen    time.Time // when they saw that
	CanAsk  bool      // offers to
}

// Writer is somebody who has a note open for writing.
type Writer struct {
	Person
	NoteID   string
	NoteKind string // in words
}

// BoardUpdate is one message of a board's event stream: the beds that changed,
// with the totals that follow from all beds.
type BoardUpdate struct {
	AsOf         time.Time
	Now          time.Time // for ages; as Shell.Now
	CanReadNotes bool
	Beds         []BoardBed
	Totals       BoardTotals
}

// BoardTotals are the counts that a board shows and announces.
type BoardTotals struct {
	Beds     int
	Occupied int
	Writers  int // people
	Notes    int // notes being written
	Unstable int // patients
	Overdue  int // notes
	Unread   int // handoffs that nobody has read back

	UnitID       string
	Tasks        int // that are not done
	TasksOverdue int // of these
}

// TotalsOf counts what a board announces; beds must be all beds of the unit.
func TotalsOf(beds []BoardBed) BoardTotals {
	t := BoardTotals{Beds: len(beds)}
	people, notes := map[string]bool{}, map[string]bool{}
	for _, b := range beds {
		if b.Patient != nil {
			t.Occupied++
		}
		if b.Bedside.Severity.Value == "unstable" {
			t.Unstable++
		}
		t.UnitID = b.UnitID
		t.Overdue += b.overdue()
		t.Unread += b.unread()
		t.Tasks += b.Tasks
		t.TasksOverdue += b.TasksOverdue
		for _, w := range b.Writing {
			people[w.ID] = true
			notes[w.NoteID] = true
		}
	}
	t.Writers, t.Notes = len(people), len(notes)
	return t
}

func (t BoardTotals) text(ctx context.Context) string {
	said := []string{words.Say(ctx, "{occupied} of {beds} occupied", strconv.Itoa(t.Occupied), words.Count(ctx, t.Beds, "{n} bed", "{n} beds"))}
	if t.Unstable > 0 {
		said = append(said, words.Say(ctx, "{unstable} unstable", strconv.Itoa(t.Unstable)))
	}
	if t.Overdue > 0 {
		said = append(said, words.Count(ctx, t.Overdue, "{n} note overdue", "{n} notes overdue"))
	}
	if t.Unread > 0 {
		said = append(said, words.Count(ctx, t.Unread, "{n} handoff not read back", "{n} handoffs not read back"))
	}
	if t.Writers == 0 {
		return strings.Join(append(said, words.Say(ctx, "nobody is writing")), ", ")
	}
	return strings.Join(append(said, words.Say(ctx, "{writers} writing {notes}", words.Count(ctx, t.Writers, "{n} person is", "{n} people are"), words.Count(ctx, t.Notes, "{n} note", "{n} notes"))), ", ")
}

// tasksText says how much is to be done.
func (t BoardTotals) tasksText(ctx context.Context) string {
	text := words.Count(ctx, t.Tasks, "{n} open task", "{n} open tasks")
	if t.TasksOverdue > 0 {
		text += ", " + words.Count(ctx, t.TasksOverdue, "{n} overdue", "{n} overdue")
	}
	return text
}

func (b BoardBed) unsigned() (n int) {
	for _, note := range b.Notes {
		if note.Waits != "" {
			n++
		}
	}
	return n
}

func (b BoardBed) overdue() (n int) {
	for _, note := range b.Notes {
		if note.Overdue {
			n++
		}
	}
	return n
}

// unread counts the handoffs that nobody has read back.
func (b BoardBed) unread() (n int) {
	for _, note := range b.Notes {
		if note.NotReadBack {
			n++
		}
	}
	return n
}

// waiting is what a filter of notes asks for: "overdue", "unsigned" or "".
func (b BoardBed) waiting() string {
	switch {
	case b.overdue() > 0:
		return "overdue"
	case b.unsigned() > 0:
		return "unsigned"
	}
	return ""
}

// goes says how the day of discharge stands to the day of now: "today", also
// if it has passed, "later", or "" if nobody has said.
func goes(home, now time.Time) string {
	switch {
	case home.IsZero():
		return ""
	case home.Format(time.DateOnly) <= now.Format(time.DateOnly):
		return "today"
	}
	return "later"
}

// homeText is the day in words: "Today", "Tomorrow", "26-Nov-2026".
func homeText(ctx context.Context, home, now time.Time) string {
	if home.IsZero() {
		return ""
	}
	day := home.Format(time.DateOnly)
	switch {
	case day == now.Format(time.DateOnly):
		return words.Say(ctx, "Today")
	case day == now.AddDate(0, 0, 1).Format(time.DateOnly):
		return words.Say(ctx, "Tomorrow")
	case day < now.Format(time.DateOnly):
		return words.Say(ctx, "Was due {home}", words.Date(ctx, home, dateLayout))
	}
	return words.Date(ctx, home, dateLayout)
}

// clockText is a time of today to the second, or the day and the minute.
func clockText(ctx context.Context, t, now time.Time) string {
	if t.Format(time.DateOnly) == now.In(t.Location()).Format(time.DateOnly) {
		return t.Format("15:04:05")
	}
	return words.Date(ctx, t, dateLayout+" "+timeLayout)
}

// Waits is how long something has waited, coarsely: "under 1 h", "5 h", "2 d".
func Waits(ctx context.Context, since, now time.Time) string {
	switch hours := int(now.Sub(since).Hours()); {
	case hours < 1:
		return words.Say(ctx, "under 1 h")
	case hours < 48:
		return words.Say(ctx, "{hours} h", strconv.Itoa(hours))
	default:
		return words.Say(ctx, "{days} d", strconv.Itoa(hours/24))
	}
}

// Date is a day as pages write it.
func Date(ctx context.Context, t time.Time) string { return words.Date(ctx, t, dateLayout) }

// BoardFilter is which beds of a board somebody wants to see, and in what
// order. It is in the address, and names nobody.
type BoardFilter struct {
	Severity string // "watcher": watchers and the unstable, "unstable": these; "": all
	Notes    string // "unsigned", "overdue": with such notes; "handoff": with one that nobody has read back; "": all
	Mine     bool
	Isolated bool
	Home     bool   // who goes today
	Sort     string // "severity"; "": as one walks
}

// BoardFilterOf reads a filter from an address. What it does not know does not
// filter.
func BoardFilterOf(q url.Values) BoardFilter {
	one := func(name string, of ...string) string {
		if v := q.Get(name); slices.Contains(of, v) {
			return v
		}
		return ""
	}
	return BoardFilter{
		Severity: one("severity", "watcher", "unstable"), Notes: one("notes", "unsigned", "overdue", "handoff"), Sort: one("sort", "severity"),
		Mine: q.Get("mine") == "1", Isolated: q.Get("isolated") == "1", Home: q.Get("home") == "1",
	}
}

func (f BoardFilter) query() string {
	q := url.Values{}
	for name, value := range map[string]string{"severity": f.Severity, "notes": f.Notes, "sort": f.Sort} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, on := range map[string]bool{"mine": f.Mine, "isolated": f.Isolated, "home": f.Home} {
		if on {
			q.Set(name, "1")
		}
	}
	return q.Encode()
}

// BoardPath is a unit's board, filtered.
func BoardPath(unit string, f BoardFilter) string {
	path := "/units/" + url.PathEscape(unit)
	if q := f.query(); q != "" {
		path += "?" + q
	}
	return path
}

// shows reports whether a bed is left; the style sheet (board.css) does as it
// says, and board.ts counts as it does.
func (f BoardFilter) shows(b BoardBed, now time.Time) bool {
	severe := b.Bedside.Severity.Value
	switch {
	case f.Severity == "unstable" && severe != "unstable",
		f.Severity == "watcher" && severe != "unstable" && severe != "watcher",
		f.Notes == "overdue" && b.overdue() == 0,
		f.Notes == "unsigned" && b.unsigned() == 0,
		f.Notes == "handoff" && b.unread() == 0,
		f.Mine && !b.Mine,
		f.Isolated && !b.Bedside.Isolated,
		f.Home && goes(b.Bedside.Home, now) != "today":
		return false
	}
	return true
}

// severityOrder is how beds are sorted: the gravest first, empty ones last.
func severityOrder(b BoardBed) int {
	if b.Patient == nil {
		return 4
	}
	for i, value := range []string{"unstable", "watcher", "stable"} {
		if b.Bedside.Severity.Value == value {
			return i
		}
	}
	return 3
}

// sorted are the beds in the filter's order.
func (v BoardView) sorted() []BoardBed {
	beds := slices.Clone(v.Beds)
	if v.Filter.Sort == "severity" {
		slices.SortStableFunc(beds, func(a, b BoardBed) int { return severityOrder(a) - severityOrder(b) })
	}
	return beds
}

// left says how many beds the filter leaves.
func (v BoardView) left(ctx context.Context) string {
	if f := v.Filter; f == (BoardFilter{Sort: f.Sort}) {
		return ""
	}
	n := 0
	for _, b := range v.Beds {
		if v.Filter.shows(b, v.Now) {
			n++
		}
	}
	return words.Say(ctx, "{n2} of {len} shown", strconv.Itoa(n), words.Count(ctx, len(v.Beds), "{n} bed", "{n} beds"))
}

func (v BoardView) totals() BoardTotals { return TotalsOf(v.Beds) }

// BedView is the form on which somebody says what a bed does.
type BedView struct {
	Shell
	Patient
	BoardUnitID string
	BedID       string
	N           int32 // the change that whoever looks has seen
	Bedside     Bedside
	Changes     []BedChange // the newest first
	Filter      BoardFilter // of the board that they come from
	Error       string      // one sentence for the person: what was wrong, what to do

	Severities, Codes, Isolations []Choice
}

// BedChange is what somebody changed; Was and Now are in words.
type BedChange struct {
	At       time.Time
	By, What string
	Was, Now string
}

func (v BedView) action() string {
	path := "/units/" + url.PathEscape(v.BoardUnitID) + "/beds/" + url.PathEscape(v.BedID)
	if q := v.Filter.query(); q != "" {
		path += "?" + q
	}
	return path
}

// homeValue is the day as a date field takes it.
func (b Bedside) homeValue() string {
	if b.Home.IsZero() {
		return ""
	}
	return b.Home.Format(time.DateOnly)
}

// orNothing is what was said, or that nobody had said anything.
func orNothing(ctx context.Context, said string) string {
	if said == "" {
		return words.Say(ctx, "not recorded")
	}
	return said
}

// WallView is a unit's board for a hallway.
type WallView struct {
	UnitID, UnitName string
	AsOf, Now        time.Time
	Beds             []WallBed
}

// WallBed is a bed on it. Nothing of it names a patient, or says what they have.
type WallBed struct {
	ID, Label string
	Taken     bool
	Initials  string // empty of a restricted record, of which nothing else is said, either
	Severity  Choice
	Isolation string // empty: none, or not recorded
	Home      time.Time
	Alike     bool // somebody else has the same family name
	Writing   []Person
	Unsigned  int
	Overdue   int
}

// left counts the beds that are taken.
func (v WallView) taken(ctx context.Context) string {
	n := 0
	for _, b := range v.Beds {
		if b.Taken {
			n++
		}
	}
	return words.Say(ctx, "{n2} of {len}", strconv.Itoa(n), words.Count(ctx, len(v.Beds), "{n} bed", "{n} beds"))
}
