package paper

import (
	"time"

	"github.com/clisonix/tidechart/crdt/prose"
)

func text(s string, marks ...string) prose.Node {
	n := prose.Node{Type: "text", Text: s}
	for _, m := range marks {
		n.Marks = append(n.Marks, prose.Mark{Type: m})
	}
	return n
}

func block(kind string, content ...prose.Node) prose.Node {
	return prose.Node{Type: kind, Content: content}
}

func heading(level int, s string) prose.Node {
	return prose.Node{Type: "heading", Attrs: map[string]any{"level": level}, Content: []prose.Node{text(s)}}
}

// sample is a note with a bit of everything.
func sample() Note {
	at := time.Date(2026, 11, 22, 9, 5, 0, 0, time.UTC)
	link := text("the guideline")
	link.Marks = []prose.Mark{{Type: "link", Attrs: map[string]any{"href": "https://example.org/sepsis"}}}
	return Note{
		Patient: "OKONKWO-LINDQVIST, Adaeze (Mrs)", Born: "14-Jul-1945 (81y)", Gender: "Female", MRN: "T-104248", Allergies: "Known allergies penicillin, latex",
		Kind: "Progress note", Title: "Progress note", LOINC: "11506-3", Unit: "4 West", Bed: "12-A", State: "draft",
		Begun: Event{"Dr Mei Chen", at}, Saved: Event{At: at.Add(90 * time.Minute)},
		Contributors: []Contributor{{"Dr Mei Chen", "attending", 212}, {"Rosa Rivera RN", "nurse", 1}},
		Body: block("doc",
			heading(2, "Subjective"),
			block("paragraph", text("Slept badly. "), text("No", "bold"), text(" chest pain, "), text("no", "italic", "underline"), text(" dyspnoea; "), text("see ", "strike"), link, text(".")),
			heading(2, "Objective"),
			block("bulletList",
				block("listItem", block("paragraph", text("BP 118/76, SpO₂ 96 % → 94 %, T 38.2 °C"))),
				block("listItem", block("paragraph", text("Potassium 3.1 mmol/L ↓")), block("orderedList",
					block("listItem", block("paragraph", text("KCl 20 mmol, 250 µg of it"))), block("listItem", block("paragraph", text("Recheck at 14:00"))))),
			),
			block("blockquote", block("paragraph", text("“I feel like I am drowning,” she said."))),
			prose.Node{Type: "codeBlock", Content: []prose.Node{text("Na 139\nK   3.1")}},
			block("horizontalRule"),
			block("paragraph", text("Dose"), prose.Node{Type: "hardBreak"}, text("Łódź, Ångström, naïve, Ελληνικά, Кириллица, ≥ ≤ ± × √ ∆")),
			block("paragraph", text("שלום 123 עולם (בית)")),
			block("paragraph", text("Called 👍 and 漢字")),
			prose.Node{Type: "medicationCard", Attrs: map[string]any{"dose": "5 mg"}, Content: []prose.Node{block("paragraph", text("amLODIPine"))}},
		),
		Copy: Copy{ID: "K3W8ZQ2M5T", By: "Dr Mei Chen", Role: "attending", At: at.Add(3 * time.Hour)},
	}
}

// signedSample is the same, signed, cosigned and added to.
func signedSample() Note {
	n := sample()
	n.State = "added"
	at := n.Begun.At.Add(2 * time.Hour)
	n.Signatures = []Signature{{"Sam Okafor MD", "Author", at, ""}, {"Dr Mei Chen", "Cosigned", at.Add(time.Minute), "Seen and examined.\nI agree."}}
	n.Done = []Done{{"Recheck potassium", Event{"Rosa Rivera RN", at.Add(3 * time.Hour)}}}
	n.Addenda = []Addendum{{
		Kind: "Correction", State: "signed", Begun: Event{"Dr Mei Chen", at.Add(time.Hour)}, Reason: "The wrong side was named.",
		Body: block("doc", block("paragraph", text("It is the left hip."))), Signatures: []Signature{{"Dr Mei Chen", "Author", at.Add(2 * time.Hour), ""}},
	}}
	return n
}
