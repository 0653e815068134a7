package main

import (
	"time"

	"github.com/clisonix/tidechart/loadtest"
)

// A scene is one load, and what is to be reached under it.
type scene struct {
	name   string
	load   loadtest.Config
	search bool // for the highest load of this shape
	bars   []bar
}

// A bar is something to be reached: how a figure of this server compares with Hocuspocus's, or a plain number.
type bar struct {
	what  string
	ratio func(here, other result) (float64, bool)
	value func(here result) float64
	most  float64 // or at least, if least is set
	least bool
}

func scenes(quick bool) []scene {
	base := loadtest.Defaults()
	base.Warmup, base.Duration = 5*time.Second, 30*time.Second
	if quick {
		base.Warmup, base.Duration = 2*time.Second, 6*time.Second
	}
	load := func(change func(*loadtest.Config)) loadtest.Config {
		c := base
		change(&c)
		return c
	}
	p99 := bar{what: "p99 to peer, ms", value: func(r result) float64 { return inMS(r.report.ToPeer.P99) }, most: 50}
	return []scene{
		{
			name: "200 notes x 5 clients, 2 typists at 5/s",
			load: load(func(c *loadtest.Config) { c.Notes, c.Clients = 200, 5 }),
			bars: []bar{p99},
		},
		{
			name: "400 notes x 10 clients, 2 typists at 5/s",
			load: load(func(c *loadtest.Config) { c.Notes, c.Clients = 400, 10 }),
			bars: []bar{
				p99,
				{what: "p99 by Hocuspocus's (aim 0.25)", ratio: ofP99, most: 0.5},
				{what: "server cores by Hocuspocus's", ratio: ofCores, most: 0.6},
				{what: "with Postgres, by Hocuspocus's", ratio: ofAllCores, most: 1},
			},
		},
		{
			name: "one note with 300 clients, 2 typists at 5/s",
			load: load(func(c *loadtest.Config) { c.Notes, c.Clients = 1, 300 }),
			bars: []bar{p99},
		},
		{
			name: "presence: 200 notes x 5 clients, 2 typists at 5/s",
			load: load(func(c *loadtest.Config) { c.Notes, c.Clients, c.Presence = 200, 5, true }),
			bars: []bar{p99},
		},
		{
			name: "150 joins at once of a note of 5 MB",
			load: load(func(c *loadtest.Config) {
				c.Notes, c.Clients, c.Typists, c.Joins, c.Size, c.Duration = 1, 1, 0, 150, 5_000_000, 4*time.Second
			}),
			bars: []bar{
				{what: "all joined, s", value: func(r result) float64 { return r.report.Joins.Took.Seconds() }, most: 2},
				{what: "extra memory, MB", value: func(r result) float64 { return float64(r.report.Joins.ExtraMemory) / 1e6 }, most: 150},
			},
		},
		idle(load, quick),
		{
			name: "capacity: most keystrokes/s with p99 < 50 ms, notes x 10 clients, 2 typists at 5/s", search: true,
			load: load(func(c *loadtest.Config) {
				c.Clients, c.Warmup, c.Duration, c.Drain, c.Verify = 10, 3*time.Second, c.Duration/3, 10*time.Second, 0.1
			}),
			bars: []bar{{what: "capacity by Hocuspocus's (aim 3)", ratio: ofCapacity, most: 1.5, least: true}},
		},
	}
}

func idle(load func(func(*loadtest.Config)) loadtest.Config, quick bool) scene {
	s := scene{
		name: "10,000 idle connections to 1,000 notes",
		load: load(func(c *loadtest.Config) {
			c.Notes, c.Clients, c.Typists = 1000, 10, 0
		}),
		bars: []bar{{what: "memory a connection, KB", value: func(r result) float64 { return float64(r.report.Server.PerConn) / 1024 }, most: 15}},
	}
	if quick {
		s.name, s.load.Notes = "2,000 idle connections to 200 notes", 200
	}
	return s
}

func ofP99(here, other result) (float64, bool) {
	return ratio(float64(here.report.ToPeer.P99), float64(other.report.ToPeer.P99))
}

func ofCores(here, other result) (float64, bool) {
	return ratio(here.report.Server.Cores, other.report.Server.Cores)
}

func ofAllCores(here, other result) (float64, bool) {
	return ratio(allCores(here.report), other.report.Server.Cores)
}

func ofCapacity(here, other result) (float64, bool) {
	return ratio(float64(here.capacity), float64(other.capacity))
}

func ratio(a, b float64) (float64, bool) { return a / b, b > 0 }

// allCores counts a server's Postgres in.
func allCores(r *loadtest.Report) float64 {
	cores := r.Server.Cores
	if r.Database != nil {
		cores += r.Database.Cores
	}
	return cores
}
