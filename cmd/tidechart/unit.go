package main

import (
	"context"
	"fmt"
	"os"
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
	Hospital string `help:"Name of the hospital, for the first unit."`
}

func (c *unitAddCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(db *store.DB) error {
		err := db.AddUnit(ctx, store.NewUnit{ID: c.ID, Name: c.Name, Beds: c.Beds, Prefix: c.Prefix, Facility: c.Hospital})
		if err != nil {
			return err
		}
		return listUnits(ctx, db)
	})
}

type unitListCmd struct{ database }

func (c *unitListCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(db *store.DB) error { return listUnits(ctx, db) })
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
