package login

import (
	"context"
	"fmt"
)

// Ways are the ways in which somebody can prove who they are.
type Ways struct {
	Password bool
}

// Ways says which ways somebody has.
func (d *Desk) Ways(ctx context.Context, who Person) (Ways, error) {
	row, err := d.db.PersonByID(ctx, who.ID)
	if err != nil {
		return Ways{}, fmt.Errorf("look up person: %w", err)
	}
	return Ways{Password: row.PasswordHash != nil}, nil
}
