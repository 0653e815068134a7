package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
)

// Origins returns what is known of where a note's text came from, at one moment.
func (db *DB) Origins(ctx context.Context, note sessions.NoteID) (o sessions.Origins, err error) {
	err = db.transact(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(q *queries.Queries) error {
		programs, err := q.Programs(ctx, note)
		if err != nil {
			return err
		}
		o.Programs = make(map[sessions.PersonID]bool, len(programs))
		for _, id := range programs {
			o.Programs[id] = true
		}
		return readOrigins(ctx, q, note, &o)
	})
	if err != nil {
		return o, fmt.Errorf("look up where the text of note %s is from: %w", note, err)
	}
	return o, nil
}

// readOrigins reads what is known of single pieces of text.
func readOrigins(ctx context.Context, q *queries.Queries, note sessions.NoteID, o *sessions.Origins) error {
	recovered, err := q.RecoveredRanges(ctx, note)
	if err != nil {
		return err
	}
	for _, r := range recovered {
		o.Recovered = append(o.Recovered, sessions.Recovery{ClockRange: clocks(r.ClientID, r.FromClock, r.ToClock), By: r.ByID})
	}
	declared, err := q.Declared(ctx, note)
	if err != nil {
		return err
	}
	for _, r := range declared {
		d := sessions.Declaration{ClockRange: clocks(r.ClientID, r.FromClock, r.ToClock), Person: r.PersonID, How: sessions.Manner(r.How)}
		o.Declared = append(o.Declared, d)
	}
	carried, err := q.CarriedRanges(ctx, note)
	if err != nil {
		return err
	}
	for _, r := range carried {
		from := sessions.Source{Note: r.SourceID, Author: r.AuthorID.UUID, At: r.WrittenAt}
		o.Carried = append(o.Carried, sessions.Carried{ClockRange: clocks(r.ClientID, r.FromClock, r.ToClock), Source: from})
	}
	to, err := q.ComparedTo(ctx, note)
	o.CarriedTo = uint64(to)
	return err
}

func clocks(client, from, to int64) crdt.ClockRange {
	return crdt.ClockRange{Client: crdt.ClientID(client), From: uint64(from), To: uint64(to)}
}

// Declare stores what an editor says of its text. Of one person it stores no more than [sessions.MaxDeclared] for a note.
func (db *DB) Declare(ctx context.Context, note sessions.NoteID, d sessions.Declaration) error {
	err := db.InsertDeclared(ctx, queries.InsertDeclaredParams{
		Note: note, Person: d.Person, Client: int64(d.Client), FromClock: int64(d.From), ToClock: int64(d.To), How: string(d.How),
		MaxRows: sessions.MaxDeclared,
	})
	if err != nil {
		return fmt.Errorf("store what an editor says of its text: %w", err)
	}
	return nil
}

// Told returns what editors said they moved. All that was told before a row was stored is there once the head says that the row is:
// no transaction is needed to read both.
func (db *DB) Told(ctx context.Context, note sessions.NoteID, since crdt.StateVector) (sessions.Told, error) {
	t, err := db.told(ctx, note, since)
	if err != nil {
		return t, fmt.Errorf("look up what was moved in note %s: %w", note, err)
	}
	return t, nil
}

func (db *DB) told(ctx context.Context, note sessions.NoteID, since crdt.StateVector) (t sessions.Told, err error) {
	row, err := db.HeadOfNote(ctx, note)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return t, sessions.ErrNoNote
	case err != nil:
		return t, err
	case row.Destroyed:
		return t, sessions.ErrDestroyed
	}
	t.Head = uint64(row.Head)
	var clients, clocks []int64
	for client, clock := range since {
		clients, clocks = append(clients, int64(client)), append(clocks, int64(clock))
	}
	rows, err := db.Moved(ctx, clients, clocks, note)
	if err != nil {
		return t, err
	}
	for _, r := range rows {
		m := sessions.Moved{Person: r.PersonID, After: uint64(r.After), Copies: make([]crdt.Copy, len(r.Clocks))}
		for i := range r.Clocks {
			m.Copies[i] = crdt.Copy{
				To:   crdt.ID{Client: crdt.ClientID(r.ClientID), Clock: uint64(r.Clocks[i])},
				From: crdt.ID{Client: crdt.ClientID(r.FromClients[i]), Clock: uint64(r.FromClocks[i])},
				Len:  uint64(r.Lengths[i]),
			}
		}
		t.Moved = append(t.Moved, m)
	}
	t.Writers, err = writersOf(ctx, db.Queries, note)
	return t, err
}

// TellMoved stores what an editor says it moved: copies of one client, in order.
func (db *DB) TellMoved(ctx context.Context, note sessions.NoteID, person sessions.PersonID, copies []crdt.Copy) error {
	p := queries.InsertMovedParams{Note: note, Person: person, Client: int64(copies[0].To.Client), FromClock: int64(copies[0].To.Clock), MaxPieces: sessions.MaxMoved}
	for _, c := range copies {
		p.Clocks, p.Lengths = append(p.Clocks, int64(c.To.Clock)), append(p.Lengths, int64(c.Len))
		p.FromClients, p.FromClocks = append(p.FromClients, int64(c.From.Client)), append(p.FromClocks, int64(c.From.Clock))
		p.ToClock = max(p.ToClock, int64(c.To.Clock+c.Len))
	}
	if err := db.InsertMoved(ctx, p); err != nil {
		return fmt.Errorf("store what an editor says it moved: %w", err)
	}
	return nil
}

// SaveCarried stores what of a note was carried over, and up to which row that was looked for.
func (db *DB) SaveCarried(ctx context.Context, note sessions.NoteID, carried []sessions.Carried, to uint64) error {
	err := db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		for _, c := range carried {
			err := q.InsertCarried(ctx, queries.InsertCarriedParams{
				NoteID: note, ClientID: int64(c.Client), FromClock: int64(c.From), ToClock: int64(c.To),
				SourceID: c.Note, AuthorID: uuid.NullUUID{UUID: c.Author, Valid: c.Author != uuid.Nil}, WrittenAt: c.At,
			})
			if err != nil {
				return err
			}
		}
		return q.SetCompared(ctx, note, int64(to))
	})
	if err != nil {
		return fmt.Errorf("save what was carried over up to seq %d: %w", to, err)
	}
	return nil
}
