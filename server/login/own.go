package login

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
)

// maxListed is how many logins somebody is shown, the newest first.
const maxListed = 100

// A Login is a browser at which somebody is signed in, as they see it.
type Login struct {
	ID          uuid.UUID
	Browser     string // in words; empty if it did not say
	Began, Seen time.Time
	This        bool // it asks
}

// Logins lists where somebody is signed in.
func (d *Desk) Logins(ctx context.Context, who Person) ([]Login, error) {
	rows, err := d.db.LoginsOf(ctx, ofPerson(who), d.usedSince(who.Role), maxListed)
	if err != nil {
		return nil, fmt.Errorf("list logins: %w", err)
	}
	all := make([]Login, len(rows))
	for i, row := range rows {
		all[i] = Login{ID: row.ID, Browser: row.Browser, Began: row.BeganAt, Seen: row.SeenAt, This: row.ID.String() == who.Login}
	}
	return all, nil
}

// End ends one of somebody's own logins; its sockets close when the change is heard of. [store.ErrNotFound]: it is not
// theirs, or has ended.
func (d *Desk) End(ctx context.Context, who Person, login uuid.UUID) error {
	e := audit.Event{Act: audit.SignOut, About: who.ID, Code: "one of theirs"}
	err := d.db.Act(ctx, &e, func(q *queries.Queries) error {
		n, err := q.EndLoginOf(ctx, login, ofPerson(who))
		if err == nil && n == 0 {
			err = store.ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("end login: %w", err)
	}
	return nil
}

// EndOthers ends all of somebody's logins but the one that asks.
func (d *Desk) EndOthers(ctx context.Context, who Person) error {
	this, err := uuid.Parse(who.Login)
	if err != nil {
		return ErrNotSignedIn
	}
	err = d.db.Act(ctx, &audit.Event{Act: audit.SignOut, About: who.ID, Code: "all others"}, func(q *queries.Queries) error {
		_, err := q.EndOtherLoginsOf(ctx, ofPerson(who), this)
		return err
	})
	if err != nil {
		return fmt.Errorf("end logins: %w", err)
	}
	return nil
}

func ofPerson(who Person) uuid.NullUUID { return uuid.NullUUID{UUID: who.ID, Valid: true} }

// InvitedAt says when a code was made for somebody who has not used it; zero: there is none that works. Whoever has it, they or
// not, can be them: see [Invite].
func (d *Desk) InvitedAt(ctx context.Context, who Person) (time.Time, error) {
	until, err := d.db.InvitationOf(ctx, who.ID)
	if errors.Is(err, store.ErrNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("look up invitation: %w", err)
	}
	return until.Add(-InvitationLifetime), nil
}

// EndInvitation makes the code that was made for somebody worth nothing. [store.ErrNotFound]: there is none.
func (d *Desk) EndInvitation(ctx context.Context, who Person) error {
	n, err := d.db.EndInvitation(ctx, who.ID)
	if err != nil {
		return fmt.Errorf("end invitation: %w", err)
	}
	if n == 0 {
		return store.ErrNotFound
	}
	return nil
}

// Browsers and systems as they name themselves, the telling names before those that others borrow.
var (
	browsers = [][2]string{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"Chrome/", "Chrome"}, {"CriOS/", "Chrome"}, {"Safari/", "Safari"},
	}
	systems = [][2]string{
		{"Windows", "Windows"}, {"iPhone", "an iPhone"}, {"iPad", "an iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Mac OS X", "a Mac"}, {"Linux", "Linux"},
	}
)

// browserName says in words which browser a User-Agent header claims, so that its owner knows it again; empty: another.
func browserName(agent string) string {
	first := func(names [][2]string) string {
		for _, n := range names {
			if strings.Contains(agent, n[0]) {
				return n[1]
			}
		}
		return ""
	}
	browser, system := first(browsers), first(systems)
	if browser == "" || system == "" {
		return browser
	}
	return browser + " on " + system
}
