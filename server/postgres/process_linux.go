package postgres

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Processes lists the Postgres processes that run on a cluster, the
// postmaster, if it lives, first. They are those whose working directory is
// the cluster: that holds for every child of a postmaster, also when the
// postmaster is gone.
func Processes(cluster string) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && belongs(pid, cluster) {
			pids = append(pids, pid)
		}
	}
	if f, err := readPIDFile(cluster); err == nil {
		if i := slices.Index(pids, f.pid); i > 0 {
			pids = slices.Insert(slices.Delete(pids, i, i+1), 0, f.pid)
		}
	}
	return pids
}

// belongs tells whether pid is a Postgres process of the cluster.
func belongs(pid int, cluster string) bool {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	exe, err := os.Readlink(filepath.Join(proc, "exe"))
	if err != nil {
		return false // gone, a zombie, or another user's
	}
	// The package manager may have replaced the file under the process.
	if name := strings.TrimSuffix(filepath.Base(exe), " (deleted)"); name != "postgres" {
		return false
	}
	at, err := os.Stat(filepath.Join(proc, "cwd"))
	if err != nil {
		return false
	}
	home, err := os.Stat(cluster)
	return err == nil && os.SameFile(at, home)
}

// endWithParent has the kernel ask the postmaster for a fast shutdown when
// the thread that starts it ends, and so when this process is killed.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }
