package demo

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/notekind"
)

//go:embed cases/*.md
var files embed.FS

// course is one illness, told in a note of each kind. Its text has places
// that differ from patient to patient (vary.go).
type course struct {
	texts    map[string]string // by kind of note
	progress int               // the day of the stay that the progress note is about
}

// readCases reads the files of cases/. In each, "# kind" begins a note and
// "## heading" a section of paragraphs and "- " list items, one a line. The
// progress note may name its day, "# progress 3"; else it is the second.
func readCases() (map[string]course, error) {
	entries, err := files.ReadDir("cases")
	if err != nil {
		return nil, err
	}
	cases := make(map[string]course, len(entries))
	for _, e := range entries {
		text, err := files.ReadFile(path.Join("cases", e.Name()))
		if err != nil {
			return nil, err
		}
		c, err := readCourse(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		cases[strings.TrimSuffix(e.Name(), ".md")] = c
	}
	return cases, nil
}

func readCourse(text string) (course, error) {
	c := course{texts: map[string]string{}, progress: 2}
	for part := range strings.SplitSeq("\n"+text, "\n# ") {
		title, rest, _ := strings.Cut(part, "\n")
		if title == "" {
			continue // before the first note
		}
		kind, day, hasDay := strings.Cut(title, " ")
		if _, ok := notekind.ByCode(kind); !ok {
			return course{}, fmt.Errorf("there is no kind of note %q", kind)
		}
		if hasDay {
			var err error
			if c.progress, err = strconv.Atoi(day); err != nil {
				return course{}, fmt.Errorf("day of the progress note: %w", err)
			}
		}
		c.texts[kind] = rest
	}
	return c, nil
}

// notes returns what was written about the patient: what was found on the
// first day, the progress on the second, a handoff on most evenings, and a
// discharge summary for those who are nearly home.
func (c course) notes(i int, a admission, p Patient, midnight time.Time) []Note {
	physician, nurse := "okafor", "rivera"
	if i%3 == 0 {
		physician = "chen"
	}
	if i%4 == 0 {
		nurse = "haddad"
	}
	home := a.day >= 4 && a.day > c.progress // nearly
	handoff := a.day
	if home {
		handoff-- // the evening before
	}
	all := []struct {
		kind, author string
		day, minutes int
		skip         bool
	}{
		{"history-physical", "okafor", 1, 12*60 + i*7, false},
		{"progress", physician, c.progress, 7*60 + 20 + i*3, false},
		{"discharge", "chen", a.day, 15*60 + i*2, !home},
		{"handoff", nurse, handoff, 18*60 + 40 + i, i%5 == 0 && !home},
	}
	voice := voiceOf(p)
	var notes []Note
	for _, w := range all {
		if w.skip {
			continue
		}
		notes = append(notes, Note{
			ID: id("note/%d/%s", i, w.kind), Patient: p.ID, Unit: p.Unit, Kind: w.kind,
			Author: id("person/%s", w.author), At: a.at(midnight, w.day, w.minutes),
			Body: written{a.at(midnight, w.day, w.minutes), midnight.Add(shiftEnds), ownersOn(p.Unit, w.author)}.body(voice.say(w.kind, w.day, c.texts[w.kind])),
		})
	}
	return notes
}

// written is when a text was, and who does what it asks for.
type written struct {
	at       time.Time
	doneTill time.Time         // what was due before is done
	owners   map[string]Person // by what a text calls them; nil: its author writes no tasks
}

// body makes a note of a text. In a section that is for it, list items are tasks, if its author writes any.
func (w written) body(text string) prose.Node {
	doc := prose.Node{Type: "doc"}
	var items []string
	tasks := false
	endList := func() {
		switch {
		case items == nil:
			return
		case tasks:
			list := notekind.TaskList()
			for _, item := range items {
				list.Content = append(list.Content, w.task(item))
			}
			doc.Content = append(doc.Content, list)
		default:
			doc.Content = append(doc.Content, notekind.BulletList(items...))
		}
		items = nil
	}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		if item, ok := strings.CutPrefix(line, "- "); ok {
			items = append(items, item)
			continue
		}
		endList()
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			tasks = w.owners != nil && notekind.OfTasks(heading)
			doc.Content = append(doc.Content, notekind.Heading(heading))
		} else {
			doc.Content = append(doc.Content, notekind.Paragraph(line))
		}
	}
	endList()
	return doc
}

func sortByTime(notes []Note) {
	slices.SortStableFunc(notes, func(a, b Note) int { return a.At.Compare(b.At) })
}
