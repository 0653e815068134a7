package store

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// DB is what sessions write to.
var _ sessions.Store = (*DB)(nil)

// The two statements of a commit; they travel together, with burst.sql if somebody begins to edit, so that it costs one round trip.
var (
	//go:embed sql/lock.sql
	lockSQL string
	//go:embed sql/append.sql
	appendSQL string
)

// SQLSTATEs: of a primary key that exists already, of a value that is missing, and of a row that others refer to, or that is not there.
const (
	uniqueViolation     = "23505"
	notNullViolation    = "23502"
	foreignKeyViolation = "23503"
)

// Load reads a note's log at one moment. A base whose checksum does not match is passed over: the log alone is
// the truth (I4).
func (db *DB) Load(ctx context.Context, note sessions.NoteID) (sessions.Log, error) {
	var log sessions.Log
	err := db.withKeys(ctx, note, func(keys *keySet) (err error) {
		log, err = db.load(ctx, keys, note)
		return err
	})
	if err != nil {
		db.recordFault(ctx, err)
		return sessions.Log{}, fmt.Errorf("load note %s: %w", note, err)
	}
	return log, nil
}

func (db *DB) load(ctx context.Context, keys *keySet, note sessions.NoteID) (log sessions.Log, err error) {
	had := db.keys.knownOf(keys)
	err = db.reading(ctx, func(q *queries.Queries) error {
		row, err := q.NoteToLoad(ctx, note)
		if errors.Is(err, pgx.ErrNoRows) {
			return sessions.ErrNoNote
		}
		if err != nil {
			return err
		}
		if row.Destroyed { // the keys may be in memory still
			return sessions.ErrDestroyed
		}
		stored := endOf(row.Head, row.Chain)
		known, accepted, err := anchorOf(ctx, q, keys, note, row)
		if err != nil {
			return err
		}
		if accepted {
			had = 0
		}
		if had = max(had, known.head); stored.head < had {
			return &NoteFault{Note: note, Kind: audit.RolledBack, Head: stored.head, Had: had}
		}
		base, from, err := newestBase(ctx, q, keys, note, known)
		if err != nil {
			return err
		}
		log = sessions.Log{Head: stored.head, Searched: uint64(row.Searched), Base: base, BaseSeq: from.head}
		err = loadTail(ctx, q, keys, note, &log, follow(keys, from, known), stored)
		if err != nil && base != nil { // a base of another time, perhaps: the log alone is the truth (I4)
			log.Base, log.BaseSeq = nil, 0
			err = loadTail(ctx, q, keys, note, &log, follow(keys, end{}, known), stored)
		}
		if err != nil {
			return err
		}
		if log.Writers, err = writersOf(ctx, q, note); err != nil {
			return err
		}
		if log.Shown, err = shownAt(ctx, q, note); err != nil {
			return err
		}
		db.keys.loaded(note, stored, accepted)
		db.anchors.loaded(note, stored, known)
		return nil
	})
	return log, err
}

// newestBase returns the newest base of a note, and where its rows end; nil if there is none that opens, is of rows that are there,
// and that the log of acts goes as far as: the log is read instead.
func newestBase(ctx context.Context, q *queries.Queries, keys *keySet, note sessions.NoteID, known end) ([]byte, end, error) {
	base, err := q.NewestBase(ctx, note)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, end{}, nil
	}
	if err != nil {
		return nil, end{}, err
	}
	update, link, whole := keys.openBase(base)
	if !whole || uint64(base.Seq) > known.head {
		return nil, end{}, nil
	}
	return update, end{uint64(base.Seq), link}, nil
}

// loadTail reads what comes behind a log's base, and compares all of it with its chain, and with what is on record of that.
func loadTail(ctx context.Context, q *queries.Queries, keys *keySet, note sessions.NoteID, log *sessions.Log, f *following, stored end) error {
	rows, err := logAfter(ctx, q, keys, note, log.BaseSeq, math.MaxInt32)
	if err != nil {
		return err
	}
	if to := log.BaseSeq + uint64(len(rows)); to != log.Head {
		return fmt.Errorf("log ends at seq %d, head says %d: %w", to, log.Head, vault.ErrTampered)
	}
	log.Tail = make([][]byte, len(rows))
	for i, row := range rows {
		f.row(row.Author, row.Session, row.Update)
		log.Tail[i] = row.Update
	}
	return f.fault(note, stored)
}

// Append commits one batch; see [sessions.Store] for the contract and sql/append.sql for how.
func (db *DB) Append(ctx context.Context, batch sessions.Batch) ([]sessions.Placed, error) {
	arguments := appendArguments(batch)
	for try := 0; ; try++ {
		now := time.Now()
		begin := db.editing.beginsOf(batch, now)
		placed, err := db.tryAppend(ctx, batch, arguments, begin, try >= maxResealed)
		switch {
		case errors.Is(err, errTwice):
			return db.receipt(ctx, batch.ID)
		case errors.Is(err, errElsewhere) && try < maxResealed:
			ends, err := db.endsOf(ctx, queries.New(db.commits), arguments)
			if err != nil {
				return nil, fmt.Errorf("append %d updates: %w", len(batch.Entries), err)
			}
			for note, e := range ends {
				db.keys.setEnd(note, e)
			}
		case err != nil:
			return nil, fmt.Errorf("append %d updates: %w", len(batch.Entries), err)
		default:
			db.noteEnds(placed, arguments)
			db.editing.recorded(begin, placed, now)
			db.anchors.moved(placed, begin, now)
			return placed, nil
		}
	}
}

// maxResealed is how often a batch is sealed anew, because others append to its notes, before these are held while it is sealed.
const maxResealed = 3

var (
	// errElsewhere means that a note of a batch ends elsewhere than where the batch was sealed for; nothing was stored.
	errElsewhere = errors.New("others have appended to a note meanwhile")
	// errTwice means that the batch was committed before.
	errTwice = errors.New("the batch was committed before")
)

// tryAppend seals a batch and commits it; with its notes held meanwhile, so that nobody else appends to them, if hold.
func (db *DB) tryAppend(ctx context.Context, batch sessions.Batch, arguments []any, begin begins, hold bool) (placed []sessions.Placed, err error) {
	if !hold {
		if err := db.sealBatch(ctx, queries.New(db.commits), batch, arguments, nil); err != nil {
			return nil, fmt.Errorf("seal: %w", err)
		}
		return db.append(ctx, db.commits, arguments, begin)
	}
	err = pgx.BeginFunc(ctx, db.commits, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockSQL, arguments[argEach]); err != nil {
			return fmt.Errorf("hold notes: %w", err)
		}
		ends, err := db.endsOf(ctx, queries.New(tx), arguments)
		if err != nil {
			return err
		}
		// A data key that is made now stays, whatever becomes of this transaction: it is made on another connection, and not on one for
		// commits, which may all be held.
		if err := db.sealBatch(ctx, db.Queries, batch, arguments, ends); err != nil {
			return fmt.Errorf("seal: %w", err)
		}
		placed, err = db.append(ctx, tx, arguments, begin)
		return err
	})
	return placed, err
}

// batcher is a pool of connections, or a transaction on one.
type batcher interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

func (db *DB) append(ctx context.Context, on batcher, arguments []any, begin begins) ([]sessions.Placed, error) {
	var placed []sessions.Placed
	var queue pgx.Batch // sent as one, it is one transaction
	queue.Queue(lockSQL, arguments[argEach])
	queue.Queue(appendSQL, arguments...).Query(func(rows pgx.Rows) (err error) {
		placed, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p sessions.Placed, err error) {
			return p, row.Scan(&p.Note, &p.First)
		})
		return err
	})
	if len(begin.places) > 0 {
		queue.Queue(burstSQL, begin.notes, begin.authors, begin.sessions, begin.seqs(arguments))
	}
	err := on.SendBatch(ctx, &queue).Close()
	if err == nil {
		return placed, nil
	}
	var refusal *pgconn.PgError
	if !errors.As(err, &refusal) {
		return nil, err
	}
	if refusal.Code == uniqueViolation && refusal.TableName == "batch" {
		return nil, errTwice
	}
	if refusal.Code == notNullViolation && refusal.TableName == "note_update" && refusal.ColumnName == "seq" {
		return nil, errElsewhere
	}
	if class := refusal.Code[:2]; class == "22" || class == "23" { // data exception, integrity violation
		return nil, fmt.Errorf("sqlstate %s: %w", refusal.Code, sessions.ErrRejected)
	}
	return nil, fmt.Errorf("sqlstate %s", refusal.Code) // what the database quotes stays there
}

// Where appendArguments has what depends on where notes end: their ids, updates, and the seqs that these are sealed for.
const (
	argNotes   = 1
	argUpdates = 2
	argBefore  = 5
	argEach    = 9
	argCounts  = 10
	argFirst   = 18
	argChains  = 19
)

// sealBatch seals a batch's updates for where their notes end, or without ends, seem to, and puts them among the arguments, with the
// links of the rows that they become.
func (db *DB) sealBatch(ctx context.Context, q *queries.Queries, batch sessions.Batch, arguments []any, ends map[sessions.NoteID]end) error {
	each := arguments[argEach].(uuids)
	type place struct {
		keys *keySet
		end
	}
	first, places := make([]int64, len(each)), make(map[sessions.NoteID]*place, len(each))
	for i, id := range each {
		note := sessions.NoteID(id.Bytes)
		k, err := db.keysToWrite(ctx, q, note)
		if errors.Is(err, sessions.ErrNoNote) || errors.Is(err, sessions.ErrDestroyed) {
			continue // first is 0, which no row has; the statement takes nothing for it
		}
		if err != nil {
			return err
		}
		at := &place{keys: k}
		if e, held := ends[note]; held {
			at.end = e
		} else {
			at.end = db.keys.endOf(k)
		}
		places[note], first[i] = at, int64(at.head)+1
	}
	size := 0
	for _, e := range batch.Entries {
		size += len(e.Update) + vault.Overhead
	}
	room, updates := make([]byte, 0, size), make([][]byte, len(batch.Entries))
	var with [32]byte
	for i, e := range batch.Entries {
		if at := places[e.Note]; at != nil {
			begin := len(room)
			room = at.keys.sealing().AppendSeal(room, updateAt(with[:], at.head+1, e.Author, e.Session), e.Update)
			updates[i] = room[begin:len(room):len(room)]
			at.keys.linker().row(&at.end, e.Author, e.Session, e.Update)
		}
	}
	chains := make([][]byte, len(each))
	for i, id := range each {
		if at := places[id.Bytes]; at != nil {
			chains[i] = at.link[:]
		}
	}
	arguments[argUpdates], arguments[argFirst], arguments[argChains] = updates, first, chains
	return nil
}

// endsOf looks where the notes of a batch end. What this server knows of them does not go: a note that ends before that was rolled back.
func (db *DB) endsOf(ctx context.Context, q *queries.Queries, arguments []any) (map[sessions.NoteID]end, error) {
	notes := arguments[argEach].(uuids)
	ids := make([]uuid.UUID, len(notes))
	for i, n := range notes {
		ids[i] = n.Bytes
	}
	there, _, _ := db.keys.held(ids)
	known := make(map[uuid.UUID]uint64, len(there))
	for id, k := range there {
		known[id] = db.keys.knownOf(k)
	}
	rows, err := q.NoteHeads(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("look where notes end: %w", err)
	}
	ends := make(map[sessions.NoteID]end, len(rows))
	for _, r := range rows {
		e := endOf(r.Head, r.Chain)
		if e.head < known[r.ID] {
			return nil, fmt.Errorf("%w: %w", &NoteFault{Note: r.ID, Kind: audit.RolledBack, Head: e.head, Had: known[r.ID]}, sessions.ErrRejected)
		}
		ends[r.ID] = e
	}
	return ends, nil
}

// noteEnds remembers where a batch's notes end after it.
func (db *DB) noteEnds(placed []sessions.Placed, arguments []any) {
	taken := make(map[sessions.NoteID]uint64, len(placed))
	for _, p := range placed {
		taken[p.Note] = p.First
	}
	counts, chains := arguments[argCounts].([]int64), arguments[argChains].([][]byte)
	for i, id := range arguments[argEach].(uuids) {
		if first := taken[id.Bytes]; first > 0 {
			db.keys.setEnd(id.Bytes, endOf(int64(first)-1+counts[i], chains[i]))
		}
	}
}

// appendArguments are the parameters of append.sql, in types that pgx encodes without reflection: each commit does. What is
// sealed comes later.
func appendArguments(batch sessions.Batch) []any {
	n, m := len(batch.Entries), len(batch.Claims)
	notes, authors, sittings := make(uuids, n), make(uuids, n), make(uuids, n)
	before, each, counts, noteEpochs := make([]int64, n), make(uuids, 0, n), make([]int64, 0, n), make([]int64, 0, n)
	places := make(map[sessions.NoteID]int, n) // in each
	type stamp struct {
		person sessions.PersonID
		epoch  int64
	}
	decided, deciders, personEpochs := make([]int64, n), make(uuids, 0, 1), make([]int64, 0, 1)
	stamps := make(map[stamp]int64, 1) // and where in deciders they are, from 1
	for i, e := range batch.Entries {
		notes[i], authors[i] = known(e.Note), known(e.Author)
		sittings[i] = orNull(e.Session)
		one := stamp{e.Author, e.Stamp.Person}
		if decided[i] = stamps[one]; decided[i] == 0 {
			deciders, personEpochs = append(deciders, authors[i]), append(personEpochs, one.epoch)
			decided[i] = int64(len(deciders))
			stamps[one] = decided[i]
		}
		k, seen := places[e.Note]
		if !seen {
			k = len(each)
			places[e.Note] = k
			each, counts, noteEpochs = append(each, notes[i]), append(counts, 0), append(noteEpochs, e.Stamp.Note)
		}
		if noteEpochs[k] != e.Stamp.Note {
			noteEpochs[k] = -1 // one of them is outdated
		}
		before[i] = counts[k]
		counts[k]++
	}
	claimed, people, bringers := make(uuids, m), make(uuids, m), make(uuids, m)
	clients, from, to := make([]int64, m), make([]int64, m), make([]int64, m)
	for i, c := range batch.Claims {
		claimed[i], people[i], bringers[i] = known(c.Note), orNull(c.Person), orNull(c.RecoveredBy)
		clients[i], from[i], to[i] = int64(c.Client), int64(c.From), int64(c.To)
	}
	return []any{
		known(batch.ID), notes, [][]byte(nil), authors, sittings, before, decided, deciders, personEpochs, each, counts, noteEpochs,
		claimed, clients, from, to, people, bringers, []int64(nil), [][]byte(nil),
	}
}

type uuids = pgtype.FlatArray[pgtype.UUID]

func known(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

// orNull writes no id as NULL.
func orNull(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: id != uuid.Nil} }

// receipt reads what an earlier try of the same batch committed.
func (db *DB) receipt(ctx context.Context, batch uuid.UUID) ([]sessions.Placed, error) {
	r, err := queries.New(db.commits).BatchReceipt(ctx, batch)
	if err != nil {
		return nil, fmt.Errorf("read receipt of batch: %w", err)
	}
	placed := make([]sessions.Placed, len(r.NoteIds))
	for i, note := range r.NoteIds {
		placed[i] = sessions.Placed{Note: note, First: uint64(r.FirstSeq[i])}
	}
	return placed, nil
}

// SaveBase stores a verified base and drops those it makes superfluous. The log of acts is told the link of its last row.
func (db *DB) SaveBase(ctx context.Context, note sessions.NoteID, seq uint64, update []byte) error {
	keys, err := db.keysToWrite(ctx, db.Queries, note)
	if err != nil {
		return fmt.Errorf("save base at seq %d: %w", seq, err)
	}
	at, err := db.endAt(ctx, keys, note, seq)
	if err != nil {
		return fmt.Errorf("save base at seq %d: %w", seq, err)
	}
	sealed := keys.sealBase(at, update)
	sum := sha256.Sum256(sealed)
	err = db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		if err := q.InsertBase(ctx, queries.InsertBaseParams{NoteID: note, Seq: int64(seq), Data: sealed, Sum: sum[:]}); err != nil {
			return err
		}
		if err := q.AnchorBase(ctx, anchorCode(at), note); err != nil {
			return err
		}
		return q.DeleteOldBases(ctx, note)
	})
	if err != nil {
		return fmt.Errorf("save base at seq %d: %w", seq, err)
	}
	return nil
}

// endAt returns the link of a row that is not long ago: from memory, or from the newest base on.
func (db *DB) endAt(ctx context.Context, keys *keySet, note sessions.NoteID, seq uint64) (e end, err error) {
	if e, known := db.keys.endAt(keys, seq); known {
		return e, nil
	}
	err = db.reading(ctx, func(q *queries.Queries) error {
		_, from, err := newestBase(ctx, q, keys, note, end{head: seq})
		if err == nil {
			e, err = chainFrom(ctx, q, keys, note, from, seq)
		}
		if err == nil && e.head < seq {
			err = fmt.Errorf("log ends at seq %d", e.head)
		}
		return err
	})
	return e, err
}
