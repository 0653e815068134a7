package signature

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
)

// FaultKind says what is wrong with a bundle, for whoever reads reports by machine.
type FaultKind string

// The faults.
const (
	Unknown      FaultKind = "unknown keys"    // not those that were to be trusted
	Unsigned     FaultKind = "not signed"      // by both keys
	Misplaced    FaultKind = "misplaced"       // a signature of another note, or in another order
	Altered      FaultKind = "content altered" // it is not what was signed
	Reattributed FaultKind = "authors altered" // others are said to have written it
	Rewritten    FaultKind = "history altered" // its rows are not those that led to what was signed
	Unrelated    FaultKind = "unrelated"       // a note that is about none of the others
	Unlogged     FaultKind = "log of acts"     // what is said of the log does not hold
	Incomplete   FaultKind = "incomplete"      // something is missing, or cannot be read
)

// Fault is the first thing that is wrong with a bundle.
type Fault struct {
	Kind FaultKind
	Note uuid.UUID // zero: the bundle as a whole
	N    int       // the signature, from 1; 0: none of them
	Says string
}

func (f *Fault) Error() string {
	at := ""
	if f.Note != uuid.Nil {
		at = " in note " + f.Note.String()
	}
	if f.N > 0 {
		at += fmt.Sprintf(", signature %d", f.N)
	}
	return string(f.Kind) + at + ": " + f.Says
}

// Trust is what a bundle is checked against.
type Trust struct {
	// Keys are fingerprints of keys that are known to be the installation's. Without any, the bundle's own word counts, and the report says so.
	Keys []string
	// Log is the fingerprint of a pair of keys of the log of acts; "": the bundle's own word. With it, each signature has to be proven to be in
	// that log: whoever has stolen the keys that sign notes has not signed in it.
	Log string
}

// Signed is a signature that holds.
type Signed struct {
	Statement
	Who    Identity // whom the note is about, as the signer was shown; zero: an earlier version did not say
	Said   string   // with the signature
	Keys   string   // fingerprint
	Logged int64    // its place in the log of acts, if the bundle proves one; else -1
}

// NoteReport is what holds of a note.
type NoteReport struct {
	Note       uuid.UUID
	Signatures []Signed
	Parts      []Part         // who wrote how much, who wrote most first
	History    *HistoryReport // nil: the bundle is of a version that has none

	// Became is what signed notes about it in the bundle make of it, the furthest: a retraction, a correction, a late entry or an addendum; "": nothing.
	Became Relation
}

// Part is how much of a note somebody wrote.
type Part struct {
	Person uuid.UUID // zero: nobody knows who
	Name   string    // as the bundle has it, which is not signed; "": it has none
	Units  int
}

// Report is what holds of a bundle.
type Report struct {
	Notes   []NoteReport
	Trusted bool              // all keys are such as were known
	Log     audit.Checkpoint  // of the log of acts, that places are proven by; zero: none are
	LogKeys string            // fingerprint of who signed that
	Logged  bool              // that pair is as it was known
	Whole   bool              // all signatures have proven places
	LeftOut int               // signed notes about these that are not in the bundle, by its own word
	Checked map[uuid.UUID]int // signatures of each note
}

// Verify checks all that a bundle says: that each note is what was signed, by whom, in order, by both keys; that notes are about one
// another as they say; and that the log of acts has what the bundle says it has. The error is a [*Fault].
func (b Bundle) Verify(trust Trust) (r Report, err error) {
	v := verifier{bundle: b, trust: trust, report: &r, marks: make(map[string]int64), used: make(map[string]bool), anchors: make(map[uuid.UUID][]anchor)}
	r.Trusted, r.Whole, r.Checked, r.LeftOut = len(trust.Keys) > 0, true, make(map[uuid.UUID]int), b.LeftOut
	for _, step := range []func() error{v.openKeys, v.openLog, v.openPeople, v.openTexts} {
		if err := step(); err != nil {
			return r, err
		}
	}
	for i, n := range b.Notes {
		if err := v.note(i, n); err != nil {
			return r, err
		}
	}
	for mark := range v.marks {
		if !v.used[mark] {
			return r, &Fault{Kind: Unlogged, Says: "it proves a signing that is not in the bundle: a signature was taken away"}
		}
	}
	for note := range v.anchors {
		if _, there := r.Checked[note]; !there {
			return r, &Fault{Kind: Unlogged, Says: "it proves what was done to a note that is not in the bundle"}
		}
	}
	for _, text := range b.Texts {
		if !v.said[HashOf([]byte(text))] {
			return r, &Fault{Kind: Altered, Says: "it has a text that nobody signed"}
		}
	}
	if trust.Log != "" {
		return r, v.unproven
	}
	return r, nil
}

// verifier is a bundle that is checked.
type verifier struct {
	bundle Bundle
	trust  Trust
	report *Report
	keys   []audit.Keys
	marks  map[string]int64 // proven places in the log of acts, by what its entries say
	used   map[string]bool

	anchors map[uuid.UUID][]anchor // what its entries say of how far notes had come

	texts map[Hash]string
	said  map[Hash]bool // those that a statement names

	unproven error // the first signature that has no place there
	names    map[uuid.UUID]string
}

func (v *verifier) openKeys() error {
	for _, text := range v.bundle.Keys {
		keys, err := ParseKeys(text)
		if err != nil {
			return &Fault{Kind: Incomplete, Says: err.Error()}
		}
		if len(v.trust.Keys) > 0 && !slices.Contains(v.trust.Keys, keys.Fingerprint()) {
			return &Fault{Kind: Unknown, Says: "the bundle has keys " + keys.Fingerprint() + ", which are not as you gave them"}
		}
		v.keys = append(v.keys, keys)
	}
	if len(v.keys) == 0 {
		return &Fault{Kind: Incomplete, Says: "there are no keys"}
	}
	return nil
}

// openLog checks what the bundle proves of the log of acts.
func (v *verifier) openLog() error {
	if v.bundle.Log == "" {
		if v.trust.Log != "" {
			return &Fault{Kind: Unlogged, Says: "it proves nothing of the log whose keys you gave; of a note that was just signed it will in a minute"}
		}
		return nil
	}
	log, err := audit.OpenBundle(strings.NewReader(v.bundle.Log))
	if err != nil || !log.Selection {
		return &Fault{Kind: Unlogged, Says: "what is said of it cannot be read"}
	}
	own := log.Keys.Newest()
	if v.trust.Log != "" && !log.Keys.HasFingerprint(v.trust.Log) {
		return &Fault{Kind: Unlogged, Says: "it has keys " + own.Fingerprint() + ", and not " + v.trust.Log}
	}
	report, err := log.Verify(audit.Check{Keys: log.Keys, Entry: v.entry})
	if err != nil {
		return &Fault{Kind: Unlogged, Says: err.Error()}
	}
	v.report.Log, v.report.LogKeys, v.report.Logged = report.Newest, own.Fingerprint(), v.trust.Log != ""
	return nil
}

// entry notes which signing an entry is of.
func (v *verifier) entry(s audit.Sequenced) {
	e, err := audit.ParseEntry(s.Leaf)
	if err != nil {
		return // whose proof fails as well
	}
	for word := range strings.FieldsSeq(e.Code) {
		if strings.HasPrefix(word, markHead) && e.Outcome == audit.Done {
			v.marks[markOf(e.Act, e.Note.UUID, e.Who.UUID, word)] = s.N
		}
	}
	if seq, link, is := ParseAnchor(e.Code); is && e.Outcome == audit.Done {
		v.anchors[e.Note.UUID] = append(v.anchors[e.Note.UUID], anchor{s.N, seq, link, e.At})
	}
}

// markHead begins how the log of acts names a statement: by its hash.
const markHead = "statement="

// Mark is how the log of acts names a statement that has a text with that hash. Nobody finds the statement by it.
func Mark(h Hash) string { return markHead + base64.RawURLEncoding.EncodeToString(h[:]) }

func markOf(act audit.Act, note, who uuid.UUID, word string) string {
	return fmt.Sprintf("%s %s %s %s", act, note, who, word)
}

// Act is the act by which a signature of that meaning is on record.
func (m Meaning) Act() audit.Act {
	switch m {
	case Cosign:
		return audit.CosignNote
	case Witness:
		return audit.WitnessNote
	case Receiver:
		return audit.ReceiveNote
	default:
		return audit.SignNote
	}
}

func (v *verifier) openPeople() error {
	v.names = make(map[uuid.UUID]string, len(v.bundle.People))
	for _, p := range v.bundle.People {
		if _, twice := v.names[p.ID]; twice || !printed(p.Name) {
			return &Fault{Kind: Incomplete, Says: "somebody has two names, or none that can be printed"}
		}
		v.names[p.ID] = p.Name
	}
	return nil
}

func (v *verifier) openTexts() error {
	v.texts, v.said = make(map[Hash]string, len(v.bundle.Texts)), make(map[Hash]bool)
	for _, text := range v.bundle.Texts {
		v.texts[HashOf([]byte(text))] = text
	}
	return nil
}

// sayings finds what a statement says by hashes alone; wrong is what of it is not there.
func (v *verifier) sayings(s Statement, one *Signed) (wrong string) {
	if s.Patient == uuid.Nil {
		return ""
	}
	v.said[s.Identity] = true
	who, err := ParseIdentity(v.texts[s.Identity])
	if err != nil {
		return "who the patient is is not what " + s.Name + " was shown"
	}
	one.Who = who
	if s.Remark == (Hash{}) {
		return ""
	}
	v.said[s.Remark] = true
	if one.Said = v.texts[s.Remark]; !IsRemark(one.Said) {
		return "what " + s.Name + " said with the signature is missing"
	}
	return ""
}

// note checks one note and its signatures.
func (v *verifier) note(i int, n BundleNote) error {
	bad := func(kind FaultKind, k int, says string) error {
		return &Fault{Kind: kind, Note: n.Note, N: k, Says: says}
	}
	if _, twice := v.report.Checked[n.Note]; twice || n.Note == uuid.Nil {
		return bad(Incomplete, 0, "it is there twice, or has no id")
	}
	if len(n.Signatures) == 0 || len(n.Signatures) > maxSignatures {
		return bad(Incomplete, 0, "it has no signature, or more than a note can have")
	}
	r := NoteReport{Note: n.Note}
	var before string
	for k, signed := range n.Signatures {
		s, text, keys, err := v.open([]byte(signed))
		if err != nil {
			return bad(Unsigned, k+1, err.Error())
		}
		switch {
		case s.Note != n.Note:
			return bad(Misplaced, k+1, "it is of note "+s.Note.String())
		case s.Number != k+1:
			return bad(Misplaced, k+1, fmt.Sprintf("it is number %d", s.Number))
		case k > 0 && s.Previous != HashOf([]byte(before)):
			return bad(Misplaced, k+1, "it does not follow from the signature before")
		case (k == 0) != (s.Meaning == Author):
			return bad(Misplaced, k+1, "the author's is the first, and no other")
		case slices.ContainsFunc(r.Signatures, func(o Signed) bool { return o.Signer == s.Signer }):
			return bad(Misplaced, k+1, "its signer has signed before")
		case s.Content != HashOf([]byte(n.Content)):
			return bad(Altered, k+1, "the note is not the one that "+s.Name+" signed")
		case s.Attribution != HashOf([]byte(n.Attribution)):
			return bad(Reattributed, k+1, "who wrote what is not what "+s.Name+" signed")
		case (n.Reason == "") != (s.Relation == "") || n.Reason != "" && s.Reason != HashOf([]byte(n.Reason)):
			return bad(Altered, k+1, "why it was begun is not what "+s.Name+" signed")
		case k > 0 && (s.Seq != r.Signatures[0].Seq || s.Chain != r.Signatures[0].Chain || s.Schema != r.Signatures[0].Schema ||
			s.Parent != r.Signatures[0].Parent || s.Reason != r.Signatures[0].Reason || s.Relation != r.Signatures[0].Relation || s.Kind != r.Signatures[0].Kind ||
			r.Signatures[0].Patient != uuid.Nil && s.Patient != r.Signatures[0].Patient):
			return bad(Misplaced, k+1, "it is of another version of the note")
		}
		one := Signed{Statement: s, Keys: keys.Fingerprint(), Logged: -1}
		if wrong := v.sayings(s, &one); wrong != "" {
			return bad(Altered, k+1, wrong)
		}
		mark := markOf(s.Meaning.Act(), s.Note, s.Signer, Mark(HashOf([]byte(text))))
		if at, proven := v.marks[mark]; proven {
			one.Logged, v.used[mark] = at, true
		} else if v.report.Whole = false; v.unproven == nil {
			v.unproven = bad(Unlogged, k+1, "it is not proven to be in the log whose keys you gave; one that was just made will be in a minute")
		}
		r.Signatures, before = append(r.Signatures, one), text
	}
	first := r.Signatures[0]
	if _, there := v.report.Checked[first.Parent]; i > 0 && !there {
		return bad(Unrelated, 0, "it is not about a note before it in the bundle")
	}
	if i > 0 {
		if of := v.report.Notes[0].Signatures[0].Patient; of != uuid.Nil && first.Patient != uuid.Nil && of != first.Patient {
			return bad(Unrelated, 0, "it is in the record of another patient")
		}
	}
	if n.History != "" || !slices.Contains([]string{bundleVersion1, bundleVersion2}, v.bundle.Tidechart) {
		var says string
		if r.History, says = v.history(n, first.Statement); says != "" {
			return bad(Rewritten, 0, says)
		}
	}
	v.became(first)
	units, err := unitsOf(n.Content, first.Schema)
	if err != nil {
		return bad(Incomplete, 0, err.Error())
	}
	runs, err := ParseAttribution([]byte(n.Attribution))
	if err != nil {
		return bad(Incomplete, 0, err.Error())
	}
	if r.Parts, err = v.parts(runs, units); err != nil {
		return bad(Incomplete, 0, err.Error())
	}
	v.report.Notes = append(v.report.Notes, r)
	v.report.Checked[n.Note] = len(r.Signatures)
	return nil
}

// further is the order of what becomes of notes.
var further = map[Relation]int{Addendum: 1, LateEntry: 1, Correction: 2, Retraction: 3}

// became notes what a signed note makes of the one that it is about.
func (v *verifier) became(about Signed) {
	for i := range v.report.Notes {
		if n := &v.report.Notes[i]; n.Note == about.Parent && further[about.Relation] > further[n.Became] {
			n.Became = about.Relation
		}
	}
}

// open reads a signature by whichever of the keys made it.
func (v *verifier) open(signed []byte) (s Statement, text string, keys audit.Keys, err error) {
	for _, keys = range v.keys {
		if s, text, err = Open(keys, signed); err == nil {
			return s, text, keys, nil
		}
		if bytes.Contains(signed, []byte("\u2014 "+keys.Name()+" ")) {
			break // they should have made it
		}
	}
	return s, "", keys, err
}

// parts sums up who wrote how much of a note that has so many units.
func (v *verifier) parts(runs []Run, units int) ([]Part, error) {
	of := make(map[uuid.UUID]int)
	for _, r := range runs {
		of[r.Person] += r.Units
		units -= r.Units
	}
	if units != 0 {
		return nil, errors.New("its authors are not those of a note of this length")
	}
	var parts []Part
	for person, n := range of {
		parts = append(parts, Part{person, v.names[person], n})
	}
	slices.SortFunc(parts, func(a, b Part) int {
		if a.Units != b.Units {
			return b.Units - a.Units
		}
		return bytes.Compare(a.Person[:], b.Person[:])
	})
	return parts, nil
}

// unitsOf reads canonical content, and counts its units as [Runs] does.
func unitsOf(content, schema string) (int, error) {
	rest, is := strings.CutPrefix(content, contentHead+schema+"\n")
	if !is || len(content) > MaxContent+1 {
		return 0, errors.New("its content is not of the schema that was signed, or of another version")
	}
	var doc contentNode
	if err := json.Unmarshal([]byte(rest), &doc); err != nil || doc.Type != "doc" {
		return 0, errors.New("its content cannot be read")
	}
	return doc.units(), nil
}

type contentNode struct {
	Type    string        `json:"type"`
	Text    string        `json:"text"`
	Content []contentNode `json:"content"`
}

func (n contentNode) units() (sum int) {
	for _, c := range n.Content {
		if c.Type == "text" {
			sum += len(utf16.Encode([]rune(c.Text)))
		} else {
			sum++
		}
		sum += c.units()
	}
	return sum
}
