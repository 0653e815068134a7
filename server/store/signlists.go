package store

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
)

// Limits of lists about signing (I10).
const (
	MaxAwaiting   = 200 // notes that wait for somebody's cosignature
	MaxUnsigned   = 500
	maxCosigners  = 50
	maxOpenLosses = 100
)

// Contributor is somebody who wrote some of a note, and how many of its words.
type Contributor struct {
	Person uuid.UUID // zero: nobody knows who
	Words  int
}

// Cosigner is an attending who may sign what somebody signed. Supervises: they work under them.
type Cosigner = queries.CosignersRow

// Sheet is what somebody looks at before they sign a note: what it is, and what speaks against signing it.
type Sheet struct {
	Rendering // Hashes of it are what they have seen
	Note      queries.Note
	About     *About // what the note is about; nil: it stands alone

	Contributors []Contributor         // who wrote most first
	Blanks       []signature.Blank     // *** that wait to be filled in: while there are any, the note is not signed
	Suggestions  signature.Suggestions // what is suggested: while there is any, the note is not signed
	Losses       []sessions.Loss       // text that was removed unseen, and whose author has not said what becomes of it; of very many the newest
	// Unsearched reports that what was written last has not been searched for lost text yet: somebody types at this moment.
	Unsearched bool

	Signatures []Signature
	// Cosigners are who may sign as well what this signer signs, who supervises them first; nil: nobody has to.
	Cosigners []Cosigner
}

// ReadyToSign returns what somebody should see who is about to sign a note as its author. The caller has decided that they may read it.
func (db *DB) ReadyToSign(ctx context.Context, note, by uuid.UUID) (s Sheet, err error) {
	if s.Rendering, err = db.Render(ctx, note); err != nil {
		return s, err
	}
	row, err := db.NoteByID(ctx, note)
	if err != nil {
		return s, err
	}
	s.Note = row.Note
	for person, words := range signature.Words(s.Doc, s.Whose) {
		s.Contributors = append(s.Contributors, Contributor{person, words})
	}
	slices.SortFunc(s.Contributors, func(a, b Contributor) int {
		if a.Words != b.Words {
			return b.Words - a.Words
		}
		return slices.Compare(a.Person[:], b.Person[:])
	})
	s.Blanks, s.Suggestions = signature.Blanks(s.Doc), signature.SuggestionsIn(s.Doc)
	if s.Losses, err = db.Losses(ctx, note, sessions.LossQuery{Waiting: true, Limit: maxOpenLosses}); err != nil {
		return s, err
	}
	_, searched, err := db.Searched(ctx, note)
	if err != nil {
		return s, err
	}
	s.Unsearched = searched < s.Seq
	if s.Signatures, err = db.Signatures(ctx, note); err != nil {
		return s, err
	}
	about, err := db.AboutWhat(ctx, note)
	switch {
	case err == nil:
		s.About = &about
	case err != ErrNotFound: //nolint:errorlint // it is returned as it is
		return s, err
	}
	signer, err := db.PersonByID(ctx, by)
	if err != nil {
		return s, err
	}
	if needsCosign(signer.Role) {
		s.Cosigners, err = db.Queries.Cosigners(ctx, by, note, maxCosigners)
	}
	return s, err
}

// AwaitingCosignRow is a note that waits for an attending's signature, with its patient.
type AwaitingCosignRow struct {
	queries.AwaitingCosignRow
	Patient Patient
}

// Waited is how long it has waited.
func (r AwaitingCosignRow) Waited(now time.Time) time.Duration { return now.Sub(r.SignedAt) }

// AwaitingCosign is somebody's inbox: notes that they may cosign, by what the database knows, of those who work under them first; the
// longest waiting first, [MaxAwaiting] at most. What they may do is the caller's to decide.
func (db *DB) AwaitingCosign(ctx context.Context, person uuid.UUID) ([]AwaitingCosignRow, error) {
	rows, err := db.Queries.AwaitingCosign(ctx, person, MaxAwaiting)
	return withPatients(ctx, db, rows, err, func(r queries.AwaitingCosignRow) queries.Patient { return r.Patient },
		func(r queries.AwaitingCosignRow, p Patient) AwaitingCosignRow { return AwaitingCosignRow{r, p} })
}

// ReadyForReviewRow is a draft that its author says is done, with its patient.
type ReadyForReviewRow struct {
	queries.ReadyForReviewRow
	Patient Patient
}

// ReadyForReview lists drafts whose authors say that they are done, for an attending, [MaxAwaiting] at most. What may be shown is the
// caller's to decide.
func (db *DB) ReadyForReview(ctx context.Context, person uuid.UUID) ([]ReadyForReviewRow, error) {
	rows, err := db.Queries.ReadyForReview(ctx, person, MaxAwaiting)
	return withPatients(ctx, db, rows, err, func(r queries.ReadyForReviewRow) queries.Patient { return r.Patient },
		func(r queries.ReadyForReviewRow, p Patient) ReadyForReviewRow { return ReadyForReviewRow{r, p} })
}

// UnsignedNotesRow is a note that nobody has signed, with its patient.
type UnsignedNotesRow struct {
	queries.UnsignedNotesRow
	Patient Patient
}

// Age is how old it is.
func (r UnsignedNotesRow) Age(now time.Time) time.Duration { return now.Sub(r.Note.CreatedAt) }

// Unsigned says which unsigned notes to list.
type Unsigned struct {
	Author uuid.UUID // who began them; zero: anybody
	Unit   string    // where they were begun; "": anywhere
	Reader uuid.UUID // whose ties to the patients to look up
}

// UnsignedNotes lists notes that nobody has signed, the oldest first, [MaxUnsigned] at most. What may be shown is the caller's to decide.
func (db *DB) UnsignedNotes(ctx context.Context, u Unsigned) ([]UnsignedNotesRow, error) {
	rows, err := db.Queries.UnsignedNotes(ctx, queries.UnsignedNotesParams{
		Author: orNoID(u.Author), Unit: u.Unit, Reader: u.Reader, MaxRows: MaxUnsigned,
	})
	return withPatients(ctx, db, rows, err, func(r queries.UnsignedNotesRow) queries.Patient { return r.Patient },
		func(r queries.UnsignedNotesRow, p Patient) UnsignedNotesRow { return UnsignedNotesRow{r, p} })
}
