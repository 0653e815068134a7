package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/clisonix/tidechart/loadtest"
)

// print writes the table of a scene.
func (s scene) print(results map[string]result) {
	if s.search {
		s.printSearch(results)
	} else {
		s.printReports(results)
	}
	if len(results) < len(kinds) {
		return // nothing to compare with
	}
	for _, b := range s.bars {
		b.print(results)
	}
}

func (s scene) printSearch(results map[string]result) {
	row("", "keystrokes/s", "p99", "cores", "+postgres", "generator", "others", "stolen", "limit")
	for _, k := range kinds {
		r, ran := results[k.name]
		if !ran {
			continue
		}
		if r.report == nil {
			row(k.name, "none", "", "", "", "", "", "", r.limit)
			continue
		}
		row(k.name, fmt.Sprint(r.capacity), short(r.report.ToPeer.P99), cores(r.report.Server.Cores), cores(allCores(r.report)),
			cores(r.report.Generator.Cores), cores(r.report.OtherCores), cores(r.report.StolenCores), r.limit)
	}
}

func (s scene) printReports(results map[string]result) {
	if s.load.Typists > 0 {
		row("", "delivered", "p50", "p99", "max", "saved p99", "cores", "+postgres", "MB", "KB/conn", "generator", "others", "stolen", "late p99", "verdict")
	} else {
		row("", "synced", "sync p50", "sync p99", "all in", "extra MB", "cores", "+postgres", "MB", "KB/conn", "generator", "others", "stolen", "drops", "verdict")
	}
	for _, k := range kinds {
		r := results[k.name].report
		if r == nil {
			continue
		}
		perConn := fmt.Sprintf("%.1f", float64(r.Server.PerConn)/1024)
		if s.load.Size > 0 {
			perConn = "-" // it is the content that weighs
		}
		server := []string{
			cores(r.Server.Cores), cores(allCores(r)), fmt.Sprintf("%.0f", float64(r.Server.After)/1e6), perConn,
			cores(r.Generator.Cores), cores(r.OtherCores), cores(r.StolenCores),
		}
		row(append([]string{k.name}, append(s.figures(r, server), verdict(r))...)...)
	}
}

// figures puts the columns before and behind those of the server.
func (s scene) figures(r *loadtest.Report, server []string) []string {
	if s.load.Typists > 0 {
		k := r.Keystrokes
		before := []string{
			percent(k.Delivered, k.Expected), short(r.ToPeer.P50), short(r.ToPeer.P99), short(r.ToPeer.Max), short(r.ToSaved.P99),
		}
		return append(append(before, server...), short(r.Generator.Late.P99))
	}
	synced, sync, took, extra := r.Connections.Synced, r.Connections.ToSync, "", ""
	if s.load.Joins > 0 {
		synced, sync, took = r.Joins.Synced, r.Joins.Latency, short(r.Joins.Took)
		extra = fmt.Sprintf("%+.0f", float64(r.Joins.ExtraMemory)/1e6)
	}
	before := []string{fmt.Sprint(synced), short(sync.P50), short(sync.P99), took, extra}
	return append(append(before, server...), fmt.Sprint(r.Connections.Drops))
}

// print says whether a bar was reached. y-websocket's server has none: it answers for nothing.
func (b bar) print(results map[string]result) {
	var got float64
	ok := true
	if b.ratio != nil {
		got, ok = b.ratio(results[here], results[hocuspocus])
	} else {
		got = b.value(results[here])
	}
	sign, reached := "<=", got <= b.most
	if b.least {
		sign, reached = ">=", got >= b.most
	}
	word := "reached"
	switch {
	case !ok:
		word = "nothing to compare with"
	case !reached:
		word = "MISSED"
	}
	fmt.Printf("  %-32s %8.2f   to reach %s %g   %s\n", b.what, got, sign, b.most, word)
}

func row(cells ...string) {
	var line strings.Builder
	fmt.Fprintf(&line, "  %-12s", cells[0])
	for _, c := range cells[1:] {
		fmt.Fprintf(&line, " %10s", c)
	}
	fmt.Println(strings.TrimRight(line.String(), " "))
}

func verdict(r *loadtest.Report) string {
	switch {
	case r.OK():
		return "ok"
	case r.Documents.Faults > 0:
		return fmt.Sprintf("%d faults", r.Documents.Faults)
	}
	return "FAILED"
}

func percent(part, whole int64) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f%%", 100*float64(part)/float64(whole))
}

func cores(v float64) string { return fmt.Sprintf("%.2f", v) }

func inMS(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func short(d time.Duration) string {
	if d >= 100*time.Millisecond {
		return fmt.Sprintf("%.0f ms", inMS(d))
	}
	return fmt.Sprintf("%.1f ms", inMS(d))
}

// machine names the processor.
func machine() string {
	model := runtime.GOARCH
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d cores of %s", runtime.NumCPU(), model)
}
