package loadtest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of processor time in /proc, on every architecture that Go runs on.
const tick = time.Second / 100

// database is the name of the processes of a Postgres.
const database = "postgres"

// process is one line of the table of processes.
type process struct {
	name   string
	parent int
	cpu    time.Duration // with its ended children's
}

// readUsages returns what the given processes and all below them use. Those named postgres are counted apart.
func readUsages(pids []int) (usages, error) {
	u := usages{at: time.Now()}
	table, err := processTable()
	if err != nil {
		return u, err
	}
	for _, pid := range pids {
		if _, ok := table[pid]; !ok {
			return u, fmt.Errorf("process %d of the server is not there", pid)
		}
	}
	if u.machine, err = readMachine(); err != nil {
		return u, err
	}
	for pid, p := range table {
		if !below(table, pid, pids) {
			continue
		}
		group, memory := &u.server, resident
		if p.name == database {
			group, memory = &u.database, proportional
		}
		group.CPU += p.cpu
		n, err := memory(pid)
		if err != nil && !os.IsNotExist(err) { // it may just have ended
			return u, fmt.Errorf("memory of process %d: %w", pid, err)
		}
		group.Memory += n
	}
	return u, nil
}

// serverProcesses returns the given processes and those below them, but for the database's.
func serverProcesses(pids []int) ([]int, error) {
	table, err := processTable()
	if err != nil {
		return nil, err
	}
	var server []int
	for pid, p := range table {
		if p.name != database && below(table, pid, pids) {
			server = append(server, pid)
		}
	}
	return server, nil
}

// below reports whether pid is one of roots or descends from one.
func below(table map[int]process, pid int, roots []int) bool {
	for range len(table) {
		for _, root := range roots {
			if pid == root {
				return true
			}
		}
		p, ok := table[pid]
		if !ok {
			return false
		}
		pid = p.parent
	}
	return false
}

func processTable() (map[int]process, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	table := make(map[int]process, len(stats))
	for _, path := range stats {
		line, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		pid, p, err := parseStat(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		table[pid] = p
	}
	return table, nil
}

// parseStat reads a line of /proc/PID/stat. The name is in brackets and may hold anything.
//
// Source: proc_pid_stat(5): fields 1 pid, 2 comm, 4 ppid, 14–17 utime, stime, cutime, cstime.
func parseStat(line []byte) (pid int, p process, err error) {
	from, to := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if from < 1 || to < from {
		return 0, p, fmt.Errorf("no name in brackets")
	}
	fields := strings.Fields(string(line[to+1:])) // from field 3 on
	if len(fields) < 15 {
		return 0, p, fmt.Errorf("%d fields after the name", len(fields))
	}
	if pid, err = strconv.Atoi(strings.TrimSpace(string(line[:from]))); err != nil {
		return 0, p, err
	}
	if p.parent, err = strconv.Atoi(fields[1]); err != nil {
		return 0, p, err
	}
	p.name = string(line[from+1 : to])
	for _, f := range fields[11:15] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, p, err
		}
		p.cpu += time.Duration(n) * tick
	}
	return pid, p, nil
}

func readMachine() (machineTime, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return machineTime{}, err
	}
	return parseMachine(string(b))
}

// parseMachine reads the first line of /proc/stat.
//
// Source: proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal; guests are counted in user.
func parseMachine(stat string) (machineTime, error) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return machineTime{}, fmt.Errorf("/proc/stat begins with %d fields", len(fields))
	}
	var m machineTime
	for i, of := range map[int]*time.Duration{1: &m.busy, 2: &m.busy, 3: &m.busy, 6: &m.busy, 7: &m.busy, 8: &m.stolen} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return machineTime{}, fmt.Errorf("/proc/stat: %w", err)
		}
		*of += time.Duration(n) * tick
	}
	return m, nil
}

// resident returns the bytes of a process that are in memory.
func resident(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0, fmt.Errorf("statm of %d fields", len(fields))
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// proportional is resident, but of each page that n processes share only the n-th part counts. Where that may not be
// read it is resident.
func proportional(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return resident(pid)
	}
	for line := range strings.Lines(string(b)) {
		if rest, is := strings.CutPrefix(line, "Pss:"); is {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return n << 10, err
		}
	}
	return resident(pid)
}

// ownCPU returns the processor time of this process.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
