// Package notekind knows the kinds of note that clinicians write: their LOINC
// codes and the sections that a new one starts with.
package notekind

import (
	"slices"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/web/words"
)

// Handoff is the code of what one hands over by, and another reads back.
const Handoff = "handoff"

// Kind is a kind of note.
type Kind struct {
	Code     string     // stored, and used in URLs and the API
	LOINC    string     // document code
	Name     words.Text // the titles of notes are made of it, in English
	Sections []Section
}

// Section is a part of a note under a heading of its own.
type Section struct {
	Heading words.Text // a note has it in English, whoever begins it: programs find the section by it
	LOINC   string     // section code; "" where LOINC has none
	Tasks   bool       // what stands there is to be done: each line of a list is somebody's task
}

// Kinds lists the kinds in the order in which menus show them.
//
// No LOINC code says "nursing handoff": 34746-8 is the nurse's note, and the
// parts of I-PASS are its sections.
var Kinds = []Kind{
	{Code: "progress", LOINC: "11506-3", Name: "Progress note", Sections: []Section{
		{Heading: "Subjective", LOINC: "61150-9"},
		{Heading: "Objective", LOINC: "61149-1"},
		{Heading: "Assessment", LOINC: "51848-0"},
		{Heading: "Plan", LOINC: "18776-5"},
	}},
	{Code: "history-physical", LOINC: "34117-2", Name: "History and physical", Sections: []Section{
		{Heading: "Chief complaint", LOINC: "10154-3"},
		{Heading: "History of present illness", LOINC: "10164-2"},
		{Heading: "Past medical history", LOINC: "11348-0"},
		{Heading: "Medications", LOINC: "10160-0"},
		{Heading: "Allergies", LOINC: "48765-2"},
		{Heading: "Family history", LOINC: "10157-6"},
		{Heading: "Social history", LOINC: "29762-2"},
		{Heading: "Review of systems", LOINC: "10187-3"},
		{Heading: "Vital signs", LOINC: "8716-3"},
		{Heading: "Physical examination", LOINC: "29545-1"},
		{Heading: "Results", LOINC: "30954-2"},
		{Heading: "Assessment and plan", LOINC: "51847-2"},
	}},
	{Code: Handoff, LOINC: "34746-8", Name: "Nursing handoff", Sections: []Section{
		{Heading: "Illness severity"},
		{Heading: "Patient summary"},
		{Heading: "Action list", Tasks: true},
		{Heading: "Situation awareness and contingency"},
		{Heading: "Synthesis by receiver"},
	}},
	{Code: "discharge", LOINC: "18842-5", Name: "Discharge summary", Sections: []Section{
		{Heading: "Admission diagnosis", LOINC: "46241-6"},
		{Heading: "Discharge diagnosis", LOINC: "11535-2"},
		{Heading: "Hospital course", LOINC: "8648-8"},
		{Heading: "Procedures", LOINC: "47519-4"},
		{Heading: "Allergies", LOINC: "48765-2"},
		{Heading: "Discharge medications", LOINC: "10183-2"},
		{Heading: "Condition at discharge"},
		{Heading: "Results to follow"},
		{Heading: "Discharge instructions", LOINC: "8653-8"},
		{Heading: "Follow-up", LOINC: "18776-5"},
	}},
	{Code: "consult", LOINC: "11488-4", Name: "Consultation", Sections: []Section{
		{Heading: "Reason for consultation", LOINC: "42349-1"},
		{Heading: "History of present illness", LOINC: "10164-2"},
		{Heading: "Past medical history", LOINC: "11348-0"},
		{Heading: "Medications", LOINC: "10160-0"},
		{Heading: "Allergies", LOINC: "48765-2"},
		{Heading: "Physical examination", LOINC: "29545-1"},
		{Heading: "Results", LOINC: "30954-2"},
		{Heading: "Assessment", LOINC: "51848-0"},
		{Heading: "Recommendations", LOINC: "18776-5"},
	}},
	{Code: "medications", LOINC: "56445-0", Name: "Medication review", Sections: []Section{
		{Heading: "Medications", LOINC: "10160-0"},
		{Heading: "Allergies", LOINC: "48765-2"},
		{Heading: "Interactions and doses"},
		{Heading: "Recommendations"},
	}},
}

// ByCode returns the kind with the code.
func ByCode(code string) (Kind, bool) {
	for _, k := range Kinds {
		if k.Code == code {
			return k, true
		}
	}
	return Kind{}, false
}

// OfTasks reports whether what stands below a heading is to be done.
func OfTasks(heading string) bool {
	return slices.ContainsFunc(Kinds, func(k Kind) bool {
		return slices.ContainsFunc(k.Sections, func(s Section) bool { return s.Tasks && string(s.Heading) == heading })
	})
}

// Template returns the content of a new, empty note: each section's heading
// with a paragraph to write in.
func (k Kind) Template() prose.Node {
	doc := prose.Node{Type: "doc"}
	for _, s := range k.Sections {
		doc.Content = append(doc.Content, Heading(string(s.Heading)), Paragraph(""))
	}
	return doc
}

// HeadingLevel is that of a section's heading; level 1 is the note's title,
// which the page shows.
const HeadingLevel = 2

// Heading returns the heading of a section.
func Heading(text string) prose.Node {
	return prose.Node{Type: "heading", Attrs: map[string]any{"level": HeadingLevel}, Content: inline(text)}
}

// Paragraph returns a paragraph of plain text.
func Paragraph(text string) prose.Node {
	return prose.Node{Type: "paragraph", Content: inline(text)}
}

// BulletList returns a list with an item, of one paragraph, for each text.
func BulletList(texts ...string) prose.Node {
	list := prose.Node{Type: "bulletList"}
	for _, text := range texts {
		list.Content = append(list.Content, prose.Node{Type: "listItem", Content: []prose.Node{Paragraph(text)}})
	}
	return list
}

// TaskList returns a list of tasks.
func TaskList(tasks ...prose.Node) prose.Node {
	return prose.Node{Type: "taskList", Content: tasks}
}

// Task returns a task for such a list.
func Task(text string, t prose.Task) prose.Node {
	n := prose.Node{Type: "taskItem", Attrs: map[string]any{"checked": t.Done}, Content: []prose.Node{Paragraph(text)}}
	for name, value := range map[string]string{"owner": t.Owner, "ownerName": t.OwnerName, "due": t.Due} {
		if value != "" {
			n.Attrs[name] = value
		}
	}
	return n
}

// inline is nil for an empty text: the schema knows no empty text node.
func inline(text string) []prose.Node {
	if text == "" {
		return nil
	}
	return []prose.Node{{Type: "text", Text: text}}
}
