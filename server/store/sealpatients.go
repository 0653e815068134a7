package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

// sealPatients seals the patients that a version before left in the clear, and words about broken glass, as [DB.sealNotes] does notes:
// patient by patient, and whoever begins again goes on. When it has been done, words are never changed any more.
func (db *DB) sealPatients(ctx context.Context) error {
	if sealed, err := db.PatientsSealed(ctx); err != nil || sealed {
		return err
	}
	patients, err := db.PatientsInTheClear(ctx)
	if err != nil {
		return err
	}
	told := db.telling("sealing patients of an earlier version", len(patients))
	for i, patient := range patients {
		if err := db.transact(ctx, pgx.TxOptions{}, func(q *queries.Queries) error { return db.sealPatientOfBefore(ctx, q, patient) }); err != nil {
			return fmt.Errorf("patient %s: %w", patient, err)
		}
		told(i + 1)
	}
	// Whoever was stopped behind the last of them finds none, and tables that still hold what they held.
	if some, err := db.HasPatients(ctx); err != nil {
		return err
	} else if some {
		if err := db.EmptyPatientsInTheClear(ctx); err != nil {
			return err
		}
		if err := db.forgetValues(ctx, "patient_in_clear", "words_in_clear"); err != nil {
			return err
		}
		if err := db.writeAnew(ctx, "patient", "glass", "glass_review"); err != nil {
			return err
		}
	}
	return db.SetPatientsSealed(ctx)
}

func (db *DB) sealPatientOfBefore(ctx context.Context, q *queries.Queries, patient uuid.UUID) error {
	if _, err := q.LockPatient(ctx, patient); err != nil {
		return err
	}
	row, err := q.PatientInTheClear(ctx, patient)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // by another server
	}
	if err != nil {
		return err
	}
	key, err := db.newDataKey(ctx, q, vault.Name{Scope: vault.OfPatient, Owner: patient, Epoch: 1}, 1)
	if err != nil {
		return err
	}
	sealed, index, _, err := db.sealPatient(key, key, Patient{
		Mrn: row.Mrn, Family: row.Family, Given: row.Given, Title: row.Title, BirthDate: row.BirthDate, Gender: row.Gender, Allergies: row.Allergies,
	}, 0)
	if err != nil {
		return err
	}
	if _, err := q.UpdatePatient(ctx, patient, sealed, index); err != nil {
		return err
	}
	said, err := q.WordsInTheClear(ctx, patient)
	if err != nil {
		return err
	}
	for _, w := range said {
		kind, put := vault.GlassWords, q.SealGlass
		if w.Review {
			kind, put = vault.ReviewWords, q.SealReview
		}
		record, err := sealValue(key, wordsAt(kind, w.GlassID), w.Words)
		if err != nil {
			return err
		}
		if err := put(ctx, w.GlassID, record); err != nil {
			return err
		}
	}
	return q.ForgetPatientInTheClear(ctx, patient)
}
