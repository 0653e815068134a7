package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
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

func keysStatus(ctx context.Context, db *store.DB, v *vault.Vault) error {
	keks, err := db.KEKs(ctx)
	if err != nil {
		return fmt.Errorf("look up keys: %w", err)
	}
	checked, err := db.CheckKeys(ctx, v)
	if err != nil {
		return err
	}
	left, err := db.CountUnsealedTOTPs(ctx)
	if err != nil {
		return fmt.Errorf("look for secrets in the clear: %w", err)
	}
	clear, err := db.NotesInTheClear(ctx)
	if err != nil {
		return fmt.Errorf("look for notes in the clear: %w", err)
	}
	sealed, err := db.NotesSealed(ctx)
	if err != nil {
		return fmt.Errorf("look for notes in the clear: %w", err)
	}
	wrapped, err := db.CountDataKeys(ctx)
	if err != nil {
		return fmt.Errorf("count data keys: %w", err)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fits := true
	for i, kek := range keks {
		held := "it is in the file"
		if !slices.Contains(v.IDs(), vault.KeyID(kek.ID)) {
			held, fits = "it is NOT in the file", false
		}
		use := "an older one"
		if i == 0 {
			use = "what is new is wrapped to it"
		}
		n := int64(0)
		for _, w := range wrapped {
			if vault.KeyID(w.Kek) == vault.KeyID(kek.ID) {
				n = w.Count
			}
		}
		_, _ = fmt.Fprintf(table, "key\t%x since %s: %s; %d data keys are; %s\n", kek.ID, kek.AdoptedAt.Local().Format(time.DateTime), use, n, held) // Flush tells
	}
	if len(keks) == 0 {
		_, _ = fmt.Fprintf(table, "key\t%v; it seals nothing yet: no server was started with a key\n", v.ID())
	} else if newest := vault.KeyID(keks[0].ID); fits {
		all, without, err := db.Holders(ctx, newest)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(table, "servers\t%d run, %d of which do not have the newest key yet\n", all, without)
	}
	people, notes := checked[vault.OfPerson], checked[vault.OfNote]
	_, _ = fmt.Fprintf(table, "keys of people\t%d, %d of which do not open\nkeys of notes\t%d, %d of which do not open\nin the clear\t%d apps for codes, %d notes\n",
		people.All, people.Bad, notes.All, notes.Bad, left, len(clear))
	unrecoverable := 0
	for _, c := range checked {
		unrecoverable += c.Unrecoverable
	}
	recoveryKey, has := v.RecoveryID()
	if has {
		_, _ = fmt.Fprintf(table, "recovery key\t%v; %d data keys are not wrapped to it\n", recoveryKey, unrecoverable)
	} else {
		_, _ = fmt.Fprint(table, "recovery key\tnone: who loses the key file loses everything\n")
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if !fits || people.Bad+notes.Bad > 0 || len(keks) > 0 && left > 0 || sealed && len(clear) > 0 {
		return errKeysWrong
	}
	return nil
}
