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
	{id("person/chen"), "chen", "Dr Mei Chen", "attending", "4-west", 0},
	{id("person/okafor"), "okafor", "Dr Daniel Okafor", "resident", "4-west", 1},
	{id("person/rivera"), "rivera", "Rosa Rivera RN", "nurse", "4-west", 2},
	{id("person/haddad"), "haddad", "Lina Haddad RN", "charge nurse", "4-west", 3},
	{id("person/novak"), "novak", "Petra Novak", "administrator", "", 4},
	{id("person/lindqvist"), "lindqvist", "Erik Lindqvist", "privacy officer", "", 5},
}
