package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
)

// maxMentions is how often people can be named in one note; of more the first are told (I10).
const maxMentions = 500

// saveMentions brings note_mention up to date, and tells whoever is named where they were not. What an editor deletes and inserts anew, to
// split a paragraph or to undo, names nobody anew. Who is named no more has nothing to look at.
func saveMentions(ctx context.Context, q *queries.Queries, note sessions.NoteID, mentions []prose.PlacedMention, whose func(clientID) uuid.UUID) error {
	rows, err := q.MentionsOfNote(ctx, note)
	if err != nil || len(rows) == 0 && len(mentions) == 0 {
		return err
	}
	was := make(map[crdt.ID]uuid.UUID, len(rows))
	for _, row := range rows {
		was[crdt.ID{Client: crdt.ClientID(row.Client), Clock: uint64(row.Clock)}] = row.PersonID
	}
	named := make(map[uuid.UUID]bool)
	var came []prose.PlacedMention
	for _, m := range mentions {
		person, err := uuid.Parse(m.Person)
		if err != nil {
			continue
		}
		named[person] = true
		if was[m.ID] == person {
			delete(was, m.ID)
		} else {
			came = append(came, m)
		}
	}
	moved := make(map[uuid.UUID]int)
	for id, person := range was {
		if moved[person]++; !named[person] {
			if err := q.UntellMention(ctx, note, person); err != nil {
				return err
			}
		}
		if err := q.DeleteMention(ctx, note, int64(id.Client), int64(id.Clock)); err != nil {
			return err
		}
	}
	for _, m := range came {
		person := uuid.MustParse(m.Person)
		known, err := q.SaveMention(ctx, queries.SaveMentionParams{NoteID: note, Client: int64(m.ID.Client), Clock: int64(m.ID.Clock), Person: person})
		if err != nil {
			return err
		}
		if moved[person]--; known == 0 || moved[person] >= 0 {
			continue
		}
		if err := q.TellOfMention(ctx, note, person, whose(m.Author)); err != nil {
			return err
		}
	}
	return nil
}
