package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"text/tabwriter"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/store"
)

type patientCmd struct {
	Import patientImportCmd `cmd:"" help:"Add patients, or correct who they are, from a list of them."`

	Set patientSetCmd `cmd:"" help:"Move a patient, restrict their record, or change who is on their care team. Open notes follow within a second."`
}

type patientSetCmd struct {
	database
	keysFlags
	MRN        string   `arg:"" help:"Medical record number."`
	Bed        string   `help:"Id of the bed they move to."`
	Restricted *bool    `negatable:"" help:"Only the care team opens the record, whoever else works on the unit."`
	Join       []string `help:"Usernames of who comes to the care team."`
	Leave      []string `help:"Usernames of who goes."`
}

func (c *patientSetCmd) Run(ctx context.Context, log *slog.Logger) error {
	db, err := c.openSealed(ctx, c.keysFlags, log)
	if err != nil {
		return err
	}
	defer db.Close()
	row, err := db.PatientByMRN(ctx, c.MRN)
	if errors.Is(err, store.ErrNotFound) {
		return errors.New("no patient has this number")
	}
	if err != nil {
		return fmt.Errorf("look up patient: %w", err)
	}
	change := store.PatientChange{Patient: row.Patient.ID, Bed: c.Bed, Restricted: c.Restricted}
	for _, names := range []struct {
		from []string
		to   *[]uuid.UUID
	}{{c.Join, &change.Join}, {c.Leave, &change.Leave}} {
		for _, name := range names.from {
			p, err := db.AnyoneByUsername(ctx, name)
			if errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("no person has the username %q", name)
			}
			if err != nil {
				return fmt.Errorf("look up person: %w", err)
			}
			*names.to = append(*names.to, p.ID)
		}
	}
	if err := db.ChangePatient(ctx, change); err != nil {
		return err
	}
	team, err := db.CareTeam(ctx, row.Patient.ID)
	if err != nil {
		return fmt.Errorf("list care team: %w", err)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "CARE TEAM\tNAME\tROLE") // Flush tells
	for _, p := range team {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", p.Username, p.Name, p.Role)
	}
	return table.Flush()
}
