package audit

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
)

// Entry is an act as the log has it. Its id is random, so that nobody finds out by guessing which entry a hash is of.
type Entry struct {
	ID      uuid.UUID
	At      time.Time // to the microsecond
	Act     Act
	Outcome Outcome
	Who     uuid.NullUUID // none: the server, or its operator

	Patient, Note, About uuid.NullUUID

	Code       string
	Commitment []byte // to its [Details]; nil: it has none
}

// leaf is how an entry is written. The order and the names of its fields are part of the log's format.
type leaf struct {
	V          int        `json:"v"`
	ID         uuid.UUID  `json:"id"`
	At         string     `json:"at"`
	Act        Act        `json:"act"`
	Outcome    Outcome    `json:"outcome"`
	Who        *uuid.UUID `json:"who,omitempty"`
	Patient    *uuid.UUID `json:"patient,omitempty"`
	Note       *uuid.UUID `json:"note,omitempty"`
	About      *uuid.UUID `json:"about,omitempty"`
	Code       string     `json:"code,omitempty"`
	Commitment []byte     `json:"details,omitempty"`
}

const (
	leafVersion = 1
	leafTime    = "2006-01-02T15:04:05.000000Z"
)

// Leaf returns the entry as the tree has it: one line of JSON, the same for the same entry.
func (e Entry) Leaf() []byte {
	orNone := func(id uuid.NullUUID) *uuid.UUID {
		if !id.Valid {
			return nil
		}
		return &id.UUID
	}
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	err := out.Encode(leaf{
		leafVersion, e.ID, e.At.UTC().Format(leafTime), e.Act, e.Outcome, orNone(e.Who), orNone(e.Patient), orNone(e.Note), orNone(e.About),
		e.Code, e.Commitment,
	})
	if err != nil {
		panic("audit: " + err.Error()) // no value here has an encoding that fails
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// ErrEntry means that bytes are no entry that this version knows.
var ErrEntry = errors.New("not an entry of this log")

// ParseEntry reads a leaf. What [Entry.Leaf] would write otherwise is an [ErrEntry].
func ParseEntry(text []byte) (Entry, error) {
	var l leaf
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(&l); err != nil || l.V != leafVersion {
		return Entry{}, ErrEntry
	}
	at, err := time.Parse(leafTime, l.At)
	if err != nil {
		return Entry{}, ErrEntry
	}
	orNone := func(id *uuid.UUID) uuid.NullUUID {
		if id == nil {
			return uuid.NullUUID{}
		}
		return uuid.NullUUID{UUID: *id, Valid: true}
	}
	e := Entry{l.ID, at, l.Act, l.Outcome, orNone(l.Who), orNone(l.Patient), orNone(l.Note), orNone(l.About), l.Code, l.Commitment}
	if !bytes.Equal(e.Leaf(), text) {
		return Entry{}, ErrEntry
	}
	return e, nil
}

// HashOf is the hash of a leaf in the tree.
func HashOf(leaf []byte) tlog.Hash { return tlog.RecordHash(leaf) }

// Details are what of an act is sealed.
type Details struct {
	From  string `json:"from,omitempty"`  // network
	Login string `json:"login,omitempty"` // names it
	Role  string `json:"role,omitempty"`  // that its person had
	TLS   string `json:"tls,omitempty"`   // group of the connection, as [Origin] has it
	Words string `json:"words,omitempty"` // that somebody looked for
}

const saltSize = 32

// Commit returns details with a salt of their own, which are to be sealed, and what an entry says of them: nobody finds out
// from it what they are, and nobody has others for it.
func (d Details) Commit() (salted, commitment []byte) {
	text, err := json.Marshal(d)
	if err != nil {
		panic("audit: " + err.Error()) // strings have an encoding
	}
	salted = make([]byte, saltSize, saltSize+len(text))
	_, _ = rand.Read(salted) // never fails
	salted = append(salted, text...)
	return salted, commitmentTo(salted)
}

func commitmentTo(salted []byte) []byte {
	mac := hmac.New(sha256.New, salted[:saltSize])
	mac.Write([]byte("tidechart/log-details/v1\x00"))
	mac.Write(salted[saltSize:])
	return mac.Sum(nil)
}

// ErrDetails means that details are not those that their entry was made with.
var ErrDetails = errors.New("the details are not those of the entry")

// OpenDetails reads what Commit returned, if the entry's commitment is to that.
func OpenDetails(salted, commitment []byte) (d Details, err error) {
	if len(salted) < saltSize || !hmac.Equal(commitmentTo(salted), commitment) {
		return d, ErrDetails
	}
	if err := json.Unmarshal(salted[saltSize:], &d); err != nil {
		return d, fmt.Errorf("%w: they cannot be read", ErrDetails)
	}
	return d, nil
}
