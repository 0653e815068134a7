package postgres

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// pidFile is what a postmaster says of itself in postmaster.pid.
//
// Source: PostgreSQL, src/include/utils/pidfile.h.
type pidFile struct {
	pid    int
	socket string // directory of the Unix socket
	ready  bool   // accepts connections
}

func readPIDFile(cluster string) (pidFile, error) {
	f, err := os.Open(filepath.Join(cluster, "postmaster.pid"))
	if err != nil {
		return pidFile{}, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, pidFileMax))
	if err != nil {
		return pidFile{}, err
	}
	return parsePIDFile(string(b))
}

// parsePIDFile reads the lines that are there: a postmaster writes the first
// few as it starts and the others as it gets on.
func parsePIDFile(text string) (pidFile, error) {
	lines := strings.Split(text, "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || pid <= 0 {
		return pidFile{}, fmt.Errorf("postmaster.pid of %d bytes has no process id", len(text))
	}
	p := pidFile{pid: pid}
	if len(lines) > 4 {
		p.socket = lines[4]
	}
	if len(lines) > 7 {
		p.ready = strings.TrimSpace(lines[7]) == "ready"
	}
	return p, nil
}
