package postgres

import (
	"errors"
	"io/fs"
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
	if errors.Is(err, fs.ErrPermission) {
		return isTitled(proc, cluster)
	}
	if err != nil {
		return false // gone, or a zombie
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

// isTitled goes by owner and title of a process whose directory may not be
// seen: root in a container lacks the capability to look at the processes of
// the user it dropped to. A postmaster shows its command line and each child
// the cluster's name.
func isTitled(proc, cluster string) bool {
	owner, err := ownerID(proc)
	if err != nil {
		return false
	}
	if home, err := ownerID(cluster); err != nil || home != owner {
		return false
	}
	b, err := os.ReadFile(filepath.Join(proc, "cmdline"))
	if err != nil {
		return false
	}
	title := string(b)
	if strings.HasPrefix(title, "postgres: "+clusterName(cluster)+":") {
		return true
	}
	args := strings.Split(title, "\x00")
	at := slices.Index(args, "-D")
	return filepath.Base(args[0]) == "postgres" && at > 0 && at+1 < len(args) && args[at+1] == cluster
}

// isPostgres tells whether pid is a Postgres process of any cluster. A zombie
// is none: it shows no command line.
func isPostgres(pid int) bool {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	program, _, _ := strings.Cut(string(b), "\x00")
	return err == nil && (filepath.Base(program) == "postgres" || strings.HasPrefix(program, "postgres:"))
}

// endWithParent has the kernel ask the postmaster for a fast shutdown when
// the thread that starts it ends, and so when this process is killed.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }
