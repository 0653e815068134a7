package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
)

type userCmd struct {
	Add     userAddCmd     `cmd:"" help:"Add a person, and print a code by which they begin."`
	Invite  userInviteCmd  `cmd:"" help:"Print a new code for somebody who has forgotten their password, or let the first one expire."`
	List    userListCmd    `cmd:"" help:"List people."`
	Set     userSetCmd     `cmd:"" help:"Change somebody's name, role, unit, supervisor or own record. Open notes follow within a second."`
	Cover   userCoverCmd   `cmd:"" help:"Let somebody work on more units for a while: a shift, a consult."`
	Suspend userSuspendCmd `cmd:"" help:"End everything somebody has open, within a second, and let them in no more."`
	Resume  userResumeCmd  `cmd:"" help:"Let a suspended person sign in again. Tokens have to be issued anew."`
}

// somebody is a command about one person.
type somebody struct {
	database
	Username string `arg:"" help:"What they sign in with."`
}

type userAddCmd struct {
	somebody
	Name string `required:"" help:"As it is printed below what they write."`
	Role string `required:"" help:"Their function: attending, resident, nurse, charge nurse, pharmacist, student, scribe, service account, administrator, privacy officer or display."`
	Unit string `help:"Id of the unit they work on."`

	Supervisor string `help:"Username of whoever they work under: students and scribes see and write by it, and of others it is told there that they broke the glass."`
}

func (c *userAddCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(db *store.DB) error {
		if _, err := login.Add(ctx, db, c.Username, login.Change{Name: &c.Name, Role: &c.Role, Unit: &c.Unit, Supervisor: &c.Supervisor}); err != nil {
			return err
		}
		if login.IsProgram(c.Role) {
			_, err := fmt.Printf("%s: added. It has no password: tidechart token --user %s --scope … prints what it works with.\n", c.Name, c.Username)
			return err
		}
		return printInvitation(login.Invite(ctx, db, c.Username))
	})
}

type userInviteCmd struct {
	somebody
	EndNow bool `help:"End at once all that they signed in with so far, and what they have open: somebody else may have it."`
}

func (c *userInviteCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(db *store.DB) error {
		if c.EndNow {
			return printInvitation(login.StartOver(ctx, db, c.Username))
		}
		return printInvitation(login.Invite(ctx, db, c.Username))
	})
}

// printInvitation prints a code, and what to do with it.
func printInvitation(i login.Invitation, err error) error {
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%s\n\nGive this code to %s, and to nobody else. Until %s it works once, on the page /enrol of the server.\n",
		i.Code, i.Name, i.Until.Format(time.DateTime))
	return err
}

type userListCmd struct {
	database
	Words []string `arg:"" optional:"" help:"All of which are in their username, name, role or unit."`
}

func (c *userListCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(db *store.DB) error {
		table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "USERNAME\tNAME\tROLE\tUNIT\tSTATE\tCOVERS\tUNDER") // Flush tells
		search := login.Search{Words: strings.Join(c.Words, " "), Most: listedAtOnce}
		for more := true; more; {
			var people []login.Account
			var err error
			if people, more, err = login.Accounts(ctx, db, search); err != nil {
				return err
			}
			for _, p := range people {
				search.After = p.ID
				_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
					p.Username, p.Name, p.Role, cmp.Or(p.Unit, "-"), state(p), cmp.Or(p.Covers, "-"), cmp.Or(p.Supervisor, "-"))
			}
		}
		return table.Flush()
	})
}

// listedAtOnce is how many people one look at the database finds.
const listedAtOnce = 1000

// state says whether somebody can sign in.
func state(p login.Account) string {
	switch {
	case p.Suspended:
		return "suspended"
	case p.InvitedUntil != nil:
		return "invited until " + p.InvitedUntil.Local().Format(time.DateTime)
	case !p.HasWay:
		return "cannot sign in yet"
	default:
		return "active"
	}
}

type userSetCmd struct {
	somebody
	keysFlags
	Name *string `help:"As it is printed below what they write."`
	Role *string `help:"Their function."`
	Unit *string `help:"Id of the unit they work on; empty for none."`

	Supervisor *string `help:"Username of whoever they work under, as in user add; empty for none."`
	Record     *string `help:"Number of their own record as a patient, which they then don't open by way of their work; empty for none."`
}

func (c *userSetCmd) Run(ctx context.Context, log *slog.Logger) error {
	change := login.Change{Name: c.Name, Role: c.Role, Unit: c.Unit, Supervisor: c.Supervisor, Record: c.Record}
	if change == (login.Change{}) {
		return errors.New("what is to change? Give --name, --role, --unit, --supervisor or --record")
	}
	if c.Record == nil || *c.Record == "" {
		return c.alter(ctx, change, "changed")
	}
	db, err := c.openSealed(ctx, c.keysFlags, log) // numbers of patients are
	if err != nil {
		return err
	}
	defer db.Close()
	return c.alterIn(ctx, db, change, "changed")
}

type userCoverCmd struct {
	somebody
	Units []string      `required:"" name:"unit" help:"Ids of the units."`
	For   time.Duration `default:"12h" help:"For how long." xor:"what"`
	End   bool          `help:"No longer." xor:"what"`
}

func (c *userCoverCmd) Run(ctx context.Context) error {
	if c.For <= 0 {
		return errors.New("--for must be longer than nothing")
	}
	return c.with(ctx, func(db *store.DB) error {
		until := time.Time{}
		if !c.End {
			until = time.Now().Add(c.For).Truncate(time.Second)
		}
		for _, unit := range c.Units {
			if err := login.CoverUnit(ctx, db, c.Username, unit, until); err != nil {
				return err
			}
		}
		if c.End {
			_, err := fmt.Printf("%s: no longer covers %s\n", c.Username, strings.Join(c.Units, ", "))
			return err
		}
		_, err := fmt.Printf("%s: covers %s until %s\n", c.Username, strings.Join(c.Units, ", "), until.Format(time.DateTime))
		return err
	})
}

type userSuspendCmd struct{ somebody }

func (c *userSuspendCmd) Run(ctx context.Context) error {
	yes := true
	return c.alter(ctx, login.Change{Suspended: &yes}, "suspended")
}

type userResumeCmd struct{ somebody }

func (c *userResumeCmd) Run(ctx context.Context) error {
	no := false
	return c.alter(ctx, login.Change{Suspended: &no}, "may sign in again")
}

// alter changes the person and says so.
func (s *somebody) alter(ctx context.Context, change login.Change, done string) error {
	return s.with(ctx, func(db *store.DB) error { return s.alterIn(ctx, db, change, done) })
}

func (s *somebody) alterIn(ctx context.Context, db *store.DB, change login.Change, done string) error {
	name, err := login.Alter(ctx, db, uuid.Nil, s.Username, change)
	if err == nil {
		_, err = fmt.Printf("%s: %s\n", name, done)
	}
	return err
}
