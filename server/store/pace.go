package store

import (
	"context"
	"fmt"
	"time"
)

// How work is done that can wait, while people may be at work: in steps of some milliseconds with rests, and in shorter ones with long
// rests as soon as others commit. What holds a core for three milliseconds of eight, however nice, makes the slowest keystrokes of a hundred
// half as slow again on a machine of two cores.
const (
	paceLook   = time.Second // how often it looks what others do; Postgres tells no sooner
	paceOthers = 20          // commits a second of others that mean that people are at work

	restAlone = 3. / 4 // how long a rest is, by what the step took
	restAmong = 20.
)

// everybodysCommits is as far as they have told.
const everybodysCommits = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"

// pace says how fast to go. Its owner is who works.
type pace struct {
	db      *DB
	looked  time.Time
	commits int64 // of everybody, when it looked
	own     int64 // since then
	among   bool  // others are at work, as far as is known
	hurry   bool  // which is to be passed over
}

// newPace supposes that others are at work until it knows better, unless there is a hurry.
func newPace(db *DB, hurry bool) *pace { return &pace{db: db, among: !hurry, hurry: hurry} }

// step returns how much to do at once, of as much as may be.
func (p *pace) step(most int) int {
	if p.among {
		return 1
	}
	return most
}

// rest is called after a step, of one commit, that took so long.
func (p *pace) rest(ctx context.Context, took time.Duration) error {
	if p.hurry {
		return ctx.Err()
	}
	p.own++
	factor := restAlone
	if p.among {
		factor = restAmong
	}
	if err := rest(ctx, time.Duration(float64(took)*factor)); err != nil {
		return err
	}
	if time.Since(p.looked) < paceLook {
		return nil
	}
	return p.look(ctx)
}

func (p *pace) look(ctx context.Context) error {
	var now int64
	if err := p.db.commits.QueryRow(ctx, everybodysCommits).Scan(&now); err != nil {
		return fmt.Errorf("count commits: %w", err)
	}
	if since := time.Since(p.looked); !p.looked.IsZero() {
		p.among = float64(now-p.commits-p.own) > paceOthers*since.Seconds()
	}
	p.looked, p.commits, p.own = time.Now(), now, 0
	return nil
}
