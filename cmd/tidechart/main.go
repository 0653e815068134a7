// Command tidechart is a real-time collaborative editing server for patient notes.
//
// See tidechart --help for its subcommands.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/lmittmann/tint"
	"golang.org/x/term"
)

// cli is the whole command line.
type cli struct {
	Log string `enum:"auto,text,json" default:"auto" help:"Form of the log on standard error: ${enum}. Auto is coloured on a terminal and json elsewhere." env:"TIDECHART_LOG"`

	Serve     serveCmd     `cmd:"" help:"Run the server on your own Postgres, behind TLS."`
	Demo      demoCmd      `cmd:"" help:"Run a server full of synthetic patients, to try Tidechart out."`
	User      userCmd      `cmd:"" help:"Add, invite, change and suspend people."`
	Unit      unitCmd      `cmd:"" help:"Add and list units and their beds."`
	Patient   patientCmd   `cmd:"" help:"Move patients, restrict records, and say who is on a care team."`
	Note      noteCmd      `cmd:"" help:"Export signed notes, check what was exported, anywhere and without a database, and change the keys that sign."`
	Token     tokenCmd     `cmd:"" help:"Issue, list and revoke bearer tokens of service accounts and people."`
	Keys      keysCmd      `cmd:"" help:"Make the key that seals what the database holds, and say what it seals."`
	Hold      holdCmd      `cmd:"" help:"Keep records from being destroyed, and say which are."`
	Retention retentionCmd `cmd:"" help:"Say how long records are kept, and destroy those whose time is over."`
	Audit     auditCmd     `cmd:"" help:"Check, export, prove and witness the log of who did what."`
	Recover   recoverCmd   `cmd:"" help:"Let browsers bring back what a restore of an older database took away."`
	Loadtest  loadtestCmd  `cmd:"" help:"Let many clients write on a server, and check that nothing is lost."`
	Version   versionCmd   `cmd:"" help:"Print the version."`
}

func main() {
	var c cli
	parsed := kong.Parse(&c,
		kong.Name("tidechart"),
		kong.Description("Patient notes that several people write at once. Nothing anyone sees is not yet saved."),
		kong.UsageOnError(),
	)
	if command := parsed.Command(); command == "serve" || command == "demo" {
		relaxTimers() // before anything is open, or waits for signals
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.Bind(newLog(c.Log))
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "tidechart:", err)
		status := 1
		var coded interface{ ExitCode() int }
		if errors.As(err, &coded) {
			status = coded.ExitCode()
		}
		os.Exit(status)
	}
}

func newLog(form string) *slog.Logger {
	terminal := term.IsTerminal(int(os.Stderr.Fd()))
	switch {
	case form == "text", form == "auto" && terminal:
		return slog.New(tint.NewTextHandler(os.Stderr, &tint.Options{TimeFormat: time.TimeOnly, NoColor: !terminal}))
	default:
		return slog.New(slog.NewJSONHandler(os.Stderr, nil))
	}
}

type versionCmd struct{}

func (versionCmd) Run() error {
	_, err := fmt.Println("tidechart", version())
	return err
}

// version is that of the module, as the Go tool stamped it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// errUsage marks a mistake in how the command was called.
var errUsage = errors.New("cannot start")
