package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
)

// Rhythm of what is tidied up while people work.
const (
	sweepEvery  = time.Hour        // what has expired
	foldEvery   = 10 * time.Minute // what of the log is old
	foldTimeout = 2 * time.Minute  // of one time; what is left over is folded the next

	countEvery   = 3 * time.Second // what people have written
	countTimeout = time.Minute     // likewise
	tellAgain    = 10 * time.Minute

	tasksEvery    = time.Second      // tasks of notes that people write in
	allTasksEvery = 10 * time.Minute // of all, should a crash have kept some from being read
	tasksTimeout  = 9 * time.Minute  // of one time; what is left over is read the next
)

// tidy deletes what has expired and folds what is old, now and then, until ctx ends.
func tidy(ctx context.Context, log *slog.Logger, db *store.DB) {
	go each(ctx, foldEvery, func() { fold(ctx, log, db) })
	live, all := new(tasking), new(tasking)
	go each(ctx, tasksEvery, func() { live.read(ctx, log, db, false) })
	go each(ctx, allTasksEvery, func() { all.read(ctx, log, db, true) })
	counting := new(counting)
	go each(ctx, countEvery, func() { counting.count(ctx, log, db) })
	each(ctx, sweepEvery, func() {
		if err := db.Sweep(ctx); err != nil && ctx.Err() == nil {
			log.Warn("expired rows stay for now", "err", err)
		}
		if n, err := db.ThinCheckpoints(ctx); err != nil && ctx.Err() == nil {
			log.Warn("old checkpoints stay for now", "err", err)
		} else if n > 0 {
			log.Info("old checkpoints thinned out", "checkpoints", n)
		}
	})
}

// each calls f at once, and then every so often until ctx ends.
func each(ctx context.Context, every time.Duration, f func()) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		f()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// fold folds the older part of notes' logs. Rows that are not folded are only larger.
func fold(ctx context.Context, log *slog.Logger, db *store.DB) {
	limit, cancel := context.WithTimeout(ctx, foldTimeout)
	defer cancel()
	done, err := db.FoldLogs(limit, time.Now().Add(-sessions.FoldAge))
	if done.Rows > 0 {
		log.Info("logs folded", "rows", done.Rows, "bursts", done.Bursts, "bytes", done.From, "into", done.To)
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) {
		log.Error("logs not folded", "err", err)
	}
}

// counting counts what people have written, and says of what it cannot count once in a while.
type counting struct{ told time.Time }

func (c *counting) count(ctx context.Context, log *slog.Logger, db *store.DB) {
	limit, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	_, err := db.CountSessions(limit)
	if err != nil && ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) && time.Since(c.told) > tellAgain {
		c.told = time.Now()
		log.Error("what was written in sessions not counted", "err", err)
	}
}

// tasking reads the tasks of notes, and says of what it cannot read once in a while.
type tasking struct{ told time.Time }

func (t *tasking) read(ctx context.Context, log *slog.Logger, db *store.DB, all bool) {
	limit, cancel := context.WithTimeout(ctx, tasksTimeout)
	defer cancel()
	_, err := db.ReadTasks(limit, all)
	if err != nil && ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) && time.Since(t.told) > tellAgain {
		t.told = time.Now()
		log.Error("tasks of notes not read", "err", err)
	}
}
