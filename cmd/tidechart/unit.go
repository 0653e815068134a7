package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"text/tabwriter"

	"github.com/clisonix/tidechart/server/store"
)

type unitCmd struct {
	Add  unitAddCmd  `cmd:"" help:"Add a unit, or more beds to one."`
	List unitListCmd `cmd:"" help:"List the units."`
}

type unitAddCmd struct {
	database
	ID       string `arg:"" help:"A short word for addresses, such as 4-west."`
	Name     string `help:"As people call it. Needed for a new unit."`
	Beds     int    `help:"How many beds it gets, behind those it has."`
	Prefix   string `help:"Of the beds' labels, such as 4W for 4W-01; else the id."`
	Hospital string `help:"Name of the hospital, for the first unit." default:"Hospital"`
}

// unitIDs are what addresses and the board's elements can be called.
var unitIDs = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// maxBeds is how many beds can be added at once.
const maxBeds = 200

func (c *unitAddCmd) Run(ctx context.Context) error {
	switch {
	case !unitIDs.MatchString(c.ID):
		return errors.New("a unit's id is 1 to 32 lower-case letters, digits and dashes")
	case c.Beds < 0 || c.Beds > maxBeds:
		return fmt.Errorf("--beds is 0 to %d", maxBeds)
	case strings.TrimSpace(c.Name) == "" && c.Beds == 0:
		return errors.New("what is to be added? Give --name for a new unit, --beds for more beds")
	}
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.AddUnit(ctx, store.NewUnit{
		ID: c.ID, Name: strings.TrimSpace(c.Name), Beds: c.Beds, Prefix: cmp.Or(c.Prefix, c.ID), Facility: c.Hospital,
	}); err != nil {
		return err
	}
	return listUnits(ctx, db)
}

type unitListCmd struct{ database }

func (c *unitListCmd) Run(ctx context.Context) error {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	return listUnits(ctx, db)
}

func listUnits(ctx context.Context, db *store.DB) error {
	units, err := db.CountBeds(ctx)
	if err != nil {
		return fmt.Errorf("list units: %w", err)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "UNIT\tNAME\tBEDS\tPATIENTS") // Flush tells
	for _, u := range units {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t%d\n", u.ID, u.Name, u.Beds, u.Patients)
	}
	return table.Flush()
}
