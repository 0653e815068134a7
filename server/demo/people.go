package demo

import "fmt"

// ward is a unit with the layout of its beds.
type ward struct {
	Unit
	prefix string // of bed labels
	size   int
}

var units = []ward{
	{Unit{"4-west", "4 West, Medicine"}, "4W", 20},
	{Unit{"5-east", "5 East, Surgery"}, "5E", 18},
	{Unit{"icu", "Intensive Care"}, "IC", 10},
}

func (w ward) beds() []Bed {
	beds := make([]Bed, w.size)
	for i := range beds {
		beds[i] = Bed{ID: w.bed(i + 1), Unit: w.ID, Label: fmt.Sprintf("%s-%02d", w.prefix, i+1), Position: i + 1}
	}
	return beds
}

// bed returns the id of the bed at a position.
func (w ward) bed(position int) string { return fmt.Sprintf("%s-%02d", w.ID, position) }

// The people who can sign in, in the order in which the sign-in page lists them.
var people = []Person{
	{ID: id("person/chen"), Username: "chen", Name: "Dr Mei Chen", Role: "attending", Unit: "4-west", Color: 0},
	{ID: id("person/okafor"), Username: "okafor", Name: "Dr Daniel Okafor", Role: "resident", Unit: "4-west", Color: 1},
	{ID: id("person/rivera"), Username: "rivera", Name: "Rosa Rivera RN", Role: "nurse", Unit: "4-west", Color: 2},
	{ID: id("person/haddad"), Username: "haddad", Name: "Lina Haddad RN", Role: "charge nurse", Unit: "4-west", Color: 3},
	{ID: id("person/brandt"), Username: "brandt", Name: "Jonas Brandt RN", Role: "nurse", Unit: "icu", Color: 7},
	{ID: id("person/sato"), Username: "sato", Name: "Yuki Sato PharmD", Role: "pharmacist", Unit: "4-west", Covers: []string{"5-east", "icu"}, Color: 6},
	{ID: id("person/moreau"), Username: "moreau", Name: "Claire Moreau", Role: "student", Supervisor: "chen", Color: 4},
	{ID: id("person/novak"), Username: "novak", Name: "Petra Novak", Role: "administrator", Color: 4},
	{ID: id("person/wall"), Username: "wall", Name: "Wall display, 4 West", Role: "display", Unit: "4-west", Color: 7},
	{ID: id("person/lindqvist"), Username: "lindqvist", Name: "Erik Lindqvist", Role: "privacy officer", Color: 5},
}

// team cares for the patient whose record is restricted; nobody else on the unit opens that.
var team = []string{"chen", "rivera"}
