package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/server/vault/transit"
)

type keysStatusCmd struct {
	database
	keysFlags
}

// errKeysWrong ends a status that is not good; what is wrong was printed.
var errKeysWrong = errors.New("the database and the key do not fit")

func (c *keysStatusCmd) Run(ctx context.Context, log *slog.Logger) error {
	source, err := c.orDemo(c.keysFlags).source(log)
	if err != nil {
		return err
	}
	v, err := sourceStatus(ctx, log, source)
	if err != nil {
		return err
	}
	return c.with(ctx, func(db *store.DB) error { return keysStatus(ctx, db, v) })
}

// sourceStatus says where keys are, and opens them there; a key service is asked whether it answers.
func sourceStatus(ctx context.Context, log *slog.Logger, source *keySource) (*vault.Vault, error) {
	limit, cancel := context.WithTimeout(ctx, kmsTimeout)
	defer cancel()
	begin, how := time.Now(), ""
	v, err := source.vault(limit, log)
	switch {
	case source.service == nil:
	case err == nil:
		how = fmt.Sprintf(", sealed by %v, version %s, which opened it in %v", source.service, source.version(), time.Since(begin).Round(time.Millisecond))
	case errors.Is(err, transit.ErrAway), errors.Is(err, transit.ErrRefused):
		how = fmt.Sprintf(", sealed by %v, which does NOT open it", source.service)
	}
	if _, printErr := fmt.Printf("source           %v%s\n", source, how); printErr != nil {
		return nil, printErr
	}
	return v, err
}

// ofWhat are what data keys are of, as it is printed, in its order.
var ofWhat = []struct {
	scope vault.Scope
	what  string
}{{vault.OfPerson, "people"}, {vault.OfPatient, "patients"}, {vault.OfNote, "notes"}, {vault.OfHospital, "the hospital"}, {vault.OfAudit, "the log of acts"}}

// keysReport is what there is to say about a database's keys.
type keysReport struct {
	keys           []usedKey // the newest first
	checked        map[vault.Scope]store.Checked
	all, without   int // servers that run, and that do not have the newest key
	inTheClear     []clearCount
	inTheClearGood bool // as it was left by an earlier version, which the next start seals
}

// usedKey is a key-encryption key that the database knows.
type usedKey struct {
	id      vault.KeyID
	since   time.Time
	wrapped int64 // data keys that are wrapped to it
}

type clearCount struct {
	n    int
	what string
}

func keysStatus(ctx context.Context, db *store.DB, v *vault.Vault) error {
	r, err := reportKeys(ctx, db, v)
	if err != nil {
		return err
	}
	fits, err := r.print(os.Stdout, v)
	if err == nil && !fits {
		err = errKeysWrong
	}
	return err
}

// reportKeys looks at all that keys are of, and unwraps each.
func reportKeys(ctx context.Context, db *store.DB, v *vault.Vault) (r keysReport, err error) {
	keks, err := db.KEKs(ctx)
	if err != nil {
		return r, fmt.Errorf("look up keys: %w", err)
	}
	wrapped, err := db.CountDataKeys(ctx)
	if err != nil {
		return r, fmt.Errorf("count data keys: %w", err)
	}
	total, count := int64(0), make(map[vault.KeyID]int64)
	for _, w := range wrapped {
		count[vault.KeyID(w.Kek)] = w.Count
		total += w.Count
	}
	for _, kek := range keks {
		id := vault.KeyID(kek.ID)
		r.keys = append(r.keys, usedKey{id, kek.AdoptedAt, count[id]})
	}
	bar := newBar(total, "unwrapping data keys")
	if r.checked, err = db.CheckKeys(ctx, v, bar.add); err != nil {
		return r, err
	}
	bar.end()
	if len(r.keys) > 0 {
		if r.all, r.without, err = db.Holders(ctx, r.keys[0].id); err != nil {
			return r, err
		}
	}
	return r, r.readClear(ctx, db)
}

// readClear looks for what is not sealed.
func (r *keysReport) readClear(ctx context.Context, db *store.DB) error {
	apps, err := db.CountUnsealedTOTPs(ctx)
	if err != nil {
		return fmt.Errorf("look for secrets in the clear: %w", err)
	}
	notes, err := db.NotesInTheClear(ctx)
	if err != nil {
		return fmt.Errorf("look for notes in the clear: %w", err)
	}
	notesSealed, err := db.NotesSealed(ctx)
	if err != nil {
		return fmt.Errorf("look for notes in the clear: %w", err)
	}
	patients, err := db.PatientsInTheClear(ctx)
	if err != nil {
		return fmt.Errorf("look for patients in the clear: %w", err)
	}
	patientsSealed, err := db.PatientsSealed(ctx)
	if err != nil {
		return fmt.Errorf("look for patients in the clear: %w", err)
	}
	r.inTheClear = []clearCount{{int(apps), "apps for codes"}, {len(notes), "notes"}, {len(patients), "patients"}}
	r.inTheClearGood = (len(r.keys) == 0 || apps == 0) && (!notesSealed || len(notes) == 0) && (!patientsSealed || len(patients) == 0)
	return nil
}

// print says it all, and reports whether the keys of v fit.
func (r *keysReport) print(w io.Writer, v *vault.Vault) (fits bool, err error) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(format string, args ...any) { _, _ = fmt.Fprintf(table, format+"\n", args...) } // Flush tells
	fits = r.inTheClearGood
	allHeld := true
	for i, key := range r.keys {
		held, use := "it is in the file", "an older one"
		if !slices.Contains(v.IDs(), key.id) {
			held, allHeld = "it is NOT in the file", false
		}
		if i == 0 {
			use = "what is new is wrapped to it"
		}
		row("key\t%v since %s: %s; %d data keys are; %s", key.id, key.since.Local().Format(time.DateTime), use, key.wrapped, held)
	}
	switch {
	case len(r.keys) == 0:
		row("key\t%v; it seals nothing yet: no server was started with a key", v.ID())
	case allHeld:
		row("servers\t%d run, %d of which do not have the newest key yet", r.all, r.without)
	}
	unrecoverable := 0
	for _, of := range ofWhat {
		c := r.checked[of.scope]
		row("keys of %s\t%d, %d of which do not open", of.what, c.All, c.Bad)
	}
	for _, c := range r.checked {
		unrecoverable += c.Unrecoverable
		fits = fits && c.Bad == 0
	}
	var clear []string
	for _, c := range r.inTheClear {
		clear = append(clear, fmt.Sprintf("%d %s", c.n, c.what))
	}
	row("in the clear\t%s", strings.Join(clear, ", "))
	if recovery, has := v.RecoveryID(); has {
		row("recovery key\t%v; %d data keys are not wrapped to it", recovery, unrecoverable)
	} else {
		row("recovery key\tnone: who loses the key file loses everything")
	}
	return fits && allHeld, table.Flush()
}
