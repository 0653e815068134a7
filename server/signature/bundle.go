package signature

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/google/uuid"
)

// A bundle is one file of JSON: a signed note, the notes about it, and all that it takes to check them, away from here.
const (
	bundleVersion  = "tidechart note bundle v3"
	bundleVersion2 = "tidechart note bundle v2" // which has no histories
	bundleVersion1 = "tidechart note bundle v1" // nor texts

	// MaxBundle bounds a bundle, in bytes (I10): a few notes of the largest size, which most are far from.
	MaxBundle = 256 << 20
	maxNotes  = 201 // the note, and those about it
	maxPeople = 10_000
	maxSigner = 16 // keys
	maxTexts  = 2 * maxNotes * maxSignatures
)

// Bundle is one that is read or is to be written.
type Bundle struct {
	Tidechart string       `json:"tidechart"`          // the version of the form; "": this one
	Keys      []string     `json:"keys"`               // public, of who signed here
	People    []Person     `json:"people"`             // whom attributions name
	Notes     []BundleNote `json:"notes"`              // the note, then those about it, each behind what it is about
	Texts     []string     `json:"texts,omitempty"`    // that statements name by their hashes: who the patient is, and what signers said
	LeftOut   int          `json:"left_out,omitempty"` // signed notes about these that who took the bundle may not take, as it says itself
	Log       string       `json:"log"`                // a bundle of the log of acts, of the entries of signings that have a place there; "": none
}

// Person is somebody whom an attribution names.
type Person struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"` // as this installation has it; signed is only what statements say of signers
}

// BundleNote is a signed note.
type BundleNote struct {
	Note        uuid.UUID `json:"note"`
	Content     string    `json:"content"`
	Attribution string    `json:"attribution"`
	Reason      string    `json:"reason,omitempty"`  // why it was begun about another
	History     string    `json:"history,omitempty"` // a [History]; "": the bundle is of a version before
	Signatures  []string  `json:"signatures"`        // statements, signed, in their order
}

// ErrBundle means that a file is no bundle that this version reads.
var ErrBundle = errors.New("not a bundle of a signed note")

// Write writes a bundle.
func (b Bundle) Write(w io.Writer) error {
	b.Tidechart = cmp.Or(b.Tidechart, bundleVersion)
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", " ")
	return out.Encode(b)
}

// ReadBundle reads one, of [MaxBundle] bytes at most. What it says is not checked: see [Bundle.Verify]. The error is [ErrBundle], or that of r.
func ReadBundle(r io.Reader) (b Bundle, err error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxBundle+1))
	if err != nil {
		return b, err
	}
	if len(text) > MaxBundle {
		return b, fmt.Errorf("%w: it has more than %d bytes", ErrBundle, MaxBundle)
	}
	if !utf8.Valid(text) {
		return b, fmt.Errorf("%w: it is not UTF-8", ErrBundle)
	}
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(&b); err != nil {
		return Bundle{}, fmt.Errorf("%w: it is not the JSON that it should be", ErrBundle)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return Bundle{}, fmt.Errorf("%w: something comes behind it", ErrBundle)
	}
	switch {
	case !slices.Contains([]string{bundleVersion, bundleVersion2, bundleVersion1}, b.Tidechart):
		return Bundle{}, fmt.Errorf("%w of version %q", ErrBundle, bundleVersion)
	case len(b.Notes) == 0 || len(b.Notes) > maxNotes || len(b.People) > maxPeople || len(b.Keys) > maxSigner || len(b.Texts) > maxTexts || b.LeftOut < 0:
		return Bundle{}, fmt.Errorf("%w: it has too much, or nothing", ErrBundle)
	}
	return b, nil
}
