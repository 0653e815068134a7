// Package bedside has the words in which a team says at a glance how a patient is: what they may be, and what each means.
package bedside

import "github.com/clisonix/tidechart/web/words"

// Word is one thing that may be said.
type Word struct {
	Code string     // stored
	Name words.Text // shown to people
}

// Severities are those of I-PASS, the gravest first. Source: Starmer et al., Pediatrics 2012;129:201 (the mnemonic's first letter).
var Severities = []Word{
	{"unstable", "Unstable"},
	{"watcher", "Watcher"},
	{"stable", "Stable"},
}

// CodeStatuses say what is done if the heart or the breath stops. What an order limits beyond that, the order says.
var CodeStatuses = []Word{
	{"full", "Full code"},
	{"dnr", "DNR"},
	{"dni", "DNI"},
	{"dnr-dni", "DNR / DNI"},
	{"limited", "Limited: see order"},
	{"comfort", "Comfort care only"},
}

// Isolations are what who enters the room takes care of. Source: CDC, Guideline for Isolation Precautions (2007), part III, with
// the pairs that are ordered together.
var Isolations = []Word{
	{None, "No isolation"},
	{"contact", "Contact"},
	{"enteric", "Contact, enteric"},
	{"droplet", "Droplet"},
	{"contact-droplet", "Contact and droplet"},
	{"airborne", "Airborne"},
	{"contact-airborne", "Contact and airborne"},
	{"protective", "Protective"},
}

// None is the isolation of whom somebody has said that they need none. Of whom nobody has said anything, the code is empty.
const None = "none"

// Name returns the word of a code, and whether there is one.
func Name(all []Word, code string) (words.Text, bool) {
	for _, w := range all {
		if w.Code == code {
			return w.Name, true
		}
	}
	return "", false
}
