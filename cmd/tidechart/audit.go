package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
)

// auditCmd is what an operator, an auditor and a witness do with the log of acts.
type auditCmd struct {
	Keys    auditKeysCmd    `cmd:"" help:"Public keys of the log, for auditors and witnesses: print them, or have others sign from now on."`
	Verify  auditVerifyCmd  `cmd:"" help:"Check the log, in a bundle or in the database, and name the first entry that is bad. Exit status 2: something is."`
	Export  auditExportCmd  `cmd:"" help:"Write the whole log to a bundle, which is checked anywhere, without a database."`
	Prove   auditProveCmd   `cmd:"" help:"Write a bundle of one entry, with the proof that it is in the log."`
	Accept  auditAcceptCmd  `cmd:"" help:"Say that an older state of a note was put back on purpose: it is recorded, and the note opens again."`
	Witness auditWitnessCmd `cmd:"" help:"Look at a log from another machine, sign what it shows, and refuse what does not fit what it has shown before."`
}

// foundBad is an error that says that a log is not as it should be, rather than that it could not be looked at.
type foundBad struct{ error }

// ExitCode tells scripts.
func (foundBad) ExitCode() int { return 2 }

func (e foundBad) Unwrap() error { return e.error }

// asFound marks a fault.
func asFound(err error) error {
	var fault *audit.Fault
	if errors.As(err, &fault) {
		return foundBad{err}
	}
	return err
}

// trust says what a log is compared with.
type trust struct {
	Public     string   `type:"existingfile" placeholder:"FILE" help:"Public keys of the log, as its operator gave them to you: tidechart audit keys. They may have been replaced since, or be newer than the bundle's end. Without them, the bundle's own word counts."`
	Witnessed  []string `type:"existingfile" placeholder:"FILE" help:"Checkpoint that a witness kept: what it has seen must be there. Without one, nobody knows whether the end of the log is missing."`
	WitnessKey string   `type:"existingfile" placeholder:"FILE" help:"Public keys of the witness, which must have signed that checkpoint."`
}

// check is that, for a log that says it has these keys.
func (t trust) check(own audit.Ring) (c audit.Check, err error) {
	c.Keys = own
	if t.Public != "" {
		trusted, err := readKeys(t.Public)
		if err != nil {
			return c, err
		}
		if !own.Has(trusted) { // each pair is signed for by the ones before and behind it
			return c, foundBad{fmt.Errorf("the log has other keys: %s, and not %s", own.Newest().Fingerprint(), trusted.Fingerprint())}
		}
	}
	if t.WitnessKey != "" {
		if c.Witness, err = readKeys(t.WitnessKey); err != nil {
			return c, err
		}
	}
	for _, path := range t.Witnessed {
		text, err := readSmall(path)
		if err != nil {
			return c, err
		}
		c.Witnessed = append(c.Witnessed, text)
	}
	return c, nil
}

func readKeys(path string) (audit.Keys, error) {
	text, err := readSmall(path)
	if err != nil {
		return audit.Keys{}, err
	}
	keys, err := audit.ParseKeys(string(text))
	if err != nil {
		return keys, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

// readSmall reads a file of keys or a checkpoint.
func readSmall(path string) ([]byte, error) { return readUpTo(path, audit.MaxCheckpoint) }

func readUpTo(path string, most int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err == nil && len(text) > most {
		err = fmt.Errorf("%s is longer than what it should hold", path)
	}
	return text, err
}

type auditVerifyCmd struct {
	database
	keysFlags
	trust

	Bundle string `arg:"" optional:"" type:"existingfile" help:"Bundle to check, away from any database. Without one, the database is."`
	Whole  bool   `help:"Take a bundle of the whole log only: one of some entries, each with its proof, is refused."`
}

func (c *auditVerifyCmd) Help() string {
	return `A log is good if each entry is what the signed tree has in its place, each checkpoint is signed by Ed25519 and by ML-DSA-65, and
nothing is missing that a witness has seen. A bundle of some entries, as the privacy officer exports it, is good if each is in the log: what
else is there it does not show, and --whole refuses it. In a database, each act that was recorded has to have its place, and every note also has to go as far as the log says that it had come: one that was
put back to an earlier state, or lost its end, is named. With --keys, what of the log is sealed has to open, too, and every row of every
note is read, and compared with its chain.

Exit status: 0 the log is good, 1 it could not be looked at, 2 something is wrong with it.`
}

func (c *auditVerifyCmd) Run(ctx context.Context, log *slog.Logger) error {
	if c.Bundle != "" {
		return c.bundle()
	}
	details := c.Keys != "" || os.Getenv("CREDENTIALS_DIRECTORY") != "" || os.Getenv(keyInEnv) != ""
	db, err := openFor(ctx, c.database, c.keysFlags, details, log)
	if err != nil {
		return err
	}
	defer db.Close()
	l, err := db.AuditLog(ctx, details)
	if err != nil {
		return noLog(err)
	}
	check, err := c.check(l.Keys)
	if err != nil {
		return err
	}
	bar := newBar(l.Size, "entries")
	check.Unsigned, check.Entry = true, func(audit.Sequenced) { bar.add(1) }
	report, err := audit.Verify(l.Items(ctx, l.Size), check)
	bar.end()
	if err != nil {
		return asFound(err)
	}
	waiting, err := db.CheckPlaces(ctx)
	if err != nil {
		return asFound(err)
	}
	notes, err := checkNotes(ctx, db)
	if err != nil {
		return err
	}
	how, patients := "their ends are where the log has them; with --keys all their rows are looked at", 0
	if details {
		how = "all their rows are those that the log has"
		if patients, err = checkPatients(ctx, db); err != nil {
			return err
		}
	}
	err = errors.Join(c.tell(report, check.Keys), say("waiting     %d acts, which have no place yet\nnotes       %d, %s\n", waiting, notes, how))
	if details {
		err = errors.Join(err, say("patients    %d, their records and beds are those that the log has\n", patients))
	}
	return err
}

// say prints something.
func say(format string, args ...any) error {
	_, err := fmt.Printf(format, args...)
	return err
}

// checkNotes compares all notes with the log, and returns how many there are. It prints each that is not what the log says.
func checkNotes(ctx context.Context, db *store.DB) (notes int64, err error) {
	all, err := db.CountNotes(ctx)
	if err != nil {
		return 0, fmt.Errorf("count notes: %w", err)
	}
	bar, wrong := newBar(all, "notes"), 0
	err = db.CheckNotes(ctx, func(fault error) {
		notes++
		bar.add(1)
		if fault != nil {
			wrong++
			err = errors.Join(err, say("%v\n", fault))
		}
	})
	bar.end()
	if err == nil && wrong > 0 {
		err = foundBad{fmt.Errorf("%d of %d notes are not what the log of acts says of them", wrong, notes)}
	}
	return notes, err
}

// checkPatients does the same for the records of all patients.
func checkPatients(ctx context.Context, db *store.DB) (patients int, err error) {
	bar, wrong := newBar(-1, "patients"), 0
	err = db.CheckPatients(ctx, func(fault error) {
		patients++
		bar.add(1)
		if fault != nil {
			wrong++
			err = errors.Join(err, say("%v\n", fault))
		}
	})
	bar.end()
	if err == nil && wrong > 0 {
		err = foundBad{fmt.Errorf("the records of %d of %d patients are not what the log of acts says of them", wrong, patients)}
	}
	return patients, err
}

// noLog is err, in words, if it says that there is no log.
func noLog(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return errors.New("no server has signed the log yet")
	}
	return err
}

// openFor opens the database, with its keys if what is sealed is asked for.
func openFor(ctx context.Context, d database, k keysFlags, sealed bool, log *slog.Logger) (*store.DB, error) {
	if !sealed {
		return d.open(ctx)
	}
	return d.openSealed(ctx, k, log)
}

func (c *auditVerifyCmd) bundle() error {
	f, err := os.Open(c.Bundle)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return err
	}
	bar := newBar(info.Size(), "bytes")
	b, err := audit.OpenBundle(io.TeeReader(f, bar))
	if err != nil {
		return asFound(fmt.Errorf("%s: %w", c.Bundle, err))
	}
	if b.Selection && c.Whole {
		return foundBad{fmt.Errorf("%s is a selection: it does not show the whole log", c.Bundle)}
	}
	check, err := c.check(b.Keys)
	if err != nil {
		return err
	}
	report, err := b.Verify(check)
	bar.end()
	if err != nil {
		return asFound(err)
	}
	return c.tell(report, check.Keys)
}

// tell says what was found good, and what that rests on.
func (c *auditVerifyCmd) tell(r audit.Report, keys audit.Ring) error {
	whose := "as you gave them"
	if keys.Len() > 1 {
		whose = fmt.Sprintf("the newest of %d pairs, each signed for by the one before; one is as you gave it", keys.Len())
	}
	if c.Public == "" {
		whose = "the log's own word; compare the fingerprint with what the operator gave you, or give --public"
	}
	_, err := fmt.Printf("%s\nlog         %s\nkeys        %s, %s\nentries     %s\ncheckpoints %d, the newest of %s, %s ago\ndetails     %d opened\nfreshness   %s\n",
		verdict(r), keys.Name(), keys.Newest().Fingerprint(), whose, entriesText(r), r.Checkpoints, r.Newest.At.Local().Format(time.DateTime),
		time.Since(r.Newest.At).Round(time.Second), r.Details, freshText(r, len(c.Witnessed) > 0))
	return err
}

func verdict(r audit.Report) string {
	if r.Selection {
		return "good, as a selection"
	}
	return "good"
}

func entriesText(r audit.Report) string {
	if r.Selection {
		return fmt.Sprintf("a selection: %d of %d; what is between is not shown", r.Entries, r.Newest.Size)
	}
	return fmt.Sprintf("%d, %d more are not signed for yet", r.Entries, r.Unsigned)
}

// freshText says whether the end of the log may be missing.
func freshText(r audit.Report, witnessed bool) string {
	at := r.Witnessed.At.Local().Format(time.DateTime)
	switch {
	case r.Fresh && r.Selection:
		return fmt.Sprintf("the log had the tree that a witness saw by %s; what else is in that, this does not show", at)
	case r.Fresh:
		return fmt.Sprintf("all %d entries that a witness saw by %s are there", r.Witnessed.Size, at)
	case witnessed:
		return "unknown: the witness saw the log with another number of entries, which a selection cannot be compared with"
	default:
		return "unknown: no --witnessed checkpoint was given; the end may be missing"
	}
}

type auditExportCmd struct {
	database
	keysFlags

	File    string `arg:"" type:"path" help:"File to write. One that is there is left alone."`
	Details bool   `help:"With what is sealed: from where people acted, and what they looked for. Needs --keys."`
}

func (c *auditExportCmd) Run(ctx context.Context, log *slog.Logger) error {
	db, err := openFor(ctx, c.database, c.keysFlags, c.Details, log)
	if err != nil {
		return err
	}
	defer db.Close()
	// That it was handed out is in the log, though not yet in what is.
	if err := db.Record(ctx, audit.Event{Act: audit.ExportLog, Code: fmt.Sprintf("whole details=%t", c.Details)}); err != nil {
		return err
	}
	l, err := db.AuditLog(ctx, c.Details)
	if err != nil {
		return noLog(err)
	}
	bar := newBar(l.Signed, "entries")
	err = writeNew(c.File, func(w io.Writer) error {
		out, err := audit.NewBundle(w, l.Keys, false)
		if err != nil {
			return err
		}
		for item, err := range l.Items(ctx, l.Signed) {
			if err != nil {
				return err
			}
			if item.Entry != nil {
				bar.add(1)
			}
			if err := out.Write(item); err != nil {
				return err
			}
		}
		return out.Close()
	})
	bar.end()
	if err == nil {
		_, err = fmt.Printf("%d entries in %s; check them with tidechart audit verify\n", l.Signed, c.File)
	}
	return asFound(err)
}

type auditProveCmd struct {
	database
	keysFlags

	Entry   int64  `arg:"" help:"Number of the entry in the log, from 0."`
	File    string `arg:"" type:"path" help:"File to write. One that is there is left alone."`
	Details bool   `help:"With what is sealed of it. Needs --keys."`
}

func (c *auditProveCmd) Run(ctx context.Context, log *slog.Logger) error {
	db, err := openFor(ctx, c.database, c.keysFlags, c.Details, log)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Record(ctx, audit.Event{Act: audit.ExportLog, Code: fmt.Sprintf("entry=%d details=%t", c.Entry, c.Details)}); err != nil {
		return err
	}
	l, err := db.AuditLog(ctx, c.Details)
	if err != nil {
		return noLog(err)
	}
	s, err := l.Prove(ctx, c.Entry)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("the log has %d entries that are signed for, from 0 on", l.Signed)
	}
	if err != nil {
		return asFound(err)
	}
	err = writeNew(c.File, func(w io.Writer) error {
		out, err := audit.NewBundle(w, l.Keys, true)
		if err == nil {
			err = errors.Join(out.Write(audit.Item{Checkpoint: l.Newest}), out.Write(audit.Item{Entry: &s}), out.Close())
		}
		return err
	})
	if err == nil {
		_, err = fmt.Printf("%s\nentry %d of %d is proven in %s\n", s.Leaf, c.Entry, l.Signed, c.File)
	}
	return err
}

// writeNew writes a file that is not there yet, which only its owner reads; nobody ever finds half of it.
func writeNew(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new") // mode 0600
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path) // fails if there is one
	}
	return errors.Join(err, os.Remove(f.Name()))
}

// bar shows how far something has come, on a terminal.
type bar struct{ shown *progressbar.ProgressBar }

func newBar(size int64, what string) bar {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return bar{progressbar.DefaultSilent(size)}
	}
	return bar{progressbar.NewOptions64(size, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())}
}

func (b bar) add(n int) { _ = b.shown.Add(n) } // only how it looks

func (b bar) Write(p []byte) (int, error) {
	b.add(len(p))
	return len(p), nil
}

func (b bar) end() { _ = b.shown.Finish() }
