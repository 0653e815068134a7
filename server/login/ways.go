package login

import (
	"context"
	"errors"
	"fmt"

	"github.com/clisonix/tidechart/server/store"
)

// Ways are the ways in which somebody can prove who they are.
type Ways struct {
	Password bool
	Codes    bool // from an app, with the password
	Recovery int  // codes that are left for when the app is lost
	Passkeys []Passkey
}

// Ways says which ways somebody has.
func (d *Desk) Ways(ctx context.Context, who Person) (Ways, error) {
	row, err := d.db.AnyoneByID(ctx, who.ID)
	if err != nil {
		return Ways{}, fmt.Errorf("look up person: %w", err)
	}
	ways := Ways{Password: row.PasswordHash != nil}
	switch app, err := d.db.TOTP(ctx, who.ID); {
	case err == nil:
		ways.Codes = app.Secret != nil
	case !errors.Is(err, store.ErrNotFound):
		return Ways{}, fmt.Errorf("look up app: %w", err)
	}
	left, err := d.db.CountRecoveryCodes(ctx, who.ID)
	if err != nil {
		return Ways{}, fmt.Errorf("count recovery codes: %w", err)
	}
	ways.Recovery = int(left)
	keys, err := d.db.PasskeysOf(ctx, who.ID)
	if err != nil {
		return Ways{}, fmt.Errorf("look up passkeys: %w", err)
	}
	for _, k := range keys {
		ways.Passkeys = append(ways.Passkeys, Passkey{ID: k.ID, Name: k.Name, Created: k.CreatedAt, Used: k.UsedAt, Synced: k.BackedUp})
	}
	return ways, nil
}
