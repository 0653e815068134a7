package store

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
)

// SaveFindings stores what a search found, and how far it went, in one transaction.
func (db *DB) SaveFindings(ctx context.Context, note sessions.NoteID, seq uint64, found []sessions.Loss) error {
	err := db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		for _, l := range found {
			if err := q.InsertLoss(ctx, lossParams(note, l)); err != nil {
				return err
			}
		}
		return q.SetSearched(ctx, note, int64(seq))
	})
	if err != nil {
		return fmt.Errorf("save what was found up to seq %d: %w", seq, err)
	}
	return nil
}

func lossParams(note sessions.NoteID, l sessions.Loss) queries.InsertLossParams {
	p := queries.InsertLossParams{
		NoteID: note, Seq: int64(l.Seq), Part: int16(l.Part), AuthorID: l.Author, ByID: l.By, BySeq: int64(l.BySeq),
		Replaced: l.Replaced, FirstSeq: int64(l.FirstSeq),
		PlaceClients: []int64{}, PlaceClocks: []int64{}, At: l.At,
	}
	for _, r := range l.Text {
		p.Clients, p.Clocks = append(p.Clients, int64(r.Client)), append(p.Clocks, int64(r.From))
		p.Lengths, p.Paragraphs = append(p.Lengths, int64(r.To-r.From)), append(p.Paragraphs, int64(r.Paragraph))
	}
	for _, id := range l.Place {
		p.PlaceClients, p.PlaceClocks = append(p.PlaceClients, int64(id.Client)), append(p.PlaceClocks, int64(id.Clock))
	}
	return p
}

// writersOf says whose each client id of a note is.
func writersOf(ctx context.Context, q *queries.Queries, note sessions.NoteID) (map[crdt.ClientID]sessions.PersonID, error) {
	rows, err := q.Writers(ctx, note)
	if err != nil {
		return nil, err
	}
	writers := make(map[crdt.ClientID]sessions.PersonID, len(rows))
	for _, w := range rows {
		writers[crdt.ClientID(w.ClientID)] = w.PersonID.UUID
	}
	return writers, nil
}

// Losses lists losses of a note.
func (db *DB) Losses(ctx context.Context, note sessions.NoteID, q sessions.LossQuery) ([]sessions.Loss, error) {
	params := queries.LossesParams{
		Note: note, BeforeSeq: math.MaxInt64, Author: uuid.NullUUID{UUID: q.Author, Valid: q.Author != uuid.Nil},
		Waiting: q.Waiting, MaxRows: int32(q.Limit),
	}
	if q.Before != (sessions.LossID{}) {
		params.BeforeSeq, params.BeforePart = int64(q.Before.Seq), int16(q.Before.Part)
	}
	rows, err := db.Queries.Losses(ctx, params)
	if err != nil {
		return nil, fmt.Errorf("list losses of note %s: %w", note, err)
	}
	losses := make([]sessions.Loss, len(rows))
	for i, row := range rows {
		losses[i] = lossOf(row)
	}
	return losses, nil
}

func lossOf(row queries.LossesRow) sessions.Loss {
	n := row.NoteLoss
	l := sessions.Loss{
		LossID: sessions.LossID{Seq: uint64(n.Seq), Part: int(n.Part)}, Author: n.AuthorID, By: n.ByID, BySeq: uint64(n.BySeq),
		Replaced: n.Replaced, FirstSeq: uint64(n.FirstSeq), At: n.At,
	}
	for i, client := range n.Clients {
		from := uint64(n.Clocks[i])
		l.Text = append(l.Text, sessions.LostRange{
			ClockRange: crdt.ClockRange{Client: crdt.ClientID(client), From: from, To: from + uint64(n.Lengths[i])},
			Paragraph:  int(n.Paragraphs[i]),
		})
	}
	for i, client := range n.PlaceClients {
		l.Place = append(l.Place, crdt.ID{Client: crdt.ClientID(client), Clock: uint64(n.PlaceClocks[i])})
	}
	if row.How != nil && row.SettledAt != nil {
		l.Settled = &sessions.Settlement{How: sessions.Remedy(*row.How), At: *row.SettledAt}
	}
	return l
}

// SettleLosses records what an author did about lost text.
func (db *DB) SettleLosses(ctx context.Context, note sessions.NoteID, author sessions.PersonID, losses []sessions.LossID, how sessions.Remedy) (int, error) {
	settled := 0
	err := db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		for _, id := range losses {
			n, err := q.SettleLoss(ctx, queries.SettleLossParams{
				Note: note, Seq: int64(id.Seq), Part: int16(id.Part), Author: author, How: string(how),
			})
			if err != nil {
				return err
			}
			settled += int(n)
		}
		if settled == 0 {
			return nil
		}
		return db.recordAbout(ctx, q, note, audit.Event{Act: audit.SettleLoss, Who: author, Code: fmt.Sprintf("%s=%d", how, settled)})
	})
	if err != nil {
		return 0, fmt.Errorf("settle losses of note %s: %w", note, err)
	}
	return settled, nil
}

// Searched says up to where a note was searched for losses.
func (db *DB) Searched(ctx context.Context, note sessions.NoteID) (head, seq uint64, err error) {
	row, err := db.Queries.Searched(ctx, note)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, 0, sessions.ErrNoNote
	}
	if err != nil {
		return 0, 0, fmt.Errorf("look up what of note %s was searched: %w", note, err)
	}
	return uint64(row.Head), uint64(row.Seq), nil
}
