package store

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// end is where a note's log ends, or ended: its newest row, and that row's link.
type end struct {
	head uint64
	link vault.Link
}

// endOf reads one as table note has it.
func endOf(head int64, chain []byte) end {
	e := end{head: uint64(head)}
	copy(e.link[:], chain)
	return e
}

// NoteFault says that a note's log is not the one that is on record. It is a [vault.ErrTampered].
type NoteFault struct {
	Note uuid.UUID
	Kind audit.FaultKind // [audit.RolledBack], [audit.Forked], [audit.Changed], [audit.Missing], [audit.Misplaced], [Retimed]
	Head uint64          // where its log ends, as it is now
	Had  uint64          // how far it is on record: in the log of acts, or in this server's memory

	Whose uuid.UUID // of what is misplaced: the patient whose it is on record
}

// Retimed means that a row's time is not between those of the entries of the log of acts before and behind it.
const Retimed audit.FaultKind = "retimed"

func (f *NoteFault) Error() string {
	switch f.Kind {
	case audit.RolledBack:
		return fmt.Sprintf("%s: the log of note %s ends at seq %d, and had come to %d", f.Kind, f.Note, f.Head, f.Had)
	case audit.Forked:
		return fmt.Sprintf("%s: the log of note %s is another than the one that is on record up to seq %d", f.Kind, f.Note, f.Had)
	case audit.Missing:
		return fmt.Sprintf("%s: note %s, whose log had come to seq %d", f.Kind, f.Note, f.Had)
	case audit.Misplaced:
		return fmt.Sprintf("%s: note %s is on record as another patient's, %s", f.Kind, f.Note, f.Whose)
	case Retimed:
		return fmt.Sprintf("%s: the time of row %d of note %s is not the one at which it came, by the log of acts", f.Kind, f.Head, f.Note)
	default:
		return fmt.Sprintf("%s: the rows of note %s up to seq %d are not those of its chain", f.Kind, f.Note, f.Head)
	}
}

// Unwrap makes it an error of the vault's: nothing of the note is shown.
func (f *NoteFault) Unwrap() error { return vault.ErrTampered }

// chaining computes the links of a note's log. Its key is the note's first, whichever seals what is new: a note has one chain.
func (k *keySet) chaining() *vault.Key { return k.keys[k.first] }

// linker computes the links of a note's log.
type linker struct {
	key  *vault.Key
	from uint64 // seq of the first row whose link anybody can compute who has its cover; rows before are of an earlier version
}

func (k *keySet) linker() linker { return linker{k.chaining(), k.linksFrom} }

// row makes e the end of a log that goes on with a row, and returns that row's cover; zero: its link is of an earlier version.
func (l linker) row(e *end, author sessions.PersonID, session sessions.SessionID, update []byte) (cover vault.Cover) {
	var with [32]byte
	at := updateAt(with[:], e.head+1, author, session)
	e.head++
	if e.head < l.from {
		l.key.Link(&e.link, at.Seq, at.With, update)
		return cover
	}
	cover = l.key.Cover(at.Seq, at.With, update)
	e.link = vault.Link(signature.NextLink(signature.Hash(e.link), e.head, author, session, signature.Hash(cover)))
	return cover
}

// rows does the same for some.
func (l linker) rows(e *end, rows []sessions.Row) {
	for _, r := range rows {
		l.row(e, r.Author, r.Session, r.Update)
	}
}

// anchorCode is how an entry of the log of acts says how far a note's log has come; sql/burst.sql and queries/chains.sql write the same.
// Anybody reads it by [signature.ParseAnchor].
func anchorCode(e end) string {
	return fmt.Sprintf("head=%d chain=%s", e.head, base64.StdEncoding.EncodeToString(e.link[:]))
}

// parseAnchor reads what an entry's code says of that, if it does.
func parseAnchor(code string) (e end, is bool) {
	head, link, is := signature.ParseAnchor(code)
	return end{head, vault.Link(link)}, is
}

// anchorOf returns how far a note's log has come by the log of acts; zero: it does not say. What was recorded before an older state
// of the note was put back on purpose does not count (accepted), if the record of that was made with the note's key, and for what was
// known then. A note that is on record as another patient's is a [NoteFault].
func anchorOf(ctx context.Context, q *queries.Queries, keys *keySet, note sessions.NoteID, row queries.NoteToLoadRow) (known end, accepted bool, err error) {
	known, after, since, err := recorded(ctx, q, keys, note, row)
	if err != nil {
		return end{}, false, err
	}
	if row.Whose != row.PatientID {
		if other, err := q.WhoseSince(ctx, note, row.PatientID, since); err != nil {
			return end{}, false, err
		} else if other {
			return end{}, false, misplaced(note, row)
		}
	}
	return known, after > 0, nil
}

// misplaced says that a note is in another patient's record than the log of acts has it.
func misplaced(note sessions.NoteID, row queries.NoteToLoadRow) error {
	return &NoteFault{Note: note, Kind: audit.Misplaced, Head: uint64(row.Head), Had: uint64(row.Head), Whose: row.Whose}
}

// recorded returns how far a note's log has come by the log of acts, behind which place that counts, since an older state was put back
// on purpose, and since when what is said of whose it is.
func recorded(ctx context.Context, q *queries.Queries, keys *keySet, note sessions.NoteID, row queries.NoteToLoadRow) (known end, after, since int64, err error) {
	if row.Restored {
		restores, err := q.RestoresOf(ctx, note)
		if err != nil {
			return end{}, 0, 0, err
		}
		for _, r := range restores {
			if known, err = furthest(ctx, q, note, after, r.N, known); err != nil {
				return end{}, 0, 0, err
			}
			back, is := parseAnchor(r.Code)
			switch {
			case !is:
			case strings.HasSuffix(r.Code, keys.restoreProof(back, known, r.PatientID.UUID)):
				known, after, since = back, r.N, r.N
			case strings.HasSuffix(r.Code, keys.restoreProof(back, known, uuid.Nil)): // of a version before
				known, after = back, r.N
			}
		}
	}
	known, err = furthest(ctx, q, note, after, maxPlace, known)
	return known, after, since, err
}

// maxPlace is behind every entry of the log of acts.
const maxPlace = math.MaxInt64

// furthest returns the furthest that the log of acts has a note's log between two places, or known, if that is no less.
func furthest(ctx context.Context, q *queries.Queries, note sessions.NoteID, after, before int64, known end) (end, error) {
	row, err := q.NewestAnchor(ctx, note, after, before)
	if errors.Is(err, ErrNotFound) {
		return known, nil
	}
	if err != nil || uint64(row.Head) <= known.head {
		return known, err
	}
	// What no server wrote counts as well, and fits nothing: who adds it does not hide what is on record.
	e, _ := parseAnchor(row.Code)
	return end{uint64(row.Head), e.link}, nil
}

// restoreProof ends the code of an entry that says that a note of a patient was put back to an older state, in place of the one that was
// known: nobody makes it without the note's key, and it counts for these two states and this patient alone. Those of versions before named none.
func (k *keySet) restoreProof(back, known end, patient uuid.UUID) string {
	purpose, states := "tidechart/restored-note/v1", anchorCode(back)+" over "+anchorCode(known)
	if patient != uuid.Nil {
		purpose, states = "tidechart/restored-note/v2", states+" of "+patient.String()
	}
	sum := k.keys[k.first].Index(purpose, states)
	return " proof=" + base64.StdEncoding.EncodeToString(sum)
}

// AcceptOlder has a note open again whose log was put back to an older state on purpose, or that was put back into the record of its patient,
// and records that, unless it is as it was on record.
// It returns how far the log had come, and where it ends now. What its rows say has to be the chain's: only its end may be another.
func (db *DB) AcceptOlder(ctx context.Context, note sessions.NoteID) (had, has uint64, accepted bool, err error) {
	err = db.withKeys(ctx, note, func(keys *keySet) error {
		e := audit.Event{Act: audit.RestoreNote}
		var known, now end
		var patient uuid.UUID
		wasElsewhere := false
		read := func(q *queries.Queries) error {
			row, err := q.NoteToLoad(ctx, note)
			if err != nil {
				return err
			}
			patient = row.PatientID
			_, _, err = anchorOf(ctx, q, keys, note, row)
			var fault *NoteFault
			if wasElsewhere = errors.As(err, &fault); err != nil && !wasElsewhere {
				return err
			}
			if wasElsewhere { // it may come back to whose it was, and not go to others
				if first, err := q.FirstWhose(ctx, note); err != nil {
					return err
				} else if first.UUID != patient {
					return fault
				}
			}
			if known, _, _, err = recorded(ctx, q, keys, note, row); err != nil {
				return err
			}
			if now, err = chainOf(ctx, q, keys, note, math.MaxInt64); err != nil {
				return err
			}
			if stored := endOf(row.Head, row.Chain); now != stored {
				return &NoteFault{Note: note, Kind: audit.Changed, Head: stored.head, Had: known.head}
			}
			return nil
		}
		if err := db.reading(ctx, read); err != nil {
			return err
		}
		if had, has = known.head, now.head; had <= has && !wasElsewhere && !db.forked(ctx, keys, note, known) {
			return nil
		}
		accepted = true
		e.Code = fmt.Sprintf("%s over=%d%s", anchorCode(now), known.head, keys.restoreProof(now, known, patient))
		return db.recordAbout(ctx, db.Queries, note, e)
	})
	if err != nil {
		return 0, 0, false, fmt.Errorf("accept older state of note %s: %w", note, err)
	}
	db.keys.forget(note)
	return had, has, accepted, nil
}

// forked reports whether a note's log is another than the one that was known.
func (db *DB) forked(ctx context.Context, keys *keySet, note sessions.NoteID, known end) bool {
	then, err := chainOf(ctx, db.Queries, keys, note, known.head)
	return err == nil && then != known
}

// chainOf computes the chain of a note's log from its first row on, up to a seq at most.
func chainOf(ctx context.Context, q *queries.Queries, keys *keySet, note sessions.NoteID, to uint64) (e end, err error) {
	return chainFrom(ctx, q, keys, note, end{}, to)
}

// chainAtOnce is how many rows are read at once to compute a chain.
const chainAtOnce = 2000

// chainFrom goes on from a row whose link is known.
func chainFrom(ctx context.Context, q *queries.Queries, keys *keySet, note sessions.NoteID, e end, to uint64) (end, error) {
	chain := keys.linker()
	for e.head < to {
		rows, err := logAfter(ctx, q, keys, note, e.head, int32(min(to-e.head, chainAtOnce)))
		if err != nil {
			return e, err
		}
		if len(rows) == 0 {
			break
		}
		chain.rows(&e, rows)
	}
	return e, nil
}

// following is a chain that is compared, while it is followed, with where it has to pass.
type following struct {
	end
	chain  linker
	known  end // by the log of acts
	astray bool
}

func follow(keys *keySet, from, known end) *following {
	f := &following{end: from, chain: keys.linker(), known: known}
	f.compare()
	return f
}

func (f *following) row(author sessions.PersonID, session sessions.SessionID, update []byte) {
	f.chain.row(&f.end, author, session, update)
	f.compare()
}

func (f *following) compare() {
	f.astray = f.astray || f.head == f.known.head && f.link != f.known.link
}

// fault says what is wrong with the log of a note that ends as stored, if anything is.
func (f *following) fault(note sessions.NoteID, stored end) error {
	switch {
	case f.end != stored:
		return &NoteFault{Note: note, Kind: audit.Changed, Head: stored.head, Had: f.known.head}
	case f.astray:
		return &NoteFault{Note: note, Kind: audit.Forked, Head: stored.head, Had: f.known.head}
	}
	return nil
}
