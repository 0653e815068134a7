package store

import (
	"context"
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
		if o.Writers, err = writersOf(ctx, q, note); err != nil {
			return err
		}
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
