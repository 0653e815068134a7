package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/notekind"
	"github.com/clisonix/tidechart/server/store"
)

type retentionCmd struct {
	Status retentionStatusCmd `cmd:"" help:"Say how long records are kept, and how many are due."`
	Set    retentionSetCmd    `cmd:"" help:"Say for how many years records of a class are kept, or of which class a patient's record is."`
	Purge  retentionPurgeCmd  `cmd:"" help:"Destroy what is due, but for what is held. It may be stopped, and goes on where it was."`
}

type retentionStatusCmd struct{ database }

func (c *retentionStatusCmd) Run(ctx context.Context) error {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	return sayRetention(ctx, db)
}

// sayRetention prints the classes, and what is due by them.
func sayRetention(ctx context.Context, db *store.DB) error {
	classes, err := db.RetentionClasses(ctx)
	if err != nil {
		return fmt.Errorf("list classes: %w", err)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "CLASS\tOF\tYEARS\tRECORDS") // Flush tells
	for _, c := range classes {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t%d\n", c.RetentionClass.Code, c.RetentionClass.What, c.RetentionClass.Years, c.Records)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	unclassified, err := db.CountUnclassified(ctx)
	if err != nil {
		return fmt.Errorf("count patients: %w", err)
	}
	if unclassified > 0 {
		if err := say("%d patients are of no class yet, so that nothing of theirs is due: tidechart retention purge --keys finds out who was a minor\n", unclassified); err != nil {
			return err
		}
	}
	due, err := db.CountDue(ctx)
	if err != nil {
		return fmt.Errorf("count what is due: %w", err)
	}
	return say("due         %d notes of %d patients, of which holds keep %d\n", due.Notes, due.Patients, due.Held)
}

type retentionSetCmd struct {
	database
	keysFlags
	Class string `xor:"what" required:"" placeholder:"CLASS" help:"Class of patients: standard, minor, or one of your own."`
	Kind  string `xor:"what" required:"" placeholder:"KIND" help:"Kind of notes, such as discharge, that is kept for longer than its patient's class demands."`
	Years int    `placeholder:"N" help:"For how many years at least, from the last edit of any note about the patient, or from when they left."`
	MRN   string `placeholder:"NUMBER" help:"Medical record number of a patient whose record is of --class from now on. Needs --keys."`
}

func (c *retentionSetCmd) Run(ctx context.Context, log *slog.Logger) error {
	switch {
	case c.MRN != "" && (c.Kind != "" || c.Years != 0):
		return errors.New("--mrn goes with --class alone: it says of which class a patient is")
	case c.MRN == "" && c.Years == 0:
		return errors.New("say --years, for how long; or --mrn, of which patient")
	}
	if _, known := notekind.ByCode(c.Kind); c.Kind != "" && !known {
		return fmt.Errorf("there are no notes of kind %q", c.Kind)
	}
	db, err := openFor(ctx, c.database, c.keysFlags, c.MRN != "", log)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.MRN == "" {
		if err := db.SetRetention(ctx, c.Class+c.Kind, c.Kind != "", c.Years); err != nil {
			return err
		}
		return sayRetention(ctx, db)
	}
	row, err := db.PatientByMRN(ctx, c.MRN)
	if errors.Is(err, store.ErrNotFound) {
		return errors.New("no patient has this number")
	}
	if err == nil {
		err = db.ClassifyPatient(ctx, row.Patient.ID, c.Class)
	}
	if err != nil {
		return err
	}
	return say("the record is of class %s\n", c.Class)
}

type retentionPurgeCmd struct {
	database
	keysFlags
	DryRun bool          `help:"Say what is due, and destroy nothing."`
	Wait   time.Duration `default:"1m" help:"How long to wait until all running servers have let go of it."`
}

func (retentionPurgeCmd) Help() string {
	return `A note is due when no class keeps it any more: that of its patient, that of its kind, and the standard one, counted from the last edit of any note
about the patient or from when they left, whichever is later. Nothing is due of whoever lies in a bed. What is held (tidechart hold) stays.

A note that is purged loses its data keys, so that it opens in no backup of before that has not its keys still, and all rows of its log. When nothing
is left of a patient, who they are goes the same way. Each is on record in the log of acts, which stays whole. With --keys, it first finds out
of patients from before there were classes whether they were minors; without, nothing of theirs is due.

Nothing is purged but by this command: call it yourself, or have a timer do so (docs/retention.md).`
}

// purgedAtOnce is how many patients are looked up in one go.
const purgedAtOnce = 100

func (c *retentionPurgeCmd) Run(ctx context.Context, log *slog.Logger) error {
	withKeys := c.Keys != "" || os.Getenv("CREDENTIALS_DIRECTORY") != "" || os.Getenv(keyInEnv) != ""
	db, err := openFor(ctx, c.database, c.keysFlags, withKeys, log)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.DryRun {
		return c.sayDue(ctx, db)
	}
	return db.AloneWithKeys(ctx, func() error { return c.purge(ctx, db, withKeys) })
}

// maxSaid is how many due notes a dry run names.
const maxSaid = 1000

// sayDue prints what would go. Whose it is, who has the keys sees on the page /retention.
func (c *retentionPurgeCmd) sayDue(ctx context.Context, db *store.DB) error {
	rows, err := db.Queries.Due(ctx, maxSaid)
	if err != nil {
		return fmt.Errorf("look up what is due: %w", err)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "NOTE\tKIND\tPATIENT\tOVER SINCE\tHELD") // Flush tells
	for _, row := range rows {
		held := "no"
		if row.Held {
			held = "yes: stays"
		}
		_, _ = fmt.Fprintf(table, "%v\t%s\t%v\t%s\t%s\n", row.ID, row.Kind, row.Patient.ID, row.Ended.Local().Format(time.DateOnly), held)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return sayRetention(ctx, db)
}

func (c *retentionPurgeCmd) purge(ctx context.Context, db *store.DB, withKeys bool) error {
	if withKeys {
		if err := classify(ctx, db); err != nil {
			return err
		}
	}
	run, err := db.BeginPurge(ctx)
	if err != nil {
		return err
	}
	all, err := db.CountDue(ctx)
	if err != nil {
		return fmt.Errorf("count what is due: %w", err)
	}
	var done store.Purged
	bar := newBar(all.Notes, "notes")
	for after := uuid.Nil; ; {
		patients, err := db.PatientsDue(ctx, after, purgedAtOnce)
		if err != nil {
			return fmt.Errorf("look up what is due: %w", err)
		}
		for _, patient := range patients {
			after = patient
			one, err := db.PurgePatient(ctx, run, patient)
			if err != nil && !errors.Is(err, store.ErrHeld) && !errors.Is(err, store.ErrRetained) { // these came up at this moment: it stays
				return err
			}
			done.Add(one)
			bar.add(one.Notes + one.Held)
		}
		if len(patients) < purgedAtOnce {
			break
		}
	}
	bar.end()
	notes, people, err := db.EndPurge(ctx, run, done.Held)
	if err != nil {
		return err
	}
	if err := awaitForgetting(ctx, db, c.Wait); err != nil {
		return err
	}
	return say("run %v: %d notes are purged, %d rows of their logs, and who %d patients were; holds keep %d notes that are due\n", run, notes, done.Rows, people, done.Held)
}

// classify finds out who was a minor, of patients from before there were classes.
func classify(ctx context.Context, db *store.DB) error {
	all, err := db.CountUnclassified(ctx)
	if err != nil || all == 0 {
		return err
	}
	bar := newBar(all, "patients")
	unreadable, err := db.Classify(ctx, func() { bar.add(1) })
	bar.end()
	if err == nil && unreadable > 0 {
		err = say("%d patients do not open, and stay of no class\n", unreadable)
	}
	return err
}
