package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/term"

	"github.com/clisonix/tidechart/loadtest"
	"github.com/clisonix/tidechart/server/login"
)

type loadtestCmd struct {
	URL            string        `arg:"" optional:"" default:"http://127.0.0.1:8080" help:"Address of the server."`
	Token          []string      `short:"t" help:"Token of a person, from tidechart token. Repeat it: the clients of a note take turns, and a server may limit how many connections one person has at a note." env:"TIDECHART_LOADTEST_TOKENS"`
	NoAuth         bool          `help:"The server asks for no token."`
	Protocol       string        `enum:"both,hocuspocus,y-websocket" default:"both" help:"What clients speak: ${enum}. Both: every other one of a note."`
	DocumentPrefix string        `help:"Load documents NAME-0, NAME-1, … of any Yjs server, instead of new notes of a Tidechart." placeholder:"NAME"`
	Notes          int           `default:"10" help:"Notes, or documents."`
	Clients        int           `default:"5" help:"Connections per note, typists and slow readers among them."`
	Typists        int           `default:"2" help:"Clients per note that type."`
	Slow           int           `help:"Clients per note that read one message in --slow-every."`
	SlowEvery      time.Duration `default:"250ms" help:"How slow slow readers are."`
	Rate           float64       `default:"5" help:"Keystrokes per second and typist."`
	Presence       bool          `help:"Everybody shows a caret; typists move theirs with each keystroke."`
	Joins          int           `help:"So many more clients join the first note at once, halfway."`
	Size           int           `help:"Bytes of content to write into each note beforehand."`
	Warmup         time.Duration `default:"2s" help:"Typing before anything is measured."`
	Duration       time.Duration `default:"10s" help:"Typing that is measured."`
	Drain          time.Duration `default:"20s" help:"How long to wait at the end for what is under way."`
	Verify         float64       `default:"1" help:"Share of the readers whose copy is compared in full, 0 to 1. The others' state vectors are, and typists' copies always."`
	Revoke         []string      `help:"Username of somebody who takes no part but to read, and is suspended and let in again while the load runs: the report says when their sockets were given the last frame. Needs the server's database. Repeatable." placeholder:"NAME"`
	Revocations    int           `default:"5" help:"How often each of them is."`
	ServerPID      []int         `name:"server-pid" help:"Process of the server, whose processor time and memory to report, with all below it; those named postgres apart. Repeatable. Linux only." placeholder:"PID"`
	JSON           bool          `name:"json" help:"Report as JSON."`

	database
}

// Help is what the command says of itself.
func (*loadtestCmd) Help() string {
	return `Clients type, read and join as stock Yjs providers do, and the report says how long keystrokes took, what the
server used, and whether every replica ended with the same text, complete, once and in order. If anything was lost,
duplicated or different, or did not arrive in time, the exit status is not 0.

  tidechart loadtest -t $(tidechart token --user chen) -t $(tidechart token --user rivera)
  tidechart loadtest http://127.0.0.1:1234 --no-auth --protocol hocuspocus --document-prefix load

With --revoke people are suspended while the load runs, as tidechart user suspend does it. If anything is delivered to
them a second later, or one of their sockets goes on, the exit status is not 0 either:

  tidechart loadtest -t $(tidechart token --user chen) --revoke rivera --data ./data

It types into notes that it begins, and that stay: do not run it on a server that is used for patients.
Ctrl-C ends it with the figures so far.`
}

// errFailed is the verdict on a server; the report says more.
var errFailed = errors.New("the server did not bear this load: see the report")

func (c *loadtestCmd) Run(ctx context.Context) error {
	if c.NoAuth == (len(c.Token) > 0) {
		return fmt.Errorf("%w: give --token, as often as there are people, or --no-auth", errUsage)
	}
	witnesses, done, err := c.witnesses(ctx)
	if err != nil {
		return err
	}
	defer done()
	progress, end := progressLine()
	report, err := loadtest.Run(ctx, loadtest.Config{
		URL: c.URL, Tokens: c.Token, Protocol: c.Protocol, Prefix: c.DocumentPrefix,
		Notes: c.Notes, Clients: c.Clients, Typists: c.Typists, Slow: c.Slow, Rate: c.Rate, Presence: c.Presence,
		Joins: c.Joins, Size: c.Size, Warmup: c.Warmup, Duration: c.Duration, Drain: c.Drain, SlowEvery: c.SlowEvery,
		Verify: c.Verify, PIDs: c.ServerPID, Progress: progress, Witnesses: witnesses, Revocations: c.rounds(),
	})
	end()
	if err != nil {
		return err
	}
	if c.JSON {
		err = report.PrintJSON(os.Stdout)
	} else {
		err = report.Print(os.Stdout)
	}
	if err == nil && !report.OK() {
		err = errFailed
	}
	return err
}

func (c *loadtestCmd) rounds() int {
	if len(c.Revoke) == 0 {
		return 0
	}
	return c.Revocations
}

// witnesses returns the people whose rights are to be withdrawn, and what lets go of the database that says so.
func (c *loadtestCmd) witnesses(ctx context.Context) (all []loadtest.Witness, done func(), err error) {
	if len(c.Revoke) == 0 {
		return nil, func() {}, nil
	}
	db, err := c.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, username := range c.Revoke {
		suspend := func(ctx context.Context, suspended bool) error {
			_, err := login.Alter(ctx, db, uuid.Nil, username, login.Change{Suspended: &suspended})
			return err
		}
		all = append(all, loadtest.Witness{
			Admit: func(ctx context.Context) (string, error) {
				if err := suspend(ctx, false); err != nil {
					return "", err
				}
				return login.IssueToken(ctx, db, login.NewToken{Username: username})
			},
			Withdraw: func(ctx context.Context) error { return suspend(ctx, true) },
		})
	}
	return all, db.Close, nil
}

// progressLine returns what shows progress on one line of a terminal, and what removes it. Elsewhere both do nothing.
func progressLine() (show func(string), end func()) {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return nil, func() {}
	}
	shown := 0
	show = func(line string) {
		width, _, err := term.GetSize(int(os.Stderr.Fd()))
		if err == nil && len(line) >= width {
			line = line[:max(width-1, 0)]
		}
		fmt.Fprintf(os.Stderr, "\r%-*s", shown, line)
		shown = len(line)
	}
	return show, func() { fmt.Fprintf(os.Stderr, "\r%s\r", strings.Repeat(" ", shown)) }
}
