package web

import "time"

// phrasesSample is the page of a nurse, who has phrases of her own, says nothing of what her unit has, and has just typed a name that is taken.
func phrasesSample() PhrasesView {
	return PhrasesView{
		Shell: shell("Phrases", &rivera, SectionPhrases),
		Shelves: []PhraseShelf{
			{MaySet: true, Phrases: []PhraseView{
				{ID: "a", Name: "turns", Text: "Turned at ***.\n- left\n- right", ByName: rivera.Name, At: now.Add(-time.Hour)},
				{ID: "b", Name: "a-name-that-is-as-long-as-it-may", Text: "Overnightobservationsoneverylinethatisnotbroken " + now.String() + now.String(), ByName: rivera.Name, At: now.AddDate(0, -2, 0)},
			}},
			{Unit: "4w", UnitName: "4 West", Phrases: []PhraseView{{ID: "c", Name: "fall", Text: "Fall at *** in ***.", ByName: haddad.Name, At: now}}},
			{Unit: "5e", UnitName: "5 East, Surgery"},
		},
		Error: "There is a phrase of that name already. Choose another name, or change that one.", Name: "turns", Text: "Turned.",
	}
}
