package login

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
)

// TicketLifetime is how long a ticket may be used.
const TicketLifetime = 30 * time.Second

// ticketPrefix tells tickets from tokens.
const ticketPrefix = "tick_"

// ErrNoTicket refuses a ticket that was used before, is too old, or was given to another login or for another note.
var ErrNoTicket = errors.New("no such ticket")

// IsTicket reports whether what somebody proves themselves with is a ticket, good or not.
func IsTicket(proof string) bool { return strings.HasPrefix(proof, ticketPrefix) }

// Ticket returns what lets the login of who open one socket at a note, once, within [TicketLifetime]. Another site's page
// can have a browser send its cookie, but not read this. Only its hash is stored.
func (d *Desk) Ticket(ctx context.Context, who Person, note uuid.UUID) (string, error) {
	login, err := uuid.Parse(who.Login)
	if err != nil {
		return "", ErrNotSignedIn
	}
	ticket := ticketPrefix + newSecret()
	sum := sha256.Sum256([]byte(ticket))
	err = d.db.InsertTicket(ctx, queries.InsertTicketParams{
		Hash: sum[:], Login: login, NoteID: note, Seconds: TicketLifetime.Seconds(),
	})
	if err != nil {
		return "", fmt.Errorf("store ticket: %w", err)
	}
	return ticket, nil
}

// TakeTicket uses a ticket up, and returns [ErrNoTicket] unless it was given to the login of who for that note.
func (d *Desk) TakeTicket(ctx context.Context, who Person, note uuid.UUID, ticket string) error {
	sum := sha256.Sum256([]byte(ticket))
	row, err := d.db.TakeTicket(ctx, sum[:])
	if errors.Is(err, store.ErrNotFound) {
		return ErrNoTicket
	}
	if err != nil {
		return fmt.Errorf("take ticket: %w", err)
	}
	if !row.Fresh || row.Login.String() != who.Login || row.NoteID != note {
		return ErrNoTicket
	}
	return nil
}
