// Command bench puts the same loads on this server with its Postgres, on @hocuspocus/server and on y-websocket's
// server, one after the other on this machine, and prints what each made of them, the ratios, and what is to be
// reached.
//
//	go run ./loadtest/bench [-quick] [-scene NAME] [-server NAME] [-binary bin/tidechart]
//
// The others keep documents in memory only; this server commits every keystroke before anybody sees it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/clisonix/tidechart/loadtest"
)

func main() {
	b := bench{}
	flag.BoolVar(&b.quick, "quick", false, "shorter runs, for development")
	flag.StringVar(&b.binary, "binary", "bin/tidechart", "the server to start")
	flag.StringVar(&b.peers, "peers", "loadtest/peers", "where the other servers are installed")
	only := flag.String("scene", "", "only scenes whose name contains this")
	flag.StringVar(&b.server, "server", "", "only servers whose name contains this, without comparison")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := b.run(ctx, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is how to run.
type bench struct {
	quick  bool
	server string // part of the names of the servers to run; empty: all
	binary string
	peers  string
}

// run runs the scenes that are asked for.
func (b bench) run(ctx context.Context, only string) error {
	fmt.Printf("%s, %s\n", machine(), time.Now().Format(time.DateOnly))
	fmt.Println("Cores: processor time by time that passed, of the server, with its Postgres, of the generator, and of whatever else")
	fmt.Println("ran on the machine. Stolen: what a virtual machine wanted and its host withheld. Memory: resident. Late: keystrokes made")
	fmt.Println("later than due, which is the generator's fault.")
	fmt.Println("Saved: here, committed to Postgres; the other two answer when an update is in memory, and store nothing.")
	for _, s := range scenes(b.quick) {
		if !strings.Contains(s.name, only) {
			continue
		}
		if err := b.play(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// play runs one scene on each server, each started for it.
func (b bench) play(ctx context.Context, s scene) error {
	fmt.Printf("\n%s\n", s.name)
	results := make(map[string]result)
	for _, k := range kinds {
		if !strings.Contains(k.name, b.server) {
			continue
		}
		r, err := b.perform(ctx, s, k)
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		results[k.name] = r
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	s.print(results)
	return nil
}

// perform runs one scene on one server.
func (b bench) perform(ctx context.Context, s scene, k kind) (result, error) {
	server, err := k.start(ctx, b)
	if err != nil {
		return result{}, err
	}
	defer server.stop()
	c := s.load
	c.URL, c.Protocol, c.PIDs, c.Tokens = server.url, k.protocol, []int{server.pid()}, server.tokens
	if k.name != here {
		c.Prefix = "bench"
	}
	if s.search {
		return b.capacity(ctx, c)
	}
	report, err := loadtest.Run(ctx, c)
	return result{report: report}, err
}

// result is what a server made of a scene.
type result struct {
	report   *loadtest.Report
	capacity int    // keystrokes per second, of a search
	limit    string // what ended the search
}

// The search for the highest load.
const (
	firstNotes   = 100 // with ten clients each, two typists at 5/s: 1,000 keystrokes/s
	mostNotes    = 1700
	slowest      = 50 * time.Millisecond
	lateness     = 25 * time.Millisecond // of the generator: beyond it is the limit itself
	narrowEnough = 1.15
)

// capacity returns the highest load that a server bears with a p99 below 50 ms, by doubling and then halving the
// distance.
func (b bench) capacity(ctx context.Context, c loadtest.Config) (result, error) {
	best, limit := result{limit: "the bench asks for no more"}, mostNotes+1
	enough := narrowEnough
	if b.quick {
		enough = 1.5
	}
	for notes := firstNotes; notes <= mostNotes; {
		c.Notes = notes
		if c.Prefix != "" {
			c.Prefix = fmt.Sprintf("bench-%d", notes)
		}
		report, err := loadtest.Run(ctx, c)
		if err != nil || ctx.Err() != nil {
			return best, err
		}
		if report.OK() && report.ToPeer.P99 < slowest {
			best.report, best.capacity = report, notes*c.Typists*int(c.Rate)
		} else {
			limit, best.limit = notes, reason(report)
		}
		low := best.capacity / (c.Typists * int(c.Rate))
		switch {
		case low == 0 && notes <= firstNotes/8:
			return best, nil
		case low == 0:
			notes /= 2
		case limit > mostNotes:
			notes *= 2
			if notes > mostNotes && low < mostNotes {
				notes = mostNotes
			}
		case float64(limit) <= float64(low)*enough:
			return best, nil
		default:
			notes = (low + limit) / 2
		}
	}
	return best, nil
}

// reason says why a load was too high.
func reason(r *loadtest.Report) string {
	switch {
	case r.Generator.Late.P99 > lateness:
		return "p99 " + short(r.ToPeer.P99) + " when the generator was late itself"
	case !r.OK():
		return "not all arrived"
	}
	return "p99 " + short(r.ToPeer.P99)
}
