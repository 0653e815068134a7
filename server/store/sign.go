package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// States of a note, as column note.state has them.
const (
	Draft     = "draft"
	Review    = "review"  // its writers think it is done
	Freezing  = "signing" // nobody writes while somebody signs, until frozen_until
	Signed    = "signed"
	Cosigned  = "cosigned"
	Added     = "added"     // a signed addendum or late entry is about it
	Amended   = "amended"   // a signed correction is
	Retracted = "retracted" // it was entered in error, says a signed retraction
	Gone      = "destroyed"
)

// Why a note is not signed, or not frozen.
var (
	// ErrChanged means that the note is not what the signer has seen: nothing is signed.
	ErrChanged = errors.New("the note has changed since you saw it")
	// ErrFrozen means that somebody else is about to sign the note.
	ErrFrozen = errors.New("somebody else is about to sign this note")
	// ErrFreezeOver means that a note is not frozen any more by whom it was.
	ErrFreezeOver = errors.New("the time to sign is over, or somebody has let go of the note")
	// ErrFreezes means that somebody has frozen the note as often as they may for now.
	ErrFreezes = fmt.Errorf("you have held this note still %d times within %v", MaxFreezes, freezesTime)
	// ErrSigned means that the note is signed, so that it takes neither edits nor an author's signature.
	ErrSigned = errors.New("the note is signed")
	// ErrUnsigned means that a note is not signed, or was retracted: there is nothing to cosign, to witness or to amend.
	ErrUnsigned = errors.New("the note is not signed, or was entered in error")
	// ErrSignedBefore means that somebody signs a note twice.
	ErrSignedBefore = errors.New("you have signed this note before")
	// ErrNoCosign means that a note waits for no attending's signature.
	ErrNoCosign = errors.New("the note waits for no other signature")
	// ErrBlanks means that there is something to fill in.
	ErrBlanks = errors.New("there are *** in the note that wait to be filled in")
	// ErrRights means that what the signer may do has changed since it was decided: it is to be decided anew.
	ErrRights = errors.New("what you may do has changed meanwhile")
	// ErrRemark means that what somebody says with a signature cannot stand there.
	ErrRemark = fmt.Errorf("what you say with a signature has %d characters at most, and only what can be printed", signature.MaxRemark)
	// ErrSuggestions means that there is wording that somebody suggests, and nobody has accepted or rejected.
	ErrSuggestions = errors.New("there are suggestions in the note that wait to be decided on")
)

// whyNot names these in the log of acts.
var whyNot = []struct {
	err  error
	code string
}{
	{ErrChanged, "changed"},
	{ErrFrozen, "frozen"},
	{ErrFreezeOver, "freeze-over"},
	{ErrFreezes, "freezes"},
	{ErrSigned, "signed"},
	{ErrUnsigned, "unsigned"},
	{ErrSignedBefore, "signed-before"},
	{ErrNoCosign, "no-cosign"},
	{ErrBlanks, "blanks"},
	{ErrSuggestions, "suggestions"},
	{ErrRights, "rights"},
	{ErrRemark, "remark"},
	{signature.ErrTooLarge, "too-large"},
}

// signedAs means that a rule of migration 0036 was broken: another server was faster.
func signedAs(err error) error {
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		switch refusal.ConstraintName {
		case "signed", "state":
			return ErrChanged
		case "note_signature_once":
			return ErrSignedBefore
		case "about":
			return ErrUnsigned
		}
	}
	return refusedBy(err)
}

// Writable reports whether a note takes edits, by this machine's clock. What counts is the database's: see function writable.
func Writable(n queries.Note) bool {
	return n.State == Draft || n.State == Review || n.State == Freezing && n.FrozenUntil != nil && !n.FrozenUntil.After(time.Now())
}

// StateOf is the state of a note, of one whose freeze is over what it was before, by this machine's clock.
func StateOf(n queries.Note) string {
	if n.State == Freezing && Writable(n) && n.FrozenFrom != nil {
		return *n.FrozenFrom
	}
	return n.State
}

// IsSigned reports whether somebody has signed a note of that state.
func IsSigned(state string) bool {
	return state == Signed || state == Cosigned || state == Added || state == Amended || state == Retracted
}

// Rendering is a note as it would be signed now.
type Rendering struct {
	signature.Rendering
	Seq   uint64 // of the newest row of its log
	Whose func(client clientID) uuid.UUID

	Patient uuid.UUID
	Who     signature.Identity // the patient
}

// Seen is what of it somebody has before them.
func (r Rendering) Seen() Seen {
	return Seen{Hashes: r.Hashes(), Identity: signature.HashOf([]byte(r.Who.Text()))}
}

// Seen is what a signer has read: the note's canonical hashes, and that of who the patient is. With Epoch, they have frozen it for that,
// and sign what it is since.
type Seen struct {
	signature.Hashes
	Identity signature.Hash
	Epoch    int64 // 0: the note is not frozen

	// Remark is what they say with their signature, as [signature.IsRemark] has it; "": nothing.
	Remark string
	// Stamp are the counters with which it was decided that they may; nil: nobody decided, as for a test.
	Stamp *sessions.Stamp
}

// sees reports whether somebody who has seen that has seen r.
func (seen Seen) sees(r Rendering) bool {
	now := r.Seen()
	return now.Hashes == seen.Hashes && now.Identity == seen.Identity
}

// identityOf is who a patient is, as signers are shown.
func identityOf(p Patient) signature.Identity {
	return signature.Identity{Family: p.Family, Given: p.Given, Title: p.Title, Born: p.BirthDate.Format(time.DateOnly), Gender: p.Gender, MRN: p.Mrn}
}

// Render returns a note as it would be signed now, from its log alone; one that is signed by the schema by which it was, so that a
// newer editor does not make it read differently.
func (db *DB) Render(ctx context.Context, note uuid.UUID) (r Rendering, err error) {
	c, err := db.Pasts.Committed(ctx, db, note)
	if err != nil {
		return r, err
	}
	r.Seq, r.Whose = c.Head, c.Whose
	row, err := db.NoteByID(ctx, note)
	if err != nil {
		return r, err
	}
	r.Patient, r.Who = row.Patient.ID, identityOf(row.Patient)
	schema := prose.CurrentSchema()
	signatures, err := db.Signatures(ctx, note)
	if err != nil {
		return r, err
	}
	if len(signatures) > 0 {
		if signed, known := prose.SchemaByFingerprint(signatures[0].Schema); known {
			schema = signed
		}
	}
	r.Rendering, err = signature.Render(schema, prose.Read(c.Doc.XMLFragment(sessions.Fragment)), c.Whose)
	return r, err
}

// maxSignTries is how often a note is looked at anew because somebody wrote meanwhile what left it equal, before the signer is told to freeze it (I10).
const maxSignTries = 4

// Sign has somebody sign a note as its author, if it is what they have seen: the same text, marks and structure by the same people.
// In one transaction, which holds the note's row, the signature is stored, the note is signed, the note that it is about has an
// addendum or what it is, and the act is on record. The caller has decided that they may. The error is [ErrChanged], which says that
// nothing was signed and they should look again, or one of its neighbours; that somebody tried is on record as well.
func (db *DB) Sign(ctx context.Context, note, by uuid.UUID, seen Seen) (Signature, error) {
	s, err := db.sign(ctx, note, by, seen)
	return s, db.signFailed(ctx, note, by, audit.SignNote, err)
}

func (db *DB) sign(ctx context.Context, note, by uuid.UUID, seen Seen) (s Signature, err error) {
	for range maxSignTries {
		r, err := db.Render(ctx, note)
		switch {
		case err != nil:
			return s, err
		case !seen.sees(r):
			return s, ErrChanged
		case len(signature.Blanks(r.Doc)) > 0:
			return s, ErrBlanks
		case signature.SuggestionsIn(r.Doc).Open > 0:
			return s, ErrSuggestions
		}
		s, err = db.signAt(ctx, note, by, seen, r)
		if !errors.Is(err, errMoved) {
			return s, err
		}
	}
	return s, ErrChanged
}

// signFailed records that somebody tried to sign, and in vain.
func (db *DB) signFailed(ctx context.Context, note, by uuid.UUID, act audit.Act, err error) error {
	if err == nil {
		return nil
	}
	err = signedAs(err)
	code := "error"
	for _, w := range whyNot {
		if errors.Is(err, w.err) {
			code = w.code
		}
	}
	if errors.Is(err, sessions.ErrNoNote) {
		return err
	}
	recorded := db.recordAbout(context.WithoutCancel(ctx), db.Queries, note, audit.Event{Act: act, Outcome: audit.Failed, Who: by, Code: code})
	return errors.Join(fmt.Errorf("sign note %s: %w", note, err), recorded)
}

// errMoved means that somebody wrote meanwhile.
var errMoved = errors.New("the note's log has moved on")

// toSign is a note whose row is held, to be signed.
type toSign struct {
	q      *queries.Queries
	note   queries.Note
	frozen bool // by somebody, and not over
	parent *queries.Note
	about  *queries.AboutNoteRow
	signer queries.Person
	at     time.Time
	before []Signature
	who    signature.Identity
	remark string
}

// holdToSign locks a note, and the one it is about. Who signs may do so still, or it is an [ErrRights].
func (db *DB) holdToSign(ctx context.Context, q *queries.Queries, keys *keySet, note, by uuid.UUID, seen Seen) (t toSign, err error) {
	rows, err := q.LockToSign(ctx, note)
	if err != nil {
		return t, err
	}
	t.q = q
	for i, row := range rows {
		if row.Note.ID == note {
			t.note, t.frozen = row.Note, row.Frozen
		} else {
			t.parent = &rows[i].Note
		}
	}
	switch {
	case t.note.ID == uuid.Nil:
		return t, sessions.ErrNoNote
	case t.note.State == Gone:
		return t, sessions.ErrDestroyed
	}
	if t.parent != nil {
		about, err := q.AboutNote(ctx, note)
		if err != nil {
			return t, err
		}
		t.about = &about
	}
	if t.signer, err = q.PersonByID(ctx, by); err != nil {
		return t, fmt.Errorf("look up signer: %w", err)
	}
	if s := seen.Stamp; s != nil && (s.Person != t.signer.AccessEpoch || s.Note != t.note.AccessEpoch) {
		return t, ErrRights
	}
	if t.remark = seen.Remark; t.remark != "" && !signature.IsRemark(t.remark) {
		return t, ErrRemark
	}
	before, err := q.SignaturesOf(ctx, []uuid.UUID{note})
	if err != nil {
		return t, err
	}
	for _, row := range before {
		s, err := keys.openSignature(row)
		if err != nil {
			return t, err
		}
		if s.By == by {
			return t, ErrSignedBefore
		}
		t.before = append(t.before, s)
	}
	t.at, err = q.SignTime(ctx)
	t.at = t.at.UTC().Truncate(time.Microsecond)
	return t, err
}

// signAt signs a note that ends as r does, or returns [errMoved].
func (db *DB) signAt(ctx context.Context, note, by uuid.UUID, seen Seen, r Rendering) (s Signature, err error) {
	signer, err := db.noteSigner(ctx)
	if err != nil {
		return s, err
	}
	keys, err := db.keysToWrite(ctx, db.Queries, note)
	if err != nil {
		return s, err
	}
	var reason signature.Hash
	if about, err := db.AboutWhat(ctx, note); err == nil {
		reason = signature.HashOf([]byte(about.Reason))
	} else if !errors.Is(err, ErrNotFound) {
		return s, err
	}
	e := audit.Event{Act: audit.SignNote, Who: by, Note: note}
	err = db.Act(ctx, &e, func(q *queries.Queries) error {
		// What it asks for is done by others from now on: their lists have it at once, though nobody writes any more. Before the note's row is
		// held, as who reads tasks does it.
		if err := q.AskForTasks(ctx, note); err != nil {
			return err
		}
		t, err := db.holdToSign(ctx, q, keys, note, by, seen)
		t.who = r.Who
		switch {
		case err != nil:
			return err
		case IsSigned(t.note.State):
			return ErrSigned
		case t.frozen && (t.note.FrozenBy.UUID != by || t.note.SignEpoch != seen.Epoch):
			return ErrFrozen
		case seen.Epoch != 0 && (t.note.State != Freezing || t.note.SignEpoch != seen.Epoch):
			return ErrFreezeOver
		case uint64(t.note.Head) != r.Seq || t.note.PatientID != r.Patient:
			return errMoved
		}
		statement := t.statement(signature.Author)
		statement.Schema, statement.Hashes, statement.Reason = r.Schema, r.Hashes(), reason
		hashes := r.Hashes()
		err = q.InsertSigned(ctx, note, keys.sealing().Seal(signedAt(vault.SignedContent, hashes.Content), r.Content),
			keys.sealing().Seal(signedAt(vault.SignedAuthors, hashes.Attribution), r.Attribution))
		if err == nil {
			s, err = t.add(ctx, signer, keys, statement)
		}
		if err == nil {
			err = q.SetSigned(ctx, Signed, note)
		}
		if err == nil {
			err = t.tellParent(ctx)
		}
		e.Patient, e.Code = t.note.PatientID, t.code(s)
		return err
	})
	return s, err
}

// statement begins what is signed of a note as it is.
func (t *toSign) statement(meaning signature.Meaning) signature.Statement {
	s := signature.Statement{
		Number: len(t.before) + 1, Note: t.note.ID, Kind: t.note.Kind, Seq: uint64(t.note.Head), Signer: t.signer.ID,
		Name: signature.PrintedName(t.signer.Name), Role: t.signer.Role, Meaning: meaning, At: t.at, Nonce: signature.NewNonce(),
		Patient: t.note.PatientID, Identity: signature.HashOf([]byte(t.who.Text())),
	}
	if t.remark != "" {
		s.Remark = signature.HashOf([]byte(t.remark))
	}
	copy(s.Chain[:], t.note.Chain)
	if t.about != nil {
		s.Parent, s.Relation = t.about.ParentID, signature.Relation(t.about.Relation)
	}
	if k := len(t.before); k > 0 {
		s.Previous = t.before[k-1].Hash
	}
	return s
}

// add signs a statement, and stores it.
func (t *toSign) add(ctx context.Context, signer *noteSigner, keys *keySet, statement signature.Statement) (s Signature, err error) {
	signed, err := signature.Sign(signer.signer, statement)
	if err != nil {
		return s, err
	}
	text, err := statement.Text()
	if err != nil {
		return s, err
	}
	s = Signature{
		Statement: statement, By: statement.Signer, Hash: signature.HashOf([]byte(text)), Signed: signed, Keys: signer.signer.Keys(),
		Cosign: statement.Meaning == signature.Author && needsCosign(t.signer.Role), Who: t.who, Said: t.remark,
	}
	identity, err := sealValue(keys.sealing(), saidAt(vault.SignedIdentity, statement.Number, statement.Identity), t.who.Text())
	if err != nil {
		return s, err
	}
	var remark []byte
	if t.remark != "" {
		if remark, err = sealValue(keys.sealing(), saidAt(vault.SignedRemark, statement.Number, statement.Remark), t.remark); err != nil {
			return s, err
		}
	}
	return s, t.q.InsertSignature(ctx, queries.InsertSignatureParams{
		Identity: identity, Remark: remark,
		NoteID: statement.Note, N: int16(statement.Number), SignerID: statement.Signer, Role: statement.Role, Name: statement.Name,
		Meaning: string(statement.Meaning), At: statement.At, Head: int64(statement.Seq), Cosign: s.Cosign, Keys: signer.id,
		Statement: keys.sealing().Seal(statementAt(statement.Number, statement.Signer), signed), Hash: s.Hash[:],
	})
}

// needsCosign reports whether an attending signs as well what somebody of a role signs.
func needsCosign(role string) bool { return role == "resident" }

// code is what the log of acts says of a signing. Whoever has the statement finds it there.
func (t *toSign) code(s Signature) string {
	return fmt.Sprintf("%s n=%d %s", anchorCode(endOf(t.note.Head, t.note.Chain)), s.Number, s.Mark())
}

// effects are what a note becomes when one about it is signed; ranks say which state goes further.
var (
	effects = map[signature.Relation]string{
		signature.Addendum: Added, signature.LateEntry: Added, signature.Correction: Amended, signature.Retraction: Retracted,
	}
	ranks = map[string]int{Signed: 1, Cosigned: 2, Added: 3, Amended: 4, Retracted: 5}
)

// tellParent has the note that this one is about become what follows from its signature. Its words stay as they are.
func (t *toSign) tellParent(ctx context.Context) error {
	if t.parent == nil || !IsSigned(t.parent.State) { // destroyed
		return nil
	}
	state := effects[signature.Relation(t.about.Relation)]
	if cmp.Compare(ranks[state], ranks[t.parent.State]) <= 0 {
		return nil
	}
	return t.q.SetSigned(ctx, state, t.parent.ID)
}

// Cosign has an attending sign what a resident has signed, Witness a clinician what anybody has, and Receive who takes over a handoff. They have seen the note by its
// hashes, and none of them has signed it before; what they say with it, such as an attestation, is signed as well. The caller has decided that they may. Errors and record are as with [DB.Sign].
func (db *DB) Cosign(ctx context.Context, note, by uuid.UUID, seen Seen) (Signature, error) {
	s, err := db.signToo(ctx, note, by, signature.Cosign, seen)
	return s, db.signFailed(ctx, note, by, audit.CosignNote, err)
}

// Witness is described with [DB.Cosign].
func (db *DB) Witness(ctx context.Context, note, by uuid.UUID, seen Seen) (Signature, error) {
	s, err := db.signToo(ctx, note, by, signature.Witness, seen)
	return s, db.signFailed(ctx, note, by, audit.WitnessNote, err)
}

// Receive is described with [DB.Cosign].
func (db *DB) Receive(ctx context.Context, note, by uuid.UUID, seen Seen) (Signature, error) {
	s, err := db.signToo(ctx, note, by, signature.Receiver, seen)
	return s, db.signFailed(ctx, note, by, audit.ReceiveNote, err)
}

func (db *DB) signToo(ctx context.Context, note, by uuid.UUID, meaning signature.Meaning, seen Seen) (s Signature, err error) {
	row, err := db.NoteByID(ctx, note)
	if errors.Is(err, ErrNotFound) {
		return s, sessions.ErrNoNote
	}
	if err != nil {
		return s, err
	}
	signer, err := db.noteSigner(ctx)
	if err != nil {
		return s, err
	}
	keys, err := db.keysToWrite(ctx, db.Queries, note)
	if err != nil {
		return s, err
	}
	e := audit.Event{Act: meaning.Act(), Who: by, Note: note}
	err = db.Act(ctx, &e, func(q *queries.Queries) error {
		t, err := db.holdToSign(ctx, q, keys, note, by, seen)
		t.who = identityOf(row.Patient)
		switch {
		case err != nil:
			return err
		case !IsSigned(t.note.State) || t.note.State == Retracted || len(t.before) == 0:
			return ErrUnsigned
		case t.before[0].Hashes != seen.Hashes, signature.HashOf([]byte(t.who.Text())) != seen.Identity, t.note.PatientID != row.Patient.ID:
			return ErrChanged
		case meaning == signature.Cosign && !t.waitsForCosign():
			return ErrNoCosign
		}
		statement := t.statement(meaning)
		first := t.before[0]
		statement.Schema, statement.Hashes, statement.Reason = first.Schema, first.Hashes, first.Reason
		s, err = t.add(ctx, signer, keys, statement)
		if err == nil && meaning == signature.Cosign && t.note.State == Signed {
			err = q.SetSigned(ctx, Cosigned, note)
		}
		e.Patient, e.Code = t.note.PatientID, t.code(s)
		return err
	})
	return s, err
}

func (t *toSign) waitsForCosign() bool { return WaitsForCosign(t.before) }

// WaitsForCosign reports whether an attending has yet to sign a note that has these signatures.
func WaitsForCosign(signatures []Signature) bool {
	waits := false
	for _, s := range signatures {
		waits = (waits || s.Cosign) && s.Meaning != signature.Cosign
	}
	return waits
}
