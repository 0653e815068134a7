package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// Status is how a server says that it does.
type Status struct {
	sessions.Figures
	Streams          int           // event streams of pages
	Reading, MaxRead int           // connections to the database that pages use, and may use
	Answers          time.Duration // how long the database took to answer
	PostQuantum      uint64        // TLS connections since it began whose keys were agreed on by a post-quantum group
	Classical        uint64        // and the others
	Refused          uint64        // connections that came to nothing
	TLS              bool          // it speaks TLS itself; else nothing is known of these
}

// ServerStatus is what is known of a server.
type ServerStatus struct {
	ID          uuid.UUID
	Here        bool // it is the one that asks
	Version     string
	Began, Seen time.Time
	Running     bool // it was heard of within [holderSeen]
	Keys        []vault.KeyID
	Status
}

// TellStatus says how this server does.
func (db *DB) TellStatus(ctx context.Context, version string, began time.Time, s Status) error {
	pool := db.read.Stat()
	s.Reading, s.MaxRead = int(pool.AcquiredConns()), int(pool.MaxConns())
	asked := time.Now()
	if err := db.Ping(ctx); err != nil {
		return fmt.Errorf("ask the database: %w", err)
	}
	s.Answers = time.Since(asked)
	figures, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write figures: %w", err)
	}
	if err := db.TellServer(ctx, queries.TellServerParams{Server: db.server, Version: version, BeganAt: began, Figures: figures}); err != nil {
		return fmt.Errorf("tell how this server does: %w", err)
	}
	return nil
}

// Servers lists those that run, and those that did within an hour and have not said that they stop.
func (db *DB) Servers(ctx context.Context) ([]ServerStatus, error) {
	rows, err := db.ServerStatuses(ctx, holderSeen.Seconds())
	if err != nil {
		return nil, fmt.Errorf("list servers: %w", err)
	}
	all := make([]ServerStatus, len(rows))
	for i, row := range rows {
		one := ServerStatus{ID: row.Server, Here: row.Server == db.server, Version: row.Version, Began: row.BeganAt, Seen: row.SeenAt, Running: row.Running}
		if err := json.Unmarshal(row.Figures, &one.Status); err != nil {
			return nil, fmt.Errorf("read figures: %w", err)
		}
		for _, key := range row.Keys {
			one.Keys = append(one.Keys, vault.KeyID(key))
		}
		all[i] = one
	}
	return all, nil
}

// RecoveryKey names the recovery key that this server wraps data keys to as well; false: there is none.
func (db *DB) RecoveryKey() (id vault.KeyID, has bool) {
	if db.vault == nil {
		return id, false
	}
	return db.vault.RecoveryID()
}
