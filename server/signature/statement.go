package signature

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
)

// Meaning is as what somebody signs.
type Meaning string

// The meanings.
const (
	Author  Meaning = "author"  // this is my note, or one that I answer for
	Cosign  Meaning = "cosign"  // I have supervised this, and agree
	Witness Meaning = "witness" // I have seen it

	Receiver Meaning = "receiver" // I take over what this hands over, and have read it back
)

// known reports whether m is one of the meanings.
func (m Meaning) known() bool { return m == Author || m == Cosign || m == Witness || m == Receiver }

// Relation is what a note is to the one that it is about.
type Relation string

// The relations.
const (
	Addendum   Relation = "addendum"   // says more
	Correction Relation = "correction" // says what is right instead
	LateEntry  Relation = "late-entry" // says what should have been written then
	Retraction Relation = "retraction" // says that the note was entered in error
)

// Known reports whether r is one of the relations.
func (r Relation) Known() bool {
	return r == Addendum || r == Correction || r == LateEntry || r == Retraction
}

// Statement is what somebody signs. Each of its facts is a line of its text.
type Statement struct {
	Number int // of the note's signatures, from 1

	Note     uuid.UUID
	Patient  uuid.UUID // whose record it is in; zero: the statement is of version 1, which does not say
	Identity Hash      // of who that is, as the signer was shown ([Identity]); of version 1: zero
	Kind     string    // a code of package notekind
	Parent   uuid.UUID // the note that it is about; zero: it stands alone
	Relation Relation  // to that; "": it stands alone
	Reason   Hash      // of why it was begun about that; zero: it stands alone

	Seq    uint64 // of the newest row of the note's log that is in it
	Chain  Hash   // the log's link there (docs/adr/0008-chains-of-notes.md)
	Schema string // fingerprint of the schema by which the content is read
	Hashes

	Signer  uuid.UUID
	Name    string // as it is printed
	Role    string
	Meaning Meaning
	Remark  Hash      // of what the signer says with it, such as an attestation; zero: nothing
	At      time.Time // to the microsecond, of the database's clock

	Previous Hash // of the text of the note's signature before; of the first: zero

	// Nonce is random, so that nobody finds out from the statement's hash, which the log of acts has, what a short note says.
	Nonce Hash
}

// NewNonce makes one.
func NewNonce() (h Hash) {
	_, _ = rand.Read(h[:]) // never fails
	return h
}

// These are the first lines, by which Ed25519, too, knows what it signs.
const (
	statementHead  = "tidechart-signature/v2"
	statementHead1 = "tidechart-signature/v1" // until there were Patient, Identity and Remark
)

// timeForm is how a statement says a time.
const timeForm = "2006-01-02T15:04:05.000000Z"

// ErrStatement means that a text is no statement, or not as this version writes it.
var ErrStatement = errors.New("not the statement of a signature")

// Text returns the statement as it is signed: a line for each fact, in this order, as "name value". There is one text for one
// statement.
func (s Statement) Text() (string, error) {
	if err := s.check(); err != nil {
		return "", err
	}
	head, patient, remark := statementHead1, "", ""
	if s.Patient != uuid.Nil {
		head, patient, remark = statementHead, fmt.Sprintf("patient %s\nidentity %s\n", s.Patient, s.Identity), "remark none\n"
		if s.Remark != (Hash{}) {
			remark = fmt.Sprintf("remark %s\n", s.Remark)
		}
	}
	about, reason := "nothing", "none"
	if s.Relation != "" {
		about, reason = string(s.Relation)+" "+s.Parent.String(), s.Reason.String()
	}
	previous := "none"
	if s.Number > 1 {
		previous = s.Previous.String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nnumber %d\nnote %s\n%skind %s\nabout %s\nreason %s\n", head, s.Number, s.Note, patient, s.Kind, about, reason)
	fmt.Fprintf(&b, "seq %d\nchain %s\nschema %s\ncontent %s\nattribution %s\n", s.Seq, s.Chain, s.Schema, s.Content, s.Attribution)
	fmt.Fprintf(&b, "signer %s\nname %s\nrole %s\nmeaning %s\n%stime %s\nprevious %s\nnonce %s\n", s.Signer, strconv.QuoteToASCII(s.Name), s.Role, s.Meaning,
		remark, s.At.UTC().Format(timeForm), previous, s.Nonce)
	return b.String(), nil
}

// check says what of a statement cannot be.
func (s Statement) check() error {
	wrong := func(what string) error { return fmt.Errorf("%w: its %s", ErrStatement, what) }
	switch {
	case s.Number < 1 || s.Number > maxSignatures:
		return wrong("number")
	case s.Note == uuid.Nil:
		return wrong("note")
	case (s.Patient == uuid.Nil) != (s.Identity == Hash{}):
		return wrong("patient")
	case s.Patient == uuid.Nil && s.Remark != Hash{}:
		return wrong("remark")
	case !word(s.Kind):
		return wrong("kind")
	case s.Relation != "" && !s.Relation.Known(), (s.Relation == "") != (s.Parent == uuid.Nil), (s.Relation == "") != (s.Reason == Hash{}), s.Parent == s.Note:
		return wrong("relation")
	case s.Seq < 1 || s.Seq >= 1<<53:
		return wrong("seq")
	case !word(s.Schema):
		return wrong("schema")
	case s.Signer == uuid.Nil:
		return wrong("signer")
	case !printed(s.Name):
		return wrong("name")
	case s.Role == "" || len(s.Role) > maxWord || strings.ContainsFunc(s.Role, func(r rune) bool { return r != ' ' && (r < 'a' || r > 'z') }):
		return wrong("role")
	case !s.Meaning.known():
		return wrong("meaning")
	case s.At.Year() < 2000 || s.At.Year() > 9999 || !s.At.Equal(s.At.Truncate(time.Microsecond)):
		return wrong("time")
	case (s.Number == 1) != (s.Previous == Hash{}):
		return wrong("previous signature")
	case s.Nonce == Hash{}:
		return wrong("nonce")
	}
	return nil
}

// word reports whether a text is one of the program's words.
func word(s string) bool {
	return s != "" && len(s) <= maxWord && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
}

// printed reports whether a name can be printed in one line, without what could make it look like another.
func printed(name string) bool {
	return name != "" && len(name) <= maxName && utf8.ValidString(name) && strings.TrimSpace(name) == name &&
		!strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError })
}

// PrintedName is a person's name as a statement can have it.
func PrintedName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	name = strings.TrimSpace(name)
	for len(name) > maxName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = strings.TrimSpace(name[:len(name)-size])
	}
	return name
}

// ParseStatement reads what [Statement.Text] returns. Anything else, even if it only looks a little different, is an [ErrStatement].
func ParseStatement(text string) (s Statement, err error) {
	if len(text) > MaxSigned {
		return s, ErrStatement
	}
	r := factReader{rest: text}
	version := r.head()
	r.fact("number", func(v string) (err error) { s.Number, err = strconv.Atoi(v); return err })
	r.fact("note", func(v string) (err error) { s.Note, err = uuid.Parse(v); return err })
	if version > 1 {
		r.fact("patient", func(v string) (err error) { s.Patient, err = uuid.Parse(v); return err })
		r.hash("identity", &s.Identity)
	}
	r.fact("kind", func(v string) error { s.Kind = v; return nil })
	r.fact("about", func(v string) (err error) {
		if v == "nothing" {
			return nil
		}
		relation, parent, _ := strings.Cut(v, " ")
		s.Relation = Relation(relation)
		s.Parent, err = uuid.Parse(parent)
		return err
	})
	r.hashOrNone("reason", &s.Reason)
	r.fact("seq", func(v string) (err error) { s.Seq, err = strconv.ParseUint(v, 10, 64); return err })
	r.hash("chain", &s.Chain)
	r.fact("schema", func(v string) error { s.Schema = v; return nil })
	r.hash("content", &s.Content)
	r.hash("attribution", &s.Attribution)
	r.fact("signer", func(v string) (err error) { s.Signer, err = uuid.Parse(v); return err })
	r.fact("name", func(v string) (err error) { s.Name, err = strconv.Unquote(v); return err })
	r.fact("role", func(v string) error { s.Role = v; return nil })
	r.fact("meaning", func(v string) error { s.Meaning = Meaning(v); return nil })
	if version > 1 {
		r.hashOrNone("remark", &s.Remark)
	}
	r.fact("time", func(v string) (err error) { s.At, err = time.Parse(timeForm, v); return err })
	r.hashOrNone("previous", &s.Previous)
	r.hash("nonce", &s.Nonce)
	if r.err != nil || r.rest != "" {
		return Statement{}, errors.Join(r.err, ErrStatement)
	}
	if again, err := s.Text(); err != nil || again != text {
		return Statement{}, ErrStatement
	}
	return s, nil
}

// factReader reads a statement line by line.
type factReader struct {
	rest string
	err  error
}

// head reads the first line, which says the version.
func (r *factReader) head() (version int) {
	line, rest, _ := strings.Cut(r.rest, "\n")
	r.rest = rest
	switch line {
	case statementHead:
		return 2
	case statementHead1:
		return 1
	}
	r.err = fmt.Errorf("%w of a version that is known", ErrStatement)
	return 0
}

func (r *factReader) fact(name string, take func(string) error) {
	if r.err != nil {
		return
	}
	line, rest, ends := strings.Cut(r.rest, "\n")
	value, is := strings.CutPrefix(line, name+" ")
	if r.rest = rest; !ends || !is || take(value) != nil {
		r.err = fmt.Errorf("%w: its line %q", ErrStatement, name)
	}
}

func (r *factReader) hashOrNone(name string, h *Hash) {
	r.fact(name, func(v string) (err error) {
		if v != "none" {
			*h, err = ParseHash(v)
		}
		return err
	})
}

func (r *factReader) hash(name string, h *Hash) {
	r.fact(name, func(v string) (err error) { *h, err = ParseHash(v); return err })
}

// Sign returns a statement, signed.
func Sign(signer *audit.Signer, s Statement) ([]byte, error) {
	text, err := s.Text()
	if err != nil {
		return nil, err
	}
	return signer.SignText(text)
}

// Open reads a signed statement, which both keys have to have signed. The error is an [audit.ErrSignature], an
// [audit.ErrCheckpoint] for what is not signed at all, or an [ErrStatement].
func Open(keys audit.Keys, signed []byte) (Statement, string, error) {
	if len(signed) > MaxSigned {
		return Statement{}, "", ErrStatement
	}
	text, err := keys.OpenText(signed)
	if err != nil {
		return Statement{}, "", err
	}
	s, err := ParseStatement(text)
	return s, text, err
}

// NewSigner returns who signs notes, by a name and a seed ([audit.NewSeed]).
func NewSigner(name string, seed []byte) (*audit.Signer, error) {
	return audit.Statements.NewSigner(name, seed)
}

// ParseKeys reads the public keys of who signs notes.
func ParseKeys(text string) (audit.Keys, error) { return audit.Statements.ParseKeys(text) }
