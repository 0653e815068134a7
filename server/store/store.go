// Package store keeps Tidechart's record in Postgres: the log of every note, what is derived from it,
// and the hospital around it. It is the only package beside the audit log that speaks to the database.
//
// Queries are SQL files under queries/, compiled to typed Go by sqlc. The one statement that the product's
// promises rest on, append, is sql/append.sql.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/clisonix/tidechart/migrations"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions/history"
)

// Limits of the connection pools (I10).
const (
	maxReadConns   = 16               // pages, API, loads
	maxCommitConns = 2                // the group committer alone
	connectTimeout = 5 * time.Second  // for one connection attempt
	readTimeout    = 10 * time.Second // for one statement outside the committer
	letGoTimeout   = 3 * time.Second  // for the last word of a server that stops
	migrateTurn    = 300              // seconds that a server waits for others to migrate
	idleTimeout    = time.Minute      // for a transaction between two statements: it keeps acts from being sequenced
)

// IsBadValue reports whether a query failed because of a value that no column can hold, such as text with a NUL.
func IsBadValue(err error) bool {
	var refusal *pgconn.PgError
	return errors.As(err, &refusal) && strings.HasPrefix(refusal.Code, "22") // data exception
}

// IsTaken reports whether a row was refused because there is one of its name.
func IsTaken(err error) bool {
	var refusal *pgconn.PgError
	return errors.As(err, &refusal) && refusal.Code == "23505" // unique violation
}

// isMissing reports whether a row was refused because what it refers to is not there.
func isMissing(err error) bool {
	var refusal *pgconn.PgError
	return errors.As(err, &refusal) && refusal.Code == foreignKeyViolation
}

// ErrNotFound is what a query for one row returns when there is none.
var ErrNotFound = pgx.ErrNoRows

var errMalformedURL = errors.New("the database url is not one Postgres understands, as in postgres://user@host/name")

// DB is the database. The typed queries of package queries are its methods.
type DB struct {
	*queries.Queries
	read *pgxpool.Pool
	// commits has its own connections, so that no page can keep an edit waiting,
	// and no statement timeout: a commit is never cancelled, only awaited.
	commits *pgxpool.Pool
	vault   *vault.Vault // nil: what is sealed stays so
	keys    *keyCache    // of notes
	whose   *keyCache    // of patients
	index   *vault.Key   // of hashes by which something is found; set by Open
	server  uuid.UUID    // by which others know whose keys these are
	log     *slog.Logger

	// Pasts are what notes have been through that somebody looks through, signs or copies.
	Pasts history.Pasts

	forgot   atomic.Int64              // up to which change of access this server has let go of what was destroyed
	editing  *editing                  // whose edits are on record
	faults   *faults                   // that are on record
	anchors  *anchors                  // which notes' logs are not as far in the log of acts as they have come
	auditKey atomic.Pointer[vault.Key] // seals what is new in the log of acts; nil: there is no vault

	signsNotes atomic.Pointer[noteSigner] // the last that were opened
	freshSince atomic.Pointer[time.Time]  // data keys of before are worn; nil: none are
}

// Option changes how a database is opened.
type Option func(*DB)

// WithLog has what takes long told to a log.
func WithLog(log *slog.Logger) Option { return func(db *DB) { db.log = log } }

// Open connects to the Postgres at url and brings its schema up to date. What the database holds is sealed by v; the
// first time, what an older version left in the clear is sealed, too, which may take long and is told to the log. The error is
// [ErrOtherKeys] or [ErrInTheClear] if this is not its database. Without v, which is for commands that need nothing of it, what is
// sealed is neither read nor written.
func Open(ctx context.Context, url string, v *vault.Vault, options ...Option) (*DB, error) {
	db, err := connect(ctx, url, v)
	if err != nil {
		return nil, err
	}
	for _, o := range options {
		o(db)
	}
	if v == nil {
		return db, nil
	}
	err = db.adopt(ctx)
	if err == nil {
		err = db.sealNotes(ctx)
	}
	if err == nil {
		err = db.chainNotes(ctx)
	}
	if err == nil {
		_, err = db.auditKeys(ctx)
	}
	if err == nil {
		err = db.openIndex(ctx)
	}
	if err == nil {
		err = db.sealPatients(ctx)
	}
	if err == nil {
		err = db.markRecords(ctx)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("seal database: %w", err)
	}
	return db, nil
}

func connect(ctx context.Context, url string, v *vault.Vault) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errMalformedURL // pgx quotes the url, password and all
	}
	config.ConnConfig.ConnectTimeout = connectTimeout
	config.ConnConfig.RuntimeParams["application_name"] = "tidechart"
	config.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = fmt.Sprint(idleTimeout.Milliseconds())

	commits := config.Copy()
	commits.MaxConns = maxCommitConns
	commits.ConnConfig.RuntimeParams["statement_timeout"] = "0" // whatever the role or the url says
	config.MaxConns = maxReadConns
	config.ConnConfig.RuntimeParams["statement_timeout"] = fmt.Sprint(readTimeout.Milliseconds())

	if err := migrate(ctx, commits.ConnConfig); err != nil {
		return nil, err
	}
	steady(commits.ConnConfig.RuntimeParams)
	read, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	commit, err := pgxpool.NewWithConfig(ctx, commits)
	if err != nil {
		read.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	db := &DB{
		Queries: queries.New(read), read: read, commits: commit, vault: v, keys: newKeyCache(), whose: newKeyCache(), server: uuid.New(), log: slog.New(slog.DiscardHandler),
		editing: &editing{begun: make(map[sitting]time.Time)}, anchors: &anchors{notes: make(map[uuid.UUID]anchoring)}, faults: &faults{told: make(map[uuid.UUID]time.Time)},
	}
	db.forgot.Store(-1)
	return db, nil
}

// steady has commits find their rows by key, by a plan made once. A planner that has no figures of a new table, and of
// no array its length, would rather read all of "note" for each commit.
func steady(params map[string]string) {
	params["plan_cache_mode"] = "force_generic_plan"
	params["enable_seqscan"] = "off"
	params["jit"] = "off"
}

// Close releases every connection; it waits for those in use.
func (db *DB) Close() {
	if db.vault != nil {
		ctx, cancel := context.WithTimeout(context.Background(), letGoTimeout)
		_ = db.LetGoOfKeys(ctx, db.server)  // best effort: soon this server counts no more
		_ = db.ForgetServer(ctx, db.server) // likewise
		cancel()
	}
	db.read.Close()
	db.commits.Close()
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.read.Ping(ctx) }

// transact runs f in one transaction, which commits if f returns nil.
func (db *DB) transact(ctx context.Context, opts pgx.TxOptions, f func(q *queries.Queries) error) error {
	return pgx.BeginTxFunc(ctx, db.read, opts, func(tx pgx.Tx) error { return f(queries.New(tx)) })
}

func migrate(ctx context.Context, config *pgx.ConnConfig) error {
	conn := stdlib.OpenDB(*config)
	defer func(conn *sql.DB) { _ = conn.Close() }(conn) // nothing was written that Close could lose
	// Servers that start at once take turns: the lock is the connection's, and goes with it.
	turns, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, migrateTurn))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, conn, migrations.FS, goose.WithSessionLocker(turns))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	return nil
}
