package main

import (
	"fmt"

	"github.com/clisonix/tidechart/sessions"
)

// allowanceFlags are the limits that an operator may change.
type allowanceFlags struct {
	EditsPerSecond       int `default:"30" help:"Edits a second that one connection may keep up; faster ones are read later. ${default} is more than anybody types." env:"TIDECHART_EDITS_PER_SECOND"`
	ConnectionsPerPerson int `default:"10" help:"Connections of one person to one note." env:"TIDECHART_CONNECTIONS_PER_PERSON"`
	ConnectionsPerNote   int `default:"100" help:"Connections to one note." env:"TIDECHART_CONNECTIONS_PER_NOTE"`
	Connections          int `default:"20000" help:"Connections to this server." env:"TIDECHART_CONNECTIONS"`
}

// allowance returns the limits, those that are not flags too.
func (f allowanceFlags) allowance() (sessions.Allowance, error) {
	a := sessions.DefaultAllowance()
	a.UpdatesPerSecond, a.ConnsPerPerson, a.ConnsPerNote, a.ConnsPerNode = f.EditsPerSecond, f.ConnectionsPerPerson, f.ConnectionsPerNote, f.Connections
	if a.UpdatesPerSecond < 1 || a.ConnsPerPerson < 1 || a.ConnsPerNote < 1 || a.ConnsPerNode < 1 {
		return a, fmt.Errorf("%w: --edits-per-second and --connections… are at least 1", errUsage)
	}
	return a, nil
}
