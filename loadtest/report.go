package loadtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"time"
)

// A Report says how a server bore a load. Its JSON has latencies in milliseconds and memory in bytes.
type Report struct {
	Load  string `json:"load"`
	Early bool   `json:"early"` // the run was ended before its time

	Connections Connections `json:"connections"`
	Keystrokes  Keystrokes  `json:"keystrokes"`
	ToPeer      Latency     `json:"keystrokeToPeer"`
	ToSaved     Latency     `json:"keystrokeToSaved"`
	Presence    int64       `json:"presenceStates"`
	Joins       Joins       `json:"joins"`
	Revocations Revocations `json:"revocations"`
	Server      *Resources  `json:"server,omitempty"`   // nil: nobody said which processes
	Database    *Resources  `json:"database,omitempty"` // nil: it is not below them
	Generator   Generator   `json:"generator"`
	OtherCores  float64     `json:"otherCores"`  // that somebody else kept busy; 0 if nobody said which processes are the server's
	StolenCores float64     `json:"stolenCores"` // that the host of a virtual machine did not give; 0 as above
	Documents   Documents   `json:"documents"`
	Warning     string      `json:"warning,omitempty"`
}

// Connections are those that the run was to have all the time.
type Connections struct {
	Wanted int            `json:"wanted"`
	Synced int            `json:"synced"` // at some time
	ToSync Latency        `json:"toSync"`
	Drops  int64          `json:"drops"` // ends that the run did not want
	Ends   map[string]int `json:"ends"`  // why
}

// Keystrokes count those of the warm-up, too.
type Keystrokes struct {
	Sent      int64 `json:"sent"`
	Saved     int64 `json:"saved"`
	Refused   int64 `json:"refused"` // updates that the server said it did not save
	Delivered int64 `json:"delivered"`
	Expected  int64 `json:"expected"`
}

// Joins are a storm's.
type Joins struct {
	Wanted      int           `json:"wanted"`
	Synced      int           `json:"synced"`
	Latency     Latency       `json:"toSync"`
	Took        time.Duration `json:"tookNs"`
	ExtraMemory int64         `json:"extraMemory"` // at the peak, above what it was before
}

// Resources are what processes used while typing was measured.
type Resources struct {
	CPU     time.Duration `json:"cpuNs"`
	Cores   float64       `json:"cores"`               // CPU by time that passed
	Before  int64         `json:"memoryBefore"`        // anybody connected
	After   int64         `json:"memory"`              // at the end
	PerConn int64         `json:"memoryPerConnection"` // what each added
}

// Generator is what the load itself cost, and how far it can be trusted.
type Generator struct {
	CPU   time.Duration `json:"cpuNs"`
	Cores float64       `json:"cores"`
	Late  Latency       `json:"late"` // keystrokes, after they were due
}

// Documents is the verdict on the notes.
type Documents struct {
	Notes    int     `json:"notes"`
	Replicas int     `json:"replicas"`
	Compared int     `json:"compared"` // in full; of the others the state vectors
	Faults   int     `json:"faults"`
	Examples []Fault `json:"examples"`
}

// OK reports whether everybody was served and nothing was lost, duplicated or different.
func (r *Report) OK() bool {
	k := r.Keystrokes
	return r.Documents.Faults == 0 && k.Refused == 0 && r.Revocations.LastFrame.Max <= maxRevoked && (r.Early ||
		r.Revocations.ok() &&
			k.Delivered >= k.Expected && k.Saved >= k.Sent &&
			r.Connections.Synced == r.Connections.Wanted && r.Joins.Synced == r.Joins.Wanted)
}

// report compares the documents and puts everything together, once no client lives.
func (r *run) report(ctx context.Context, m marks) (*Report, error) {
	select {
	case err := <-r.failed:
		return nil, err
	default:
	}
	q, err := r.inquire(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	n := &r.count
	rep := &Report{
		Load: r.config.String(), Early: m.early,
		Connections: Connections{Wanted: len(r.clients), Synced: ready(r.clients), ToSync: n.connecting.latency(), Drops: n.drops.Load(), Ends: r.ends},
		Keystrokes: Keystrokes{
			Sent: n.sent.Load(), Saved: n.saved.Load(), Refused: n.refused.Load(), Delivered: n.delivered.Load(), Expected: r.expected(),
		},
		ToPeer: n.toPeer.latency(), ToSaved: n.toSaved.latency(), Presence: n.presence.Load(),
		Joins:       Joins{Wanted: len(r.joiners), Synced: ready(r.joiners), Latency: n.joins.latency(), Took: m.storm.took, ExtraMemory: m.storm.extra},
		Revocations: Revocations{Wanted: int(n.revoked.Load()), Ended: int(n.revokedEnds.Load()), LastFrame: n.lastFrame.latency(), Closed: n.revokedClose.latency()},
		Generator:   Generator{CPU: m.own, Late: n.late.latency()},
		Documents:   Documents{Notes: len(r.documents), Replicas: len(r.clients) + len(r.joiners), Compared: q.compared, Faults: q.found, Examples: q.faults},
	}
	r.resources(rep, m)
	return rep, nil
}

// resources adds what the processes used.
func (r *run) resources(rep *Report, m marks) {
	passed := m.end.at.Sub(m.begin.at)
	if passed > 0 {
		rep.Generator.Cores = m.own.Seconds() / passed.Seconds()
	}
	if len(r.config.PIDs) == 0 {
		return
	}
	if r.watch.err != nil {
		rep.Warning = r.watch.err.Error()
		return
	}
	of := func(pick func(usages) Usage) *Resources {
		used := pick(m.end).since(pick(m.begin))
		return &Resources{
			CPU: used.CPU, Cores: used.CPU.Seconds() / max(passed.Seconds(), 1e-3), Before: pick(m.before).Memory, After: pick(m.end).Memory,
			PerConn: (pick(m.end).Memory - pick(m.before).Memory) / int64(len(r.clients)),
		}
	}
	rep.Server = of(func(u usages) Usage { return u.server })
	others := m.end.machine.busy - m.begin.machine.busy - rep.Server.CPU - m.own
	if m.end.database.CPU > 0 {
		rep.Database = of(func(u usages) Usage { return u.database })
		others -= rep.Database.CPU
	}
	rep.OtherCores = max(others.Seconds()/max(passed.Seconds(), 1e-3), 0)
	rep.StolenCores = (m.end.machine.stolen - m.begin.machine.stolen).Seconds() / max(passed.Seconds(), 1e-3)
}

func ready(clients []*client) (n int) {
	for _, c := range clients {
		if c.ready {
			n++
		}
	}
	return n
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	p := &printer{w: w}
	p.line("load", "%s", r.Load)
	if r.Early {
		p.line("", "ended early: these are the figures so far")
	}
	p.line("connections", "%d of %d synced   %s", r.Connections.Synced, r.Connections.Wanted, r.Connections.ToSync)
	for _, end := range slices.Sorted(maps.Keys(r.Connections.Ends)) {
		p.line("", "%d ended: %s", r.Connections.Ends[end], end)
	}
	if k := r.Keystrokes; k.Sent > 0 {
		p.line("keystrokes", "%d sent   %d saved   %d refused   %d of %d delivered", k.Sent, k.Saved, k.Refused, k.Delivered, k.Expected)
		p.line("to peer", "%s", r.ToPeer)
		p.line("to saved", "%s", r.ToSaved)
	}
	if r.Presence > 0 {
		p.line("presence", "%d states received", r.Presence)
	}
	if j := r.Joins; j.Wanted > 0 {
		p.line("joins", "%d of %d synced   %s   all in %s", j.Synced, j.Wanted, j.Latency, ms(j.Took))
		if r.Server != nil {
			p.line("", "server memory %+.1f MB at the peak", mb(j.ExtraMemory))
		}
	}
	if v := r.Revocations; v.Wanted > 0 {
		p.line("revocations", "%d of %d sockets ended   %s", v.Ended, v.Wanted, v.Closed)
		p.line("last frame", "%s", v.LastFrame)
	}
	p.resources("server", r.Server)
	p.resources("postgres", r.Database)
	p.line("generator", "%.2f of %d cores   keystrokes late by %s", r.Generator.Cores, runtime.NumCPU(), r.Generator.Late)
	if r.Server != nil {
		p.line("others", "%.2f cores: what else ran here, and the kernel   %.2f more the host withheld", r.OtherCores, r.StolenCores)
	}
	d := r.Documents
	p.line("documents", "%d notes in %d replicas, %d of them compared in full: %d faults", d.Notes, d.Replicas, d.Compared, d.Faults)
	for _, f := range d.Examples {
		p.line("", "%s: %s: %s", f.Document, f.Replica, f.What)
	}
	if r.Warning != "" {
		p.line("warning", "%s", r.Warning)
	}
	verdict := "everything arrived, once, in order, everywhere"
	if !r.OK() {
		verdict = "FAILED"
	}
	p.line("verdict", "%s", verdict)
	return p.err
}

// PrintJSON writes the report for machines.
func (r *Report) PrintJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		*Report
		OK bool `json:"ok"`
	}{r, r.OK()})
}

// printer writes lines with a heading until one fails.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(heading, format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, "%-12s %s\n", heading, fmt.Sprintf(format, args...))
	}
}

func (p *printer) resources(name string, r *Resources) {
	if r != nil {
		p.line(name, "%.2f cores   %.1f MB, %+.1f KB a connection", r.Cores, mb(r.After), float64(r.PerConn)/1024)
	}
}

func mb(bytes int64) float64 { return float64(bytes) / 1e6 }
