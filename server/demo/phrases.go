package demo

import "github.com/clisonix/tidechart/server/store"

// phrases are what the demo's units, and two of its people, write often.
var phrases = []struct{ unit, by, name, text string }{
	{"4-west", "chen", "chest", "Chest: air entry *** bilaterally, *** crackles, no wheeze. SpO2 ***% on ***."},
	{"4-west", "chen", "heart", "Heart: rate ***, regular, *** murmur. JVP ***. Ankle swelling ***."},
	{"4-west", "chen", "plan-hf", "Heart failure:\n- furosemide *** mg, weigh daily (target *** kg)\n- fluid limit *** mL a day\n- potassium and creatinine on ***"},
	{"4-west", "haddad", "fall", "Fall at *** in ***. Witnessed: ***. Head injury: ***. Observations after: ***. Physician told at ***; family told at ***."},
	{"4-west", "haddad", "skin", "Skin checked on admission: ***. Pressure areas: ***. Turned every *** hours."},
	{"icu", "chen", "vent", "Ventilator: mode ***, FiO2 ***, PEEP ***, tidal volume *** mL. Last gas at ***: pH ***, pCO2 ***, pO2 ***."},
	{"", "chen", "ros", "Review of systems: no fever, no chest pain, no breathlessness at rest, no cough. Bowels ***. Otherwise ***."},
	{"", "okafor", "admit", "Admitted from *** with *** since ***.\nCode status discussed: ***."},
}

// seedPhrases are those as rows.
func (Hospital) seedPhrases() (all []store.Phrase) {
	for _, p := range phrases {
		all = append(all, store.Phrase{ID: id("phrase/%s/%s", p.by, p.name), Unit: p.unit, Name: p.name, Text: p.text, By: id("person/%s", p.by)})
	}
	return all
}
