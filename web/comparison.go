package web

import (
	"cmp"
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/web/words"
)

// CompareView is two versions of a note in one.
type CompareView struct {
	Shell
	ID, Title string
	Patient   Patient

	Heading  string // "Compare versions", "Changed since you looked"
	From, To Side
	Head     uint64
	Whole    bool // shows what did not change, too
	Body     []prose.Part
	Edits    map[*prose.Part]Edit // of each part that changed
	Changes  []ChangeLine         // in the order of the text
	More     int                  // changes that are not listed
	Tallies  []Tally

	// BringBack asks whether the note is to say again what To says, which is an edit.
	BringBack bool
	Meanwhile bool   // it has changed since that was asked
	Why       string // it cannot be done, and why
}

// Side is one of two versions.
type Side struct {
	Seq  uint64
	At   time.Time
	Name string // what it is called; empty: nothing
}

// Edit says of a part of a note how it came to differ.
type Edit struct {
	N    int    // of the change that begins here; 0: none does
	Part int    // which of all parts that changed it is
	Says string // "Added by Rosa Rivera RN, 23-Nov-2026 04:12"
	By   Person // whose colour it has
}

// ChangeLine is a change in a list.
type ChangeLine struct {
	N    int
	Says string
	Text string // the beginning of what came, or else of what went
}

// Tally is how many words somebody wrote and removed.
type Tally struct {
	Person
	Added, Removed int
	Since          bool // after the second version, which is the older one
}

func (s Side) text(ctx context.Context) string {
	text := words.Say(ctx, "edit {seq}, {at}", strconv.FormatUint(s.Seq, 10), words.Date(ctx, s.At, dateLayout+" "+timeLayout))
	if s.Name != "" {
		text = s.Name + " (" + text + ")"
	}
	return text
}

// to is the page of the same note with other versions.
func (v CompareView) to(from, to uint64, whole bool) string {
	q := url.Values{"from": {strconv.FormatUint(from, 10)}, "to": {strconv.FormatUint(to, 10)}}
	if whole {
		q.Set("show", "all")
	}
	return "/notes/" + v.ID + "/compare?" + q.Encode()
}

func anchor(n int) string { return "change-" + strconv.Itoa(n) }

// stretch is parts that stand together and are shown, or folded because they did not change.
type stretch struct {
	parts  []*prose.Part
	folded bool
}

const minFolded = 3 // blocks: to fold fewer saves nothing

// stretches folds what did not change, but for the block beside what did.
func (v CompareView) stretches() (out []stretch) {
	show := make([]bool, len(v.Body))
	for i := range v.Body {
		if v.Whole || changed(&v.Body[i]) {
			for k := max(0, i-1); k <= min(len(v.Body)-1, i+1); k++ {
				show[k] = true
			}
		}
	}
	for i := 0; i < len(v.Body); {
		k := i
		for k < len(v.Body) && show[k] == show[i] {
			k++
		}
		s := stretch{folded: !show[i] && k-i >= minFolded}
		for j := i; j < k; j++ {
			s.parts = append(s.parts, &v.Body[j])
		}
		out, i = append(out, s), k
	}
	return out
}

// changed reports whether anything of a part did.
func changed(p *prose.Part) bool {
	if p.Change != prose.Same {
		return true
	}
	for i := range p.Parts {
		if changed(&p.Parts[i]) {
			return true
		}
	}
	return false
}

// partsOf are the parts of a block, each by itself: what is said of them is found by where they are.
func partsOf(p *prose.Part) []*prose.Part {
	out := make([]*prose.Part, len(p.Parts))
	for i := range p.Parts {
		out[i] = &p.Parts[i]
	}
	return out
}

// VersionsView lists the versions of a note.
type VersionsView struct {
	Shell
	ID, Title string
	Patient   Patient
	Head      uint64
	Rows      []VersionRow // the newest first
	Older     uint64       // there are others before this row; 0: no
	MayName   bool         // offers to name versions
	MayWrite  bool         // offers to bring them back
	Looked    bool         // offers what has changed since the last look

	Error string // one sentence: why a name was not taken
	Name  string // that name
	Seq   uint64 // what it was for
}

// VersionRow is a version in a list.
type VersionRow struct {
	Seq       uint64
	At, Began time.Time
	What      string // in words: "Session", "Before it was signed", "Now"
	People    []Person
	Edits     int
	Names     []VersionName
	Before    uint64 // the version before it; 0: there is none
}

// VersionName is a name that somebody gave a version.
type VersionName struct {
	ID, Name, By string
	At           time.Time
	Mine         bool // may be changed
}

// MaxVersionName is how long the name of a version may be, in characters.
const MaxVersionName = 80

func seqText(seq uint64) string { return strconv.FormatUint(seq, 10) }

// id is what a part is reached by, if a change begins there.
func (v CompareView) id(p *prose.Part) string {
	if n := v.Edits[p].N; n > 0 {
		return anchor(n)
	}
	return "part-" + strconv.Itoa(v.Edits[p].Part)
}

func (t Tally) text(ctx context.Context) string {
	text := words.Say(ctx, "{added} added, {removed} removed", words.Count(ctx, t.Added, "{n} word", "{n} words"), strconv.Itoa(t.Removed))
	switch {
	case t.Removed == 0:
		text = words.Say(ctx, "{added} added", words.Count(ctx, t.Added, "{n} word", "{n} words"))
	case t.Added == 0:
		text = words.Say(ctx, "{removed} removed", words.Count(ctx, t.Removed, "{n} word", "{n} words"))
	}
	if t.Since {
		text += " " + words.Say(ctx, "since")
	}
	return text
}

// blockNames are what blocks are called, in words.
var blockNames = map[string]words.Text{
	"paragraph": "paragraph", "heading": "heading", "bulletList": "list", "orderedList": "numbered list", "listItem": "item", "blockquote": "quotation",
	"codeBlock": "code", "horizontalRule": "line", "table": "table", "tableRow": "row", "tableCell": "cell", "tableHeader": "header cell", "taskList": "task list", "taskItem": "task",
}

func blockName(ctx context.Context, n prose.Node) string {
	name, ok := blockNames[n.Type]
	if !ok {
		name = "part"
	}
	if n.Type == "heading" {
		return words.Say(ctx, "heading {level}", headingLevel(n))
	}
	return words.Say(ctx, name)
}

// blockChange says in a few words what became of a block.
func blockChange(ctx context.Context, p *prose.Part) string {
	switch {
	case p.Change == prose.Added:
		return "+ " + blockName(ctx, p.Node)
	case p.Change == prose.Removed:
		return "− " + blockName(ctx, p.Node)
	case blockName(ctx, *p.Was) != blockName(ctx, p.Node):
		return blockName(ctx, *p.Was) + " → " + blockName(ctx, p.Node)
	case p.Node.Type == "taskItem":
		return taskChange(ctx, prose.TaskOf(*p.Was), prose.TaskOf(p.Node))
	}
	return words.Say(ctx, "other settings of the {blockName}", blockName(ctx, p.Node))
}

// taskChange says what became of a task, besides its text.
func taskChange(ctx context.Context, was, is prose.Task) string {
	var says []string
	switch {
	case is.Done && !was.Done:
		says = append(says, words.Say(ctx, "ticked off"))
	case was.Done && !is.Done:
		says = append(says, words.Say(ctx, "not ticked off any more"))
	}
	if was.Owner != is.Owner || was.OwnerName != is.OwnerName {
		says = append(says, words.Say(ctx, "for {or}, was for {or2}", cmp.Or(is.OwnerName, words.Say(ctx, "nobody")), cmp.Or(was.OwnerName, words.Say(ctx, "nobody"))))
	}
	if was.Due != is.Due {
		says = append(says, words.Say(ctx, "due {or}, was due {or2}", cmp.Or(words.Dated(ctx, is.DueText()), words.Say(ctx, "any time")), cmp.Or(words.Dated(ctx, was.DueText()), words.Say(ctx, "any time"))))
	}
	if len(says) == 0 {
		return words.Say(ctx, "other settings of the task")
	}
	return strings.Join(says, "; ")
}

// BlockChange is how a list says what became of a block.
func BlockChange(ctx context.Context, p *prose.Part) string { return blockChange(ctx, p) }

// blockClass is how a block is marked at which a change begins.
func (v CompareView) blockClass(p *prose.Part) string {
	if v.Edits[p].N == 0 {
		return ""
	}
	return map[prose.Change]string{prose.Added: "block-added", prose.Removed: "block-removed", prose.Changed: "block-changed"}[p.Change]
}

func movedClass(p *prose.Part) string {
	if p.Moved {
		return "moved"
	}
	return ""
}

func headingLevel(n prose.Node) string { return strconv.Itoa(min(max(intAttr(n, "level", 1), 1), 6)) }

// title is what a version is called in a list.
func (r VersionRow) title() string {
	if len(r.Names) > 0 {
		return r.Names[0].Name
	}
	return r.What
}
