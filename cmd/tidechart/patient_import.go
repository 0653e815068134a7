package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/clisonix/tidechart/server/store"
)

type patientImportCmd struct {
	database
	keysFlags
	File string `arg:"" type:"path" help:"The list; - is standard input."`
}

func (patientImportCmd) Help() string {
	return `One JSON object for each patient, such as
  {"mrn": "4711", "family": "Doe", "given": "Jane", "title": "Ms", "born": "1980-12-31", "gender": "female", "allergies": "No known allergies", "bed": "4w-01"}
mrn, family and born are needed. A number that is known corrects who that patient is; with a bed they lie there from now on. Allergies are "Known allergies: a; b",
"No known allergies", "Allergies unavailable", or nothing, which is shown as not recorded.`
}

// newPatient is a line of the list.
type newPatient struct {
	MRN, Family, Given, Title, Born, Gender, Allergies, Bed string
}

func (c *patientImportCmd) Run(ctx context.Context, log *slog.Logger) error {
	from := io.Reader(os.Stdin)
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // only read
		from = f
	}
	db, err := c.openSealed(ctx, c.keysFlags, log)
	if err != nil {
		return err
	}
	defer db.Close()
	list := json.NewDecoder(from)
	list.DisallowUnknownFields()
	n := 0
	for ; ; n++ {
		var p newPatient
		err := list.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("patient %d of the list cannot be read; those before it are stored", n+1) // the error may quote it
		}
		born, err := time.Parse(time.DateOnly, p.Born)
		if err == nil {
			_, err = db.PutPatient(ctx, store.Patient{
				Mrn: p.MRN, Family: p.Family, Given: p.Given, Title: p.Title, BirthDate: born, Gender: p.Gender, Allergies: p.Allergies,
			}, p.Bed)
		} else {
			err = fmt.Errorf("%w: a patient has a date of birth, as in 1980-12-31", store.ErrHospital)
		}
		if err != nil {
			return fmt.Errorf("patient %d of the list; those before are stored: %w", n+1, err)
		}
	}
	_, err = fmt.Printf("%d patients stored\n", n)
	return err
}
