//go:build !linux

package postgres

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// Processes lists the Postgres processes that run on a cluster. Without /proc
// it knows the postmaster alone.
func Processes(cluster string) []int {
	f, err := readPIDFile(cluster)
	if err != nil || !belongs(f.pid, cluster) {
		return nil
	}
	return []int{f.pid}
}

// belongs tells whether pid is the postmaster of the cluster, which has the
// cluster on its command line, or a child, which has the cluster's name.
func belongs(pid int, cluster string) bool {
	title := title(pid)
	return strings.Contains(title, "postgres") &&
		(strings.Contains(title, "-D "+cluster+" ") || strings.Contains(title, clusterName(cluster)))
}

// isPostgres tells whether pid is any Postgres process.
func isPostgres(pid int) bool { return strings.Contains(title(pid), "postgres") }

func title(pid int) string {
	ctx, cancel := context.WithTimeout(context.Background(), versionLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, "ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return "" // gone
	}
	return string(out)
}

// endWithParent does nothing where no kernel signal tells of a parent's end:
// the next start stops what was left.
func endWithParent(*syscall.SysProcAttr) {}
