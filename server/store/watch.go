package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/clisonix/tidechart/server/store/queries"
)

// watchTimeout bounds each statement of a [Watch]: one that takes longer sees nothing.
const watchTimeout = 2 * time.Second

// AccessChange is one change of who may do what, or of what pages show. One of its fields says whom it concerns; with none, anybody.
type AccessChange struct {
	Person uuid.UUID
	Login  string // as the hash of its secret, base64url
	Note   uuid.UUID

	Destroyed uuid.UUID // a note or a patient; their keys are forgotten by then

	// Nobody's access.
	Glass  bool      // glass was broken, reviewed or looked at
	Unit   string    // boards of that unit show something else
	Nudged uuid.UUID // a person, whose pages tell something else of notes
}

// Watch is a connection that hears of every change of access. It belongs to one goroutine.
type Watch struct {
	db      *DB
	conn    *pgx.Conn
	version int64    // of the last change heard of
	heard   []string // payloads since
}

// WatchAccess begins to listen. Changes committed before it returns are not told: since says up to which version
// the caller knows them.
func (db *DB) WatchAccess(ctx context.Context, since int64) (*Watch, error) {
	w := &Watch{db: db, version: since}
	config := db.read.Config().ConnConfig
	config.RuntimeParams["application_name"] = "tidechart-access" // so that an operator can tell it
	config.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) { w.heard = append(w.heard, n.Payload) }
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("watch access: %w", err)
	}
	if _, err := conn.Exec(ctx, "LISTEN access"); err != nil {
		_ = conn.Close(ctx) // nothing was written
		return nil, fmt.Errorf("watch access: %w", err)
	}
	w.conn = conn
	return w, nil
}

// Close ends the connection.
func (w *Watch) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), watchTimeout)
	defer cancel()
	_ = w.conn.Close(ctx) // nothing was written
}

// Next waits for a change, but not longer than patience, and returns all that has changed since it was called last
// and before asked, and the version that is. It knows that it missed one, and then says that anything may have changed.
func (w *Watch) Next(ctx context.Context, patience time.Duration) (changes []AccessChange, version int64, asked time.Time, err error) {
	if len(w.heard) == 0 && patience > 0 {
		wait, cancel := context.WithTimeout(ctx, patience)
		_, err = w.conn.WaitForNotification(wait)
		cancel()
		if err != nil && (ctx.Err() != nil || wait.Err() == nil || w.conn.IsClosed()) {
			return nil, 0, asked, fmt.Errorf("watch access: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	asked = time.Now()
	version, err = queries.New(w.conn).AccessVersion(ctx)
	if err == nil && w.missed(version) { // it may be on its way behind the answer
		err = w.conn.Ping(ctx)
	}
	if err != nil {
		return nil, 0, asked, fmt.Errorf("watch access: %w", err)
	}
	if w.missed(version) {
		changes = []AccessChange{{}}
		destroyed, err := w.db.destroyedInMemory(ctx, queries.New(w.conn))
		if err != nil {
			return nil, 0, asked, fmt.Errorf("watch access: %w", err)
		}
		w.db.forget(uuid.Nil) // what is being looked up is not kept
		for _, id := range destroyed {
			changes = append(changes, AccessChange{Destroyed: id})
		}
	}
	for _, payload := range w.heard {
		at, change := parseChange(payload)
		changes = append(changes, change)
		version = max(version, at)
	}
	for _, c := range changes {
		if c.Destroyed != uuid.Nil {
			w.db.forget(c.Destroyed)
		}
	}
	w.version, w.heard = version, nil
	return changes, version, asked, nil
}

// missed reports whether not every change up to version was heard of.
func (w *Watch) missed(version int64) bool {
	heard := make(map[int64]bool, len(w.heard))
	for _, payload := range w.heard {
		if at, _ := parseChange(payload); at > w.version && at <= version {
			heard[at] = true
		}
	}
	return int64(len(heard)) != version-w.version
}

// parseChange reads a payload of migration 0005. What it does not understand concerns anybody.
func parseChange(payload string) (version int64, c AccessChange) {
	at, subject, _ := strings.Cut(payload, " ")
	version, _ = strconv.ParseInt(at, 10, 64)
	kind, name, _ := strings.Cut(subject, " ")
	switch kind {
	case "person":
		c.Person, _ = uuid.Parse(name)
	case "note":
		c.Note, _ = uuid.Parse(name)
	case "login":
		c.Login = name
	case "destroyed":
		c.Destroyed, _ = uuid.Parse(name)
	case "glass":
		c.Glass = true
	case "unit":
		c.Unit = name
	case "nudge":
		c.Nudged, _ = uuid.Parse(name)
	}
	return version, c
}
