package web

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/clisonix/tidechart/web/words"
)

// sections are the headings that notes of this kind begin with, as the script reads them: what a note has, and what
// that is called in another language.
func (v NoteView) sections(ctx context.Context) string {
	all := make([][]string, len(v.Sections))
	for i, heading := range v.Sections {
		all[i] = []string{heading}
		if called := Named(ctx, heading); called != heading {
			all[i] = append(all[i], called)
		}
	}
	b, _ := json.Marshal(all) // texts can always be written
	return string(b)
}

// taskSections are those in which lines are tasks, as the script reads them.
func (v NoteView) taskSections() string {
	b, _ := json.Marshal(append([]string{}, v.TaskSections...))
	return string(b)
}

// Limits of a phrase (I10), in characters.
const (
	MaxPhraseName = 30
	MaxPhraseText = 4000
)

// PhrasesView is the page of one's phrases, and one's units'. After a refused form it is shown again with Error, and as it was typed.
type PhrasesView struct {
	Shell
	Shelves []PhraseShelf

	Error                string
	ID, Unit, Name, Text string // of the form: which phrase, or "" and whose a new one is
}

// PhraseShelf is one's own phrases, or a unit's.
type PhraseShelf struct {
	Unit, UnitName string // empty: one's own
	Phrases        []PhraseView
	MaySet         bool
}

func (s PhraseShelf) title(ctx context.Context) string {
	if s.Unit == "" {
		return words.Say(ctx, "Your own")
	}
	return s.UnitName
}

// id is what parts of the page are called that are about a shelf's new phrase.
func (s PhraseShelf) id() string { return "new-" + s.Unit }

// PhraseView is one phrase.
type PhraseView struct {
	ID, Name, Text, ByName string
	At                     time.Time
	Unreadable             bool // its text does not open
}

// excerpt is how it begins, in one line.
func (p PhraseView) excerpt() string {
	const most = 80
	line := strings.Join(strings.Fields(p.Text), " ")
	if r := []rune(line); len(r) > most {
		return string(r[:most]) + "…"
	}
	return line
}
