package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// writeAnew has tables written anew, one after the other, so that nothing of their rows of before is in them; nor in what Postgres knows of
// them, which is some of their values. Each is locked meanwhile, and needs its size once more on the disk.
func (db *DB) writeAnew(ctx context.Context, tables ...string) error {
	if err := db.mayWriteAnew(ctx, tables); err != nil {
		return err
	}
	if err := db.awaitSnapshots(ctx); err != nil {
		return err
	}
	for _, table := range tables {
		if err := db.vacuumFull(ctx, "FULL, ANALYZE", pgx.Identifier{table}); err != nil {
			return err
		}
	}
	if err := db.awaitSnapshots(ctx); err != nil { // of the values of before
		return err
	}
	return db.vacuumFull(ctx, "FULL", pgx.Identifier{"pg_catalog", "pg_statistic"})
}

// forgetValues has Postgres forget what it knows of the columns of tables that are empty, of which it learns nothing anew. It does so of a column
// whose type is set, were it to what it is.
func (db *DB) forgetValues(ctx context.Context, tables ...string) error {
	for _, table := range tables {
		var set string
		if err := db.commits.QueryRow(ctx, `
			SELECT string_agg(format('ALTER COLUMN %I TYPE %s', attname, format_type(atttypid, atttypmod)), ', ')
			  FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped`, table).Scan(&set); err != nil {
			return err
		}
		if _, err := db.commits.Exec(ctx, "ALTER TABLE "+pgx.Identifier{table}.Sanitize()+" "+set); err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) vacuumFull(ctx context.Context, options string, table pgx.Identifier) error {
	name := table[len(table)-1]
	var size int64
	if err := db.commits.QueryRow(ctx, "SELECT pg_total_relation_size($1::text::regclass)", table.Sanitize()).Scan(&size); err != nil {
		return err
	}
	db.log.Info("writing a table anew; nothing else can use it meanwhile", "table", name, "bytes", size)
	begin := time.Now()
	if _, err := db.commits.Exec(ctx, "VACUUM ("+options+") "+table.Sanitize()); err != nil {
		return err
	}
	db.log.Info("table written anew", "table", name, "took", time.Since(begin).Round(time.Millisecond).String())
	return nil
}

// Why a role cannot erase what tables held, of which Postgres says nothing.
var (
	// ErrUnseen means that it is not shown whose transactions are open: to it, everybody's look ended.
	ErrUnseen = errors.New("this role does not see whose transactions are open: let it (GRANT pg_read_all_stats TO …), and call this again")
	// ErrNotOwner means that it does not own the tables, or the database, whose owner has statistics written anew: VACUUM passes them over.
	ErrNotOwner = errors.New("this role does not own the database and its tables, and cannot write them anew: call this again as their owner")
)

// mayWriteAnew is an error of a role that cannot.
func (db *DB) mayWriteAnew(ctx context.Context, tables []string) error {
	var sees, owns bool
	err := db.commits.QueryRow(ctx, `
		SELECT pg_has_role('pg_read_all_stats', 'USAGE'), bool_and(pg_has_role(relowner, 'USAGE') AND pg_has_role(datdba, 'USAGE'))
		  FROM pg_class, pg_database WHERE pg_class.oid = ANY($1::text[]::regclass[]) AND datname = current_database()`, tables).Scan(&sees, &owns)
	switch {
	case err != nil:
		return err
	case !owns:
		return ErrNotOwner
	case !sees:
		return ErrUnseen
	}
	return nil
}

// ErrSnapshots means that a transaction from before is open, which may look at what tables held, so that it cannot be erased.
var ErrSnapshots = errors.New("a transaction that began before is open still, such as a dump; when it is over, call this again")

// How long writeAnew waits for transactions that began before, and how often it looks.
const (
	snapshotsPatience = time.Minute
	snapshotsEvery    = 100 * time.Millisecond
)

// olderSQL counts who may look at what was there before a transaction: Postgres keeps that for them, also in a table that is written anew.
const olderSQL = `
	SELECT count(*) FROM (
	    SELECT backend_xid AS x FROM pg_stat_activity WHERE pid <> pg_backend_pid()
	    UNION ALL SELECT backend_xmin FROM pg_stat_activity WHERE pid <> pg_backend_pid()
	    UNION ALL SELECT transaction FROM pg_prepared_xacts
	    UNION ALL SELECT xmin FROM pg_replication_slots) AS older
	 WHERE age(x) > age($1::text::xid)`

// awaitSnapshots waits until nobody looks at what was before now.
func (db *DB) awaitSnapshots(ctx context.Context) error {
	var now string
	if err := db.commits.QueryRow(ctx, "SELECT pg_current_xact_id()::xid::text").Scan(&now); err != nil {
		return err
	}
	tick := time.NewTicker(snapshotsEvery)
	defer tick.Stop()
	for begun := time.Now(); ; {
		var older int
		if err := db.commits.QueryRow(ctx, olderSQL, now).Scan(&older); err != nil || older == 0 {
			return err
		}
		if time.Since(begun) > snapshotsPatience {
			return ErrSnapshots
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
