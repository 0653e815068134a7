package login

import (
	"context"
	"errors"

	"github.com/clisonix/tidechart/server/access"
)

// Demand says from whom more than a password is demanded: a passkey, or a code beside it. What a provider demands is its own.
type Demand uint8

// The demands.
const (
	FromAll       Demand = iota
	FromOverseers        // who administers, or reviews what others did: [access.Oversees]
	FromNobody           // a demo, whose passwords everybody knows
)

// ErrWeak means that somebody has shown a password alone, where more is demanded of them. They have to show what else they
// have, or get it, before anything else.
var ErrWeak = errors.New("signed in with a password alone")

// Demands reports whether those of a role need more than a password.
func (d *Desk) Demands(role access.Role) bool {
	if role == access.Display { // what it shows, everybody who walks by sees
		return false
	}
	switch d.demand {
	case FromNobody:
		return false
	case FromOverseers:
		return access.Oversees(role)
	default:
		return true
	}
}

// HasMore reports whether somebody has more than a password to show. Who has may not get more of it by a password alone.
func (d *Desk) HasMore(ctx context.Context, who Person) (bool, error) {
	ways, err := d.Ways(ctx, who)
	return ways.Codes || len(ways.Passkeys) > 0, err
}

// LeavesOne reports whether somebody would have but a password without one passkey, or without their app, though more is
// demanded of them.
func (d *Desk) LeavesOne(ctx context.Context, who Person) (bool, error) {
	if !d.Demands(who.Role) {
		return false, nil
	}
	ways, err := d.Ways(ctx, who)
	more := len(ways.Passkeys)
	if ways.Codes {
		more++
	}
	return ways.Password && more == 1, err
}
