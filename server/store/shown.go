package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
)

// ShowClient records which client id others know a window by.
func (db *DB) ShowClient(ctx context.Context, participation uuid.UUID, client crdt.ClientID) error {
	id := int64(client)
	if err := db.Queries.ShowClient(ctx, participation, &id); err != nil {
		return fmt.Errorf("record client id: %w", err)
	}
	return nil
}

// shownAt says whose the client ids are that were shown at a note and have not written.
func shownAt(ctx context.Context, q *queries.Queries, note sessions.NoteID) (map[crdt.ClientID]sessions.PersonID, error) {
	rows, err := q.ShownClients(ctx, note, time.Now().Add(-sessions.ReservedFor), sessions.MaxReserved)
	if err != nil {
		return nil, err
	}
	shown := make(map[crdt.ClientID]sessions.PersonID, len(rows))
	for _, row := range rows {
		shown[crdt.ClientID(row.ClientID)] = row.PersonID
	}
	return shown, nil
}
