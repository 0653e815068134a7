package demo

import (
	"regexp"
	"strings"
	"time"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/notekind"
)

// shiftEnds is when, on the day of the demo, the nights went home.
const shiftEnds = 7 * time.Hour

// writesLists hands over by lists as they always have, without tasks: any editor opens these notes.
const writesLists = "haddad"

// ownersOn says who on a unit does what a note of an author's asks "the nurse" for: who takes over from them.
func ownersOn(unit, author string) map[string]Person {
	if author == writesLists {
		return nil
	}
	owners := make(map[string]Person)
	for _, p := range people {
		if p.Unit != unit || p.Username == author {
			continue
		}
		switch p.Role {
		case "nurse", "charge nurse":
			owners["nurse"], owners["night nurse"], owners["two nurses"] = p, p, p
			owners[p.Role] = p
		case "resident":
			owners[p.Role] = p
		}
	}
	return owners
}

// What a task says of whose it is, at its end, and of when it is due.
var (
	taskOwner = regexp.MustCompile(` \(([^()]+)\)$`)
	taskTime  = regexp.MustCompile(`\b(?:at|next) ([01]\d|2[0-3]):([0-5]\d)\b`)
)

// task makes one of a line such as "Gas at 20:00 and 02:00 (nurse)". It is due when the line says so next after it was written; the last
// shift has done what was due then, but for what is easily forgotten.
func (w written) task(line string) prose.Node {
	var t prose.Task
	if m := taskOwner.FindStringSubmatch(line); m != nil {
		if owner, is := w.owners[m[1]]; is {
			t.Owner, t.OwnerName, line = owner.ID.String(), owner.Name, strings.TrimSuffix(line, m[0])
		} else if m[1] == "done" {
			t.Done, line = true, strings.TrimSuffix(line, m[0])
		}
	}
	if m := taskTime.FindStringSubmatch(line); m != nil {
		clock, _ := time.Parse("15:04", m[1]+":"+m[2]) // as the expression has it
		due := time.Date(w.at.Year(), w.at.Month(), w.at.Day(), clock.Hour(), clock.Minute(), 0, 0, w.at.Location())
		if due.Before(w.at) {
			due = due.AddDate(0, 0, 1)
		}
		t.Due = due.Format("2006-01-02T15:04")
		t.Done = t.Done || due.Before(w.doneTill) && len(line)%5 != 0
	}
	return notekind.Task(line, t)
}
