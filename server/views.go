package server

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/notekind"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web"
)

// This file turns what the database and the sessions know into what pages show.

func personView(p login.Person) web.Person {
	return web.Person{
		ID: p.ID.String(), Username: p.Username, Name: p.Name, Role: string(p.Role), Initials: initials(p.Name), ColorIndex: p.Color,
	}
}

func personRowView(p queries.Person) web.Person {
	return web.Person{
		ID: p.ID.String(), Username: p.Username, Name: p.Name, Role: p.Role, Initials: initials(p.Name), ColorIndex: int(p.Color),
	}
}

func authorView(a sessions.Author) web.Person {
	return web.Person{ID: a.ID.String(), Name: a.Name, Role: a.Role, Initials: initials(a.Name), ColorIndex: a.ColorIndex}
}

// initials are those of a name without its title and degrees: "Dr Mei Chen" is MC, "Rosa Rivera RN" is RR.
func initials(name string) string {
	var all []rune
	for word := range strings.FieldsSeq(name) {
		first, _ := utf8.DecodeRuneInString(word)
		degree := len(word) > 1 && strings.ToUpper(word) == word
		if degree || word == "Dr" || word == "PharmD" || !unicode.IsLetter(first) {
			continue
		}
		all = append(all, unicode.ToUpper(first))
	}
	if len(all) > 2 {
		all = []rune{all[0], all[len(all)-1]}
	}
	return string(all)
}

func patientView(p store.Patient, bed, unit string) web.Patient {
	return web.Patient{
		ID: p.ID.String(), Family: p.Family, Given: p.Given, Title: p.Title, Born: p.BirthDate, Gender: p.Gender, MRN: p.Mrn,
		Bed: bed, Unit: unit, Restricted: p.Vip, Allergies: allergiesView(p.Allergies),
	}
}

func initialsOf(p store.Patient) string {
	return web.Patient{Family: p.Family, Given: p.Given}.Initials()
}

// knownAllergies begins the banner's statement of known allergies; they follow, separated by semicolons.
const knownAllergies = "Known allergies: "

func allergiesView(statement string) web.Allergies {
	if list, known := strings.CutPrefix(statement, knownAllergies); known {
		return web.Allergies{State: web.AllergiesKnown, Known: strings.Split(list, "; ")}
	}
	switch statement {
	case "No known allergies":
		return web.Allergies{State: web.AllergiesNone}
	case "Allergies unavailable":
		return web.Allergies{State: web.AllergiesUnavailable}
	default:
		return web.Allergies{State: web.AllergiesNotRecorded}
	}
}

func noteLink(n queries.Note, present map[sessions.NoteID][]sessions.Presence) web.NoteLink {
	link := web.NoteLink{
		ID: n.ID.String(), Kind: kindName(n.Kind), Title: n.Title, Status: web.NoteStatus(store.StateOf(n)), EditedAt: n.EditedAt.Local(),
	}
	for _, p := range present[n.ID] {
		if p.CanWrite {
			link.Writers = append(link.Writers, authorView(p.Author))
		}
	}
	return link
}

func kindName(code string) string {
	if kind, ok := notekind.ByCode(code); ok {
		return string(kind.Name)
	}
	return code
}

// sectionsOf are the headings that notes of a kind begin with, and those of them below which stands what is to be done.
func sectionsOf(code string) (headings, ofTasks []string) {
	kind, _ := notekind.ByCode(code)
	for _, s := range kind.Sections {
		headings = append(headings, string(s.Heading))
		if s.Tasks {
			ofTasks = append(ofTasks, string(s.Heading))
		}
	}
	return headings, ofTasks
}

// clock is when something was, in the hospital's time zone; zero for what has not been.
func clock(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Local()
}
