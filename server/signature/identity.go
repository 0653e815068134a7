package signature

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Identity is who a note is about, as its signer was shown: by the hash of its text it is part of what they sign, so that a signed note
// is of nobody else's record.
type Identity struct {
	Family, Given, Title string
	Born                 string // YYYY-MM-DD
	Gender               string
	MRN                  string // medical record number
}

// identityHead is the first line of an identity.
const identityHead = "tidechart-patient/v1"

// Text is the identity in its canonical form: a line a fact. What of it cannot be printed is left out.
func (i Identity) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", identityHead)
	for _, f := range i.facts() {
		fmt.Fprintf(&b, "%s %s\n", f.name, strconv.QuoteToASCII(PrintedName(*f.value)))
	}
	return b.String()
}

type identityFact struct {
	name  string
	value *string
}

func (i *Identity) facts() []identityFact {
	return []identityFact{
		{"family", &i.Family}, {"given", &i.Given}, {"title", &i.Title}, {"born", &i.Born}, {"gender", &i.Gender}, {"number", &i.MRN},
	}
}

// String is the identity in one line.
func (i Identity) String() string {
	name := strings.ToUpper(i.Family)
	if i.Given != "" {
		name += ", " + i.Given
	}
	if i.Title != "" {
		name += " (" + i.Title + ")"
	}
	return name + ", born " + i.Born + ", number " + i.MRN
}

var errIdentity = errors.New("not who somebody is")

// ParseIdentity reads what [Identity.Text] returns, and nothing else.
func ParseIdentity(text string) (i Identity, err error) {
	r := factReader{rest: text}
	if line, rest, _ := strings.Cut(r.rest, "\n"); line == identityHead && len(text) <= maxIdentity {
		r.rest = rest
	} else {
		return i, errIdentity
	}
	for _, f := range i.facts() {
		r.fact(f.name, func(v string) (err error) { *f.value, err = strconv.Unquote(v); return err })
	}
	if r.err != nil || r.rest != "" || i.Text() != text {
		return Identity{}, errIdentity
	}
	if _, err := time.Parse(time.DateOnly, i.Born); err != nil {
		return Identity{}, errIdentity
	}
	return i, nil
}

// Limits of what is signed beside the note (I10).
const (
	maxIdentity = 8 << 10 // bytes
	MaxRemark   = 2000    // characters
)

// IsRemark reports whether words can stand beside a signature: text of some lines, with nothing that could make it look like another.
func IsRemark(words string) bool {
	return words != "" && utf8.ValidString(words) && utf8.RuneCountInString(words) <= MaxRemark && strings.TrimSpace(words) == words &&
		!strings.ContainsFunc(words, func(r rune) bool { return r != '\n' && !strconv.IsPrint(r) || r == utf8.RuneError })
}
