package web

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/web/words"
)

// Authorship is whose a piece of text is, since when, and how it came.
type Authorship struct {
	Person   Person // no name: nobody knows
	At       time.Time
	Origin   string // "typed", "pasted", "imported", "carried" or "recovered"; "": the page says only whose it is
	Template bool   // imported with the template
	By       string // who brought it back, of what is recovered
	Source   string // whose words they were, of what is carried,
	SourceAt time.Time
	Age      time.Duration // of it, where the page says only what was carried
	Plain    bool          // of this piece the page says nothing
}

// OriginWords is how many words came in one way.
type OriginWords struct {
	Origin string
	Words  int
}

// CarriedView is what was carried over from one earlier note.
type CarriedView struct {
	Author Person // whose words they were
	At     time.Time
	Words  int
	Age    time.Duration // when the note was as it is shown
}

// origins are all of them in words, in the order of the legend.
var originNames = []struct {
	Origin string
	Says   words.Text
}{
	{"typed", "typed"},
	{"pasted", "pasted: came at once"},
	{"imported", "imported, or of the template"},
	{"carried", "carried forward from an earlier note"},
	{"recovered", "recovered after a restore"},
}

// classes are those of the text.
func (a Authorship) classes() string {
	if a.Age > 0 {
		return "by by-carried carried"
	}
	if a.Origin == "" {
		return "by " + authorClass(a.Person.ColorIndex)
	}
	return "by by-" + a.Origin + " " + authorClass(a.Person.ColorIndex)
}

// how says how it came, in words.
func (a Authorship) how(ctx context.Context) string {
	switch {
	case a.Template:
		return words.Say(ctx, "template")
	case a.Origin == "carried" && a.Source != "":
		return words.Say(ctx, "carried forward, written by {source} on {sourceAt}", a.Source, words.Date(ctx, a.SourceAt, dateLayout))
	case a.Origin == "carried":
		return words.Say(ctx, "carried forward, written on {sourceAt}", words.Date(ctx, a.SourceAt, dateLayout))
	case a.Origin == "recovered" && a.By != "":
		return words.Say(ctx, "recovered by {by}", a.By)
	}
	return Named(ctx, a.Origin)
}

// name is who wrote it.
func (a Authorship) name(ctx context.Context) string {
	if a.Person.Name == "" {
		return words.Say(ctx, "Somebody unknown")
	}
	return a.Person.Name
}

// says is all of it in one line.
func (a Authorship) says(ctx context.Context) string {
	if a.Age > 0 {
		return fromNote(ctx, a.SourceAt, a.Age, a.Source)
	}
	if a.Origin == "" { // of which only the author is said
		return a.name(ctx)
	}
	return fmt.Sprintf("%s, %s, %s", a.name(ctx), words.Date(ctx, a.At, dateLayout+" 15:04"), a.how(ctx))
}

// fromNote says from when something is that was carried forward, as the editor says it (web/src/carried.ts).
func fromNote(ctx context.Context, at time.Time, age time.Duration, author string) string {
	says := words.Say(ctx, "from the note of {at}, {days}", words.Date(ctx, at, dateLayout), days(ctx, age))
	if author != "" {
		says += words.Say(ctx, ", written by {author}", author)
	}
	return says
}

// Says is it in a line of a copy.
func (c CarriedView) Says(ctx context.Context) string {
	return words.Count(ctx, c.Words, "{n} word", "{n} words") + " " + fromNote(ctx, c.At, c.Age, c.Author.Name)
}

// days says an age in whole days.
func days(ctx context.Context, d time.Duration) string {
	switch n := int(d / (24 * time.Hour)); n {
	case 0:
		return words.Say(ctx, "less than a day old")
	case 1:
		return words.Say(ctx, "a day old")
	default:
		return words.Say(ctx, "{n2} days old", strconv.Itoa(n))
	}
}

// ways says how words came: "10 typed, 5 pasted".
func (c Contributor) ways(ctx context.Context) string {
	var all []string
	for _, o := range c.Origins {
		all = append(all, fmt.Sprintf("%d %s", o.Words, Named(ctx, o.Origin)))
	}
	return strings.Join(all, ", ")
}

// maxPieces is how many pieces of text a list of a note has at most.
const maxPieces = 500

// piece is one of such a list.
type piece struct {
	Authorship
	Text string
}

// pieces lists the texts of a note with whose they are, and says how many there are beyond the longest list.
func (v HistoryView) pieces() (list []piece, more int) {
	var walk func(prose.Node)
	walk = func(n prose.Node) {
		for _, c := range n.Content {
			switch {
			case c.Type != "text":
				walk(c)
			case strings.TrimSpace(c.Text) == "":
			case len(list) == maxPieces:
				more++
			default:
				list = append(list, piece{v.Authorship(c), c.Text})
			}
		}
	}
	walk(v.Body)
	return list, more
}

// authorshipKey is where a context says whose text is whose. It is not a mark of the text: marks are what somebody's browser
// sent.
type authorshipKey struct{}

// authored renders its children with the author of each piece of text.
func authored(of func(prose.Node) Authorship) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		children := templ.GetChildren(ctx)
		return children.Render(context.WithValue(templ.ClearChildren(ctx), authorshipKey{}, of), w)
	})
}

// authorshipOf returns whose a piece of text is, if the page says so.
func authorshipOf(ctx context.Context, text prose.Node) (Authorship, bool) {
	of, ok := ctx.Value(authorshipKey{}).(func(prose.Node) Authorship)
	if !ok {
		return Authorship{}, false
	}
	by := of(text)
	return by, !by.Plain
}
