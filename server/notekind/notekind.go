// Package notekind knows the kinds of note that clinicians write: their LOINC
// codes and the sections that a new one starts with.
package notekind

import (
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
}

// Kinds lists the kinds in the order in which menus show them.
//
// No LOINC code says "nursing handoff": 34746-8 is the nurse's note, and the
// parts of I-PASS are its sections.
var Kinds = []Kind{
	{Code: "progress", LOINC: "11506-3", Name: "Progress note", Sections: []Section{
		{"Subjective", "61150-9"},
		{"Objective", "61149-1"},
		{"Assessment", "51848-0"},
		{"Plan", "18776-5"},
	}},
	{Code: "history-physical", LOINC: "34117-2", Name: "History and physical", Sections: []Section{
		{"Chief complaint", "10154-3"},
		{"History of present illness", "10164-2"},
		{"Past medical history", "11348-0"},
		{"Medications", "10160-0"},
		{"Allergies", "48765-2"},
		{"Family history", "10157-6"},
		{"Social history", "29762-2"},
		{"Review of systems", "10187-3"},
		{"Vital signs", "8716-3"},
		{"Physical examination", "29545-1"},
		{"Results", "30954-2"},
		{"Assessment and plan", "51847-2"},
	}},
	{Code: Handoff, LOINC: "34746-8", Name: "Nursing handoff", Sections: []Section{
		{Heading: "Illness severity"},
		{Heading: "Patient summary"},
		{Heading: "Action list"},
		{Heading: "Situation awareness and contingency"},
		{Heading: "Synthesis by receiver"},
	}},
	{Code: "discharge", LOINC: "18842-5", Name: "Discharge summary", Sections: []Section{
		{"Admission diagnosis", "46241-6"},
		{"Discharge diagnosis", "11535-2"},
		{"Hospital course", "8648-8"},
		{"Procedures", "47519-4"},
		{"Allergies", "48765-2"},
		{"Discharge medications", "10183-2"},
		{Heading: "Condition at discharge"},
		{Heading: "Results to follow"},
		{"Discharge instructions", "8653-8"},
		{"Follow-up", "18776-5"},
	}},
	{Code: "consult", LOINC: "11488-4", Name: "Consultation", Sections: []Section{
		{"Reason for consultation", "42349-1"},
		{"History of present illness", "10164-2"},
		{"Past medical history", "11348-0"},
		{"Medications", "10160-0"},
		{"Allergies", "48765-2"},
		{"Physical examination", "29545-1"},
		{"Results", "30954-2"},
		{"Assessment", "51848-0"},
		{"Recommendations", "18776-5"},
	}},
	{Code: "medications", LOINC: "56445-0", Name: "Medication review", Sections: []Section{
		{"Medications", "10160-0"},
		{"Allergies", "48765-2"},
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

// inline is nil for an empty text: the schema knows no empty text node.
func inline(text string) []prose.Node {
	if text == "" {
		return nil
	}
	return []prose.Node{{Type: "text", Text: text}}
}
