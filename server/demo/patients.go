package demo

import (
	"fmt"
	"time"

	"github.com/clisonix/tidechart/server/store"
)

// admission is one patient's stay.
type admission struct {
	family, given, title, gender string
	born                         string // yyyy-mm-dd
	allergies                    string
	unit                         int    // index into units
	bed                          int    // position in the unit
	course                       string // the case, a file in cases/
	day                          int    // of the stay, yesterday; the first is 1
}

// restricted is the bed of the one patient whose record is.
const restricted = "4-west-13"

// The wording of the banner, exactly.
const (
	noAllergies   = "No known allergies"
	notRecorded   = "Allergies not recorded"
	unavailable   = "Allergies unavailable"
	allergicTo    = "Known allergies: "
	medicine      = 0
	surgery       = 1
	intensiveCare = 2
)

// admissions has, on purpose, what pages find hard: two of one family name on
// a ward, long and hyphenated names, letters beyond ASCII, an apostrophe, a
// gender that is not known, and every state of allergies.
var admissions = []admission{
	{"Driftmoor", "Ada", "Mrs", "Female", "1951-03-14", noAllergies, medicine, 1, "medicine-pneumonia", 3},
	{"Kelpwell", "Bruno", "Mr", "Male", "1947-11-02", allergicTo + "penicillin (rash); latex", medicine, 2, "medicine-heart-failure", 5},
	{"Shellbrook", "Celeste", "Ms", "Female", "1958-07-23", noAllergies, medicine, 3, "medicine-urosepsis", 2},
	{"Gullsworth", "Dmitri", "Mr", "Male", "1969-01-30", allergicTo + "sulfonamides (swelling)", medicine, 4, "medicine-gi-bleed", 3},
	{"Foamhurst", "Esi", "Ms", "Female", "1996-05-09", noAllergies, medicine, 5, "medicine-ketoacidosis", 2},
	{"Anchorfield", "Fergus", "Mr", "Male", "1949-09-18", noAllergies, medicine, 6, "medicine-stroke", 6},
	{"Barnacleby", "Greta", "Mrs", "Female", "1955-12-27", notRecorded, medicine, 8, "medicine-copd", 3},
	{"Driftmoor", "Hiro", "Mr", "Male", "1973-04-05", noAllergies, medicine, 9, "medicine-cellulitis", 4},
	{"O'Shoal", "Imogen", "Mrs", "Female", "1938-08-16", allergicTo + "codeine (vomiting)", medicine, 10, "medicine-fall-delirium", 4},
	{"Coralby", "Jamal", "Mr", "Male", "1962-02-11", noAllergies, medicine, 11, "medicine-pneumonia", 5},
	{"Seaborne-Netherreef", "Katharina Wilhelmine", "Dr", "Female", "1944-06-01", noAllergies, medicine, 12, "medicine-heart-failure", 2},
	{"Pebbleton", "Lars", "Mr", "Male", "1950-10-20", unavailable, medicine, 13, "medicine-urosepsis", 5},
	{"Wavecrest", "Marisol", "Ms", "Female", "1966-03-08", noAllergies, medicine, 15, "medicine-gi-bleed", 5},
	{"Brinefield", "Noor", "Mx", "Not Known", "2001-09-12", noAllergies, medicine, 16, "medicine-ketoacidosis", 4},
	{"Tidewell", "Oskar", "Mr", "Male", "1953-05-25", allergicTo + "shellfish (anaphylaxis)", medicine, 17, "medicine-stroke", 3},
	{"Ångreef", "Pia", "Mrs", "Female", "1957-07-07", noAllergies, medicine, 18, "medicine-copd", 4},
	{"Lanternby", "Quentin", "Mr", "Male", "1931-11-29", allergicTo + "nitrofurantoin (breathlessness)", medicine, 20, "medicine-fall-delirium", 2},

	{"Moorsand", "Rosalind", "Mrs", "Female", "1943-02-17", noAllergies, surgery, 1, "surgery-hip-fracture", 3},
	{"Oysterly", "Samuel", "Mr", "Male", "2004-06-30", noAllergies, surgery, 2, "surgery-appendicitis", 2},
	{"Capstanley", "Thandiwe", "Ms", "Female", "1971-10-04", noAllergies, surgery, 3, "surgery-cholecystitis", 4},
	{"Buoyard", "Ulrich", "Mr", "Male", "1956-01-21", allergicTo + "morphine (itching)", surgery, 4, "surgery-colectomy", 5},
	{"Reefholm", "Valentina", "Mrs", "Female", "1959-04-15", noAllergies, surgery, 5, "surgery-knee-replacement", 4},
	{"Sandpiper", "William", "Mr", "Male", "1968-08-08", allergicTo + "penicillin (anaphylaxis)", surgery, 6, "surgery-bowel-obstruction", 3},
	{"Mainsailer", "Xenia", "Ms", "Female", "1985-12-12", noAllergies, surgery, 8, "surgery-ankle-fracture", 5},
	{"Harbourly", "Yusuf", "Mr", "Male", "1940-03-03", notRecorded, surgery, 9, "surgery-hip-fracture", 6},
	{"Spindrift", "Zora", "Ms", "Female", "1999-05-19", noAllergies, surgery, 10, "surgery-appendicitis", 2},
	{"Cockleworth", "Anders", "Mr", "Male", "1964-09-27", noAllergies, surgery, 11, "surgery-cholecystitis", 3},
	{"Marramgrass", "Beatriz", "Mrs", "Female", "1961-11-13", noAllergies, surgery, 12, "surgery-colectomy", 6},
	{"Gullsworth", "Cedric", "Mr", "Male", "1952-07-02", allergicTo + "adhesive tape (blisters)", surgery, 13, "surgery-knee-replacement", 3},
	{"Undertow", "Dagny", "Ms", "Female", "1976-02-28", noAllergies, surgery, 14, "surgery-bowel-obstruction", 2},
	{"Jettison", "Elias", "Mr", "Male", "1992-10-10", noAllergies, surgery, 16, "surgery-ankle-fracture", 4},
	{"Limpetshaw", "Farida", "Mrs", "Female", "1948-06-06", noAllergies, surgery, 17, "surgery-hip-fracture", 3},
	{"Mackerelby", "Gaspard", "Mr", "Male", "1963-12-24", allergicTo + "latex (rash)", surgery, 18, "surgery-colectomy", 4},

	{"Stormgate", "Hanneke", "Mrs", "Female", "1954-04-29", noAllergies, intensiveCare, 1, "intensive-septic-shock", 6},
	{"Trawlerton", "Ivo", "Mr", "Male", "1981-08-31", noAllergies, intensiveCare, 2, "intensive-ards", 3},
	{"Windlass", "Jorunn", "Ms", "Female", "1994-01-17", unavailable, intensiveCare, 3, "intensive-head-injury", 2},
	{"Foghorner", "Kofi", "Mr", "Male", "1967-05-05", noAllergies, intensiveCare, 5, "intensive-cardiac-arrest", 3},
	{"Lighterman-Bell", "Leocadia", "Mrs", "Female", "1960-09-09", allergicTo + "vancomycin (flushing)", intensiveCare, 6, "intensive-septic-shock", 2},
	{"Seagrass", "Matteo", "Mr", "Male", "1978-03-26", noAllergies, intensiveCare, 8, "intensive-ards", 9},
	{"Shoreditcher", "Nils", "Mr", "Male", "1989-11-11", noAllergies, intensiveCare, 9, "intensive-head-injury", 6},
}

func (a admission) patient(i int, midnight time.Time) Patient {
	born, err := time.Parse(time.DateOnly, a.born)
	if err != nil {
		panic(err) // a constant of this file
	}
	return Patient{
		ID: id("patient/%d", i), MRN: fmt.Sprintf("T-%06d", 100_037+i*4_211),
		Family: a.family, Given: a.given, Title: a.title, Born: born, Gender: a.gender, Allergies: a.allergies,
		Unit: units[a.unit].ID, Bed: units[a.unit].bed(a.bed),
		Admitted: a.at(midnight, 1, 10*60+i*7), Restricted: units[a.unit].bed(a.bed) == restricted, Bedside: a.bedside(i, midnight),
	}
}

// bedside is what the bed says: most of it of most patients, and of some nothing, as on wards.
func (a admission) bedside(i int, midnight time.Time) store.Bedside {
	b, ill := store.Bedside{Severity: "stable", Code: "full", Isolation: "none"}, illness[a.course]
	switch {
	case i%9 == 8: // has just come from another unit
		return store.Bedside{}
	case ill.severity != "" && (a.unit == intensiveCare || i%2 == 0):
		b.Severity = ill.severity
	}
	if ill.isolation != "" {
		b.Isolation = ill.isolation
	}
	born, err := time.Parse(time.DateOnly, a.born)
	if err != nil {
		panic(err) // a constant of this file
	}
	switch years := age(born, midnight); {
	case years >= 88:
		b.Code = "dnr-dni"
	case years >= 80:
		b.Code = "dnr"
	case i%11 == 10:
		b.Code = ""
	}
	switch { // nobody who may get worse today is said to go
	case a.unit == intensiveCare || b.Severity == "unstable":
	case b.Severity == "watcher":
		b.Home = midnight.AddDate(0, 0, 3+i%3)
	default:
		b.Home = midnight.AddDate(0, 0, max(0, 5-a.day+i%3))
	}
	return b
}

// illness is how ill the patients of a case are, and what who enters their room takes care of.
var illness = map[string]struct{ severity, isolation string }{
	"medicine-pneumonia":        {"watcher", "droplet"},
	"medicine-heart-failure":    {"watcher", ""},
	"medicine-urosepsis":        {"unstable", ""},
	"medicine-gi-bleed":         {"unstable", ""},
	"medicine-cellulitis":       {"", "contact"},
	"medicine-copd":             {"watcher", ""},
	"medicine-stroke":           {"watcher", ""},
	"surgery-bowel-obstruction": {"watcher", ""},
	"surgery-colectomy":         {"", "enteric"},
	"intensive-septic-shock":    {"unstable", "contact"},
	"intensive-ards":            {"unstable", "contact-airborne"},
	"intensive-head-injury":     {"watcher", ""},
	"intensive-cardiac-arrest":  {"unstable", ""},
}

// at returns the time on a day of the stay, in minutes after that day began.
func (a admission) at(midnight time.Time, day, minutes int) time.Time {
	return midnight.AddDate(0, 0, day-a.day-1).Add(time.Duration(minutes) * time.Minute)
}

// age returns whole years on the day.
func age(born, day time.Time) int {
	years := day.Year() - born.Year()
	if day.Month() < born.Month() || day.Month() == born.Month() && day.Day() < born.Day() {
		years--
	}
	return years
}
