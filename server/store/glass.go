package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

// BreakGlass opens a record to somebody for a time, who said why in words of theirs, which is told to who has to know; ties are
// what linked them without it.
func (db *DB) BreakGlass(ctx context.Context, g queries.BreakGlassParams, words, ties string) (err error) {
	if g.Words, err = db.sealWords(ctx, g.Patient, vault.GlassWords, g.ID, words); err != nil {
		return err
	}
	e := audit.Event{Act: audit.BreakGlass, Who: g.Person, Patient: g.Patient, About: g.ID, Code: "reason=" + g.Reason}
	return db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error {
		if _, err := q.BreakGlass(ctx, g); err != nil {
			return err
		}
		return db.recordOpening(ctx, q, Opening{Person: g.Person, Patient: g.Patient, How: "glass", Ties: ties}, e)
	})
}

// ReviewGlass says what somebody else found about broken glass, of that patient, once: who comes second changes nothing.
func (db *DB) ReviewGlass(ctx context.Context, r queries.ReviewGlassParams, patient uuid.UUID, words string) (err error) {
	if r.Words, err = db.sealWords(ctx, patient, vault.ReviewWords, r.GlassID, words); err != nil {
		return err
	}
	e := audit.Event{Act: audit.ReviewGlass, Who: r.ByID, Patient: patient, About: r.GlassID, Code: "finding=" + r.Finding}
	return db.Act(ctx, &e, func(q *queries.Queries) error {
		n, err := q.ReviewGlass(ctx, r)
		if n == 0 {
			e.Code += " too late"
		}
		return err
	})
}
