package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

// MaxPhrases is how many phrases one person has, and how many one unit (I10).
const MaxPhrases = 200

var (
	// ErrPhraseName means that the person or unit has another phrase of that name.
	ErrPhraseName = errors.New("another phrase has this name")
	// ErrManyPhrases means that the person or unit has [MaxPhrases].
	ErrManyPhrases = errors.New("too many phrases")
)

// Phrase is what somebody, or a unit, writes often.
type Phrase struct {
	ID       uuid.UUID
	Unit     string // whose it is; empty: it is somebody's own
	UnitName string
	Name     string // lower-case letters, digits and dashes
	Text     string // lines
	By       uuid.UUID
	ByName   string
	At       time.Time
}

// A phrase is no part of a record. It is sealed all the same: nobody knows what is pasted into it.
func phraseAt(id uuid.UUID) vault.Place {
	return vault.Place{Kind: vault.PhraseText, Schema: 1, With: id[:]}
}

func (db *DB) openPhrase(row queries.Phrase, unit, by string) (Phrase, error) {
	p := Phrase{ID: row.ID, UnitName: unit, Name: row.Name, By: row.ByID, ByName: by, At: row.At}
	if row.UnitID != nil {
		p.Unit = *row.UnitID
	}
	if db.index == nil {
		return p, ErrNoKeys
	}
	text, err := db.index.Open(phraseAt(row.ID), row.Text)
	p.Text = string(text)
	return p, err
}

// Phrases lists somebody's own phrases, then those of the units where they work, each by name. One that does not open says so.
func (db *DB) Phrases(ctx context.Context, person uuid.UUID) ([]Phrase, error) {
	rows, err := db.PhrasesFor(ctx, uuid.NullUUID{UUID: person, Valid: true})
	if err != nil {
		return nil, fmt.Errorf("list phrases: %w", err)
	}
	all := make([]Phrase, len(rows))
	for i, row := range rows {
		if all[i], err = db.openPhrase(row.Phrase, row.UnitName, row.ByName); err != nil {
			db.log.Error("phrase does not open", "phrase", row.Phrase.ID, "err", err)
			all[i].Text = Unreadable
		}
	}
	return all, nil
}

// Phrase returns one of those that [DB.Phrases] lists, or [ErrNotFound].
func (db *DB) Phrase(ctx context.Context, person, id uuid.UUID) (Phrase, error) {
	row, err := db.PhraseFor(ctx, id, uuid.NullUUID{UUID: person, Valid: true})
	if err != nil {
		return Phrase{}, fmt.Errorf("read phrase: %w", err)
	}
	p, err := db.openPhrase(row.Phrase, row.UnitName, row.ByName)
	if err != nil {
		return Phrase{}, fmt.Errorf("read phrase %s: %w", id, err)
	}
	return p, nil
}

// PutPhrase stores a phrase of p.By, or of a unit: a new one if p.ID is zero, else another name and text of it. It is an [ErrPhraseName] or an
// [ErrManyPhrases].
func (db *DB) PutPhrase(ctx context.Context, p Phrase) (uuid.UUID, error) {
	e := audit.Event{Act: audit.ChangePhrase, Code: phraseCode("changed", p.Unit)}
	if p.ID == uuid.Nil {
		p.ID, e.Code = uuid.New(), phraseCode("added", p.Unit)
	}
	e.About = p.ID
	if err := db.Act(ctx, &e, func(q *queries.Queries) error { return db.putPhrase(ctx, q, p) }); err != nil {
		return uuid.Nil, fmt.Errorf("store phrase: %w", err)
	}
	return p.ID, nil
}

func (db *DB) putPhrase(ctx context.Context, q *queries.Queries, p Phrase) error {
	if db.index == nil {
		return ErrNoKeys
	}
	row := queries.PutPhraseParams{ID: p.ID, Name: p.Name, ByID: p.By, Text: db.index.Seal(phraseAt(p.ID), []byte(p.Text))}
	owner := p.Unit
	if p.Unit != "" {
		row.Unit = &p.Unit
	} else {
		row.Person, owner = uuid.NullUUID{UUID: p.By, Valid: true}, p.By.String()
	}
	if err := q.LockPhrases(ctx, owner); err != nil {
		return err
	}
	others, err := q.PhraseNames(ctx, row.Person, row.Unit)
	if err != nil {
		return err
	}
	known := false
	for _, other := range others {
		if other.ID != p.ID && other.Name == p.Name {
			return ErrPhraseName
		}
		known = known || other.ID == p.ID
	}
	if !known && len(others) >= MaxPhrases {
		return ErrManyPhrases
	}
	return q.PutPhrase(ctx, row)
}

// RemovePhrase takes a phrase away, or is an [ErrNotFound].
func (db *DB) RemovePhrase(ctx context.Context, p Phrase) error {
	e := audit.Event{Act: audit.ChangePhrase, About: p.ID, Code: phraseCode("removed", p.Unit)}
	err := db.Act(ctx, &e, func(q *queries.Queries) error {
		if n, err := q.DeletePhrase(ctx, p.ID); err != nil || n == 1 {
			return err
		}
		return ErrNotFound
	})
	if err != nil {
		return fmt.Errorf("remove phrase: %w", err)
	}
	return nil
}

// phraseCode says for the log of acts what was done, and to whose phrases.
func phraseCode(did, unit string) string {
	if unit == "" {
		return did + " own"
	}
	return did + " unit=" + unit
}
