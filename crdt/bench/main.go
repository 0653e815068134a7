// Command bench runs the workloads that decide how fast this engine has to be,
// in it and, by bench.mjs, in npm's yjs and ywasm, on the same data, and prints
// processor times and their ratios.
//
//	go run ./crdt/bench [-quick] [-rounds 3] [-only 'load|merge']
//
// Processors are not as fast at one time as at another: over several rounds, each
// of all engines, ratios are the medians of those of the rounds.
//
// It replays josephg/editing-traces from the folder $TRACES, else a history that
// it makes up.
package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"

	"github.com/clisonix/tidechart/crdt"
)

func main() {
	quick := flag.Bool("quick", false, "run each of the slow workloads once")
	rounds := flag.Int("rounds", 1, "how often each engine takes its turn")
	pattern := flag.String("only", "", "regular expression of the workloads to run, by the names that progress shows")
	dir := flag.String("dir", "crdt/bench", "where bench.mjs is")
	flag.Parse()
	only, err := regexp.Compile(*pattern)
	if err == nil {
		err = run(*dir, *quick, max(*rounds, 1), only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A workload is one line of the table. Values are ms, or bytes for heap.
type workload struct {
	name  string // as bench.mjs reports it
	label string
	bar   string // what is to be reached
}

var workloads = []workload{
	{"apply", "apply single-keystroke updates", "12x yjs, aim 25x"},
	{"load1", "load and read, v1", "8x yjs, 3x ywasm"},
	{"load2", "load and read, v2", "8x yjs, 3x ywasm"},
	{"local", "edit by index, an update each", "20x yjs"},
	{"local20k", "  the first 20,000 edits", ""},
	{"merge10k", "merge 10,000 updates", "linear"},
	{"merge50k", "merge 50,000 updates", "linear"},
	{"merge", "merge all updates", "1,000 ms"},
	{"diff", "difference to half the document", "1 ms per MB"},
	{"heap", "heap of the loaded document, KB", "1/4 of yjs"},
	{"B1.1 append", "B1.1 append 6,000 characters", ""},
	{"B1.3 prepend", "B1.3 prepend 6,000 characters", ""},
	{"B1.4 random", "B1.4 insert 6,000 anywhere", ""},
	{"B1.5 words", "B1.5 insert 6,000 words", ""},
	{"B1.7 mixed", "B1.7 insert and delete words", ""},
	{"B1.8 numbers", "B1.8 append 6,000 numbers", ""},
	{"B1.10 prepend", "B1.10 prepend 6,000 numbers", ""},
	{"B1.11 random", "B1.11 insert 6,000 anywhere", ""},
	{"B2.3 two words", "B2.3 exchange 2 x 6,000 words", ""},
	{"B3.1 map sets", "B3.1 1,549 set one key", ""},
	{"storm 5000", "5,000 insert at one place", ""},
	{"storm 10000", "10,000 insert at one place", ""},
	{"storm 20000", "20,000 insert at one place", "growth as yjs"},
	{"big load", "load 10,000,000 characters", "loads"},
	{"big edit", "  then 1,000 edits in it", "edits"},
}

type results map[string]float64

func run(dir string, quick bool, rounds int, only *regexp.Regexp) error {
	out, err := os.MkdirTemp("", "crdt-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out)
	path := filepath.Join(os.Getenv("TRACES"), "sequential-automerge-paper.json.gz")
	if os.Getenv("TRACES") == "" {
		path = filepath.Join(out, "trace.json.gz")
		if err := madeUp(path, 100_000); err != nil {
			return err
		}
		fmt.Println("TRACES is not set: the edits are made up. Ratios say little about real ones.")
	}
	var all []round
	for range rounds {
		r, err := takeTurns(dir, path, out, quick, only)
		if err != nil {
			return err
		}
		all = append(all, r)
	}
	print(all)
	return nil
}

// A round is what each engine took on the same data, one after the other.
type round struct{ here, yjs, ywasm results }

func takeTurns(dir, path, out string, quick bool, only *regexp.Regexp) (r round, err error) {
	if r.yjs, err = node(dir, "yjs", path, out, quick, only); err != nil {
		return r, err
	}
	if r.ywasm, err = node(dir, "ywasm", path, out, quick, only); err != nil {
		fmt.Println("ywasm is left out:", err)
	}
	r.here, err = measure(path, out, usual(quick), only)
	return r, err
}

// node runs bench.mjs and collects what it reports.
func node(dir, engine, trace, out string, quick bool, only *regexp.Regexp) (results, error) {
	size := "full"
	if quick {
		size = "quick"
	}
	cmd := exec.Command("node", "--expose-gc", filepath.Join(dir, "bench.mjs"), engine, trace, out, size, only.String())
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	got := make(results)
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		var line struct {
			Name  string
			Value float64
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("%s says %q: %w", engine, lines.Text(), err)
		}
		got[line.Name] = line.Value
	}
	if err := cmd.Wait(); err != nil {
		return got, fmt.Errorf("%s: %w", engine, err)
	}
	return got, nil
}

func print(rounds []round) {
	fmt.Printf("\n%-34s %10s %10s %10s %9s %9s  %s\n", "median ms of processor", "here", "yjs", "ywasm", "x yjs", "x ywasm", "to reach")
	for _, w := range workloads {
		var here, yjs, ywasm, xYjs, xYwasm []float64
		for _, r := range rounds {
			h, ok := r.here[w.name]
			if !ok {
				continue
			}
			if w.name == "heap" {
				h /= 1024
			}
			here = append(here, h)
			yjs, xYjs = r.yjs.against(w.name, h, yjs, xYjs)
			ywasm, xYwasm = r.ywasm.against(w.name, h, ywasm, xYwasm)
		}
		if here != nil {
			fmt.Printf("%-34s %10s %10s %10s %9s %9s  %s\n", w.label, number(here), number(yjs), number(ywasm), ratio(xYjs), ratio(xYwasm), w.bar)
		}
	}
}

// against adds a peer's figure, and how many times ours it is.
func (r results) against(name string, ours float64, values, ratios []float64) ([]float64, []float64) {
	v, ok := r[name]
	if !ok {
		return values, ratios
	}
	if name == "heap" {
		v /= 1024
	}
	return append(values, v), append(ratios, v/ours)
}

func number(values []float64) string {
	switch v := middle(values); {
	case len(values) == 0:
		return "-"
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func ratio(values []float64) string {
	if len(values) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", middle(values))
}

// A trace is a recorded editing history.
type trace struct {
	EndContent string `json:"endContent"`
	Txns       []struct {
		Patches []patch `json:"patches"`
	} `json:"txns"`
}

// A patch deletes del characters at an index and then inserts.
type patch struct {
	at, del int
	insert  string
}

func (p *patch) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[3]any{&p.at, &p.del, &p.insert})
}

func (p patch) MarshalJSON() ([]byte, error) { return json.Marshal([3]any{p.at, p.del, p.insert}) }

func readTrace(path string) ([]patch, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, "", err
	}
	var t trace
	if err := json.NewDecoder(z).Decode(&t); err != nil {
		return nil, "", err
	}
	var out []patch
	for _, x := range t.Txns {
		out = append(out, x.Patches...)
	}
	return out, t.EndContent, nil
}

// madeUp writes a history of n edits by one writer who types, jumps and deletes.
func madeUp(path string, n int) error {
	r := random(1)
	var text []byte
	var t trace
	at := 0
	for range n {
		if r.chance(0.02) {
			at = r.int(len(text) + 1)
		}
		p := patch{at: at}
		if at > 0 && r.chance(0.25) {
			at--
			p = patch{at: at, del: 1}
			text = append(text[:at], text[at+1:]...)
		} else {
			p.insert = r.letters(1)
			text = append(text[:at], append([]byte(p.insert), text[at:]...)...)
			at++
		}
		t.Txns = append(t.Txns, struct {
			Patches []patch `json:"patches"`
		}{[]patch{p}})
	}
	t.EndContent = string(text)
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	z := gzip.NewWriter(f)
	if err := json.NewEncoder(z).Encode(t); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return f.Close()
}

// A rng is mulberry32, so that bench.mjs can draw the same numbers.
type rng struct{ a uint32 }

func random(seed uint32) *rng { return &rng{seed} }

func (r *rng) next() float64 {
	r.a += 0x6D2B79F5
	t := (r.a ^ r.a>>15) * (1 | r.a)
	t = (t + (t^t>>7)*(61|t)) ^ t
	return float64(t^t>>14) / (1 << 32)
}

func (r *rng) int(n int) int         { return int(r.next() * float64(n)) }
func (r *rng) chance(p float64) bool { return r.next() < p }

func (r *rng) letters(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + r.int(26))
	}
	return string(b)
}

func median(reps int, f func() time.Duration) float64 {
	times := make([]float64, reps)
	for i := range times {
		times[i] = float64(f().Nanoseconds()) / 1e6
	}
	return middle(times)
}

// middle sorts the values and returns the one in the middle, 0 if there is none.
func middle(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// timed returns the processor time of f in all threads, collecting garbage
// included: others may be using the machine.
func timed(f func()) time.Duration {
	start := spent()
	f()
	return spent() - start
}

func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func apply(d *crdt.Doc, u []byte) {
	if err := d.ApplyUpdate(u); err != nil {
		panic(err)
	}
}
