package login

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/store"
)

// Holder finds who decides that records are held, for whom an operator does it. Nobody else than their role may.
func Holder(ctx context.Context, db *store.DB, username string) (uuid.UUID, error) {
	p, err := db.AnyoneByUsername(ctx, username)
	if errors.Is(err, store.ErrNotFound) {
		return uuid.Nil, fmt.Errorf("no person has the username %q", username)
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("look up person: %w", err)
	}
	if p.Suspended || !access.May(access.Role(p.Role), access.Hold) {
		return uuid.Nil, fmt.Errorf("%s decides about no holds: a privacy officer does", username)
	}
	return p.ID, nil
}
