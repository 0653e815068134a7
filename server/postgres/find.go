package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strconv"
	"strings"
)

// MinVersion is the oldest major version of Postgres that will do.
const MinVersion = 14

// install is one set of Postgres server binaries.
type install struct {
	bin     string // directory of postgres and initdb
	major   int
	version string // as printed, such as "15.18"
}

// Find returns the directory of the newest usable Postgres server binaries.
// Those in PATH go first, then the places where packages put them. The error
// is a [*NotFoundError] that says what to install.
func Find() (bindir string, err error) {
	in, err := findInstall(context.Background(), 0)
	if err != nil {
		return "", err
	}
	return in.bin, nil
}

// findInstall returns the first usable installation of the major version, or
// of any version from MinVersion on if major is 0.
func findInstall(ctx context.Context, major int) (install, error) {
	miss := &NotFoundError{Major: major}
	for _, dir := range binDirs(ctx) {
		in, err := examine(ctx, dir)
		switch {
		case ctx.Err() != nil:
			return install{}, context.Cause(ctx)
		case err != nil:
			if !errors.Is(err, os.ErrNotExist) {
				miss.Refused = append(miss.Refused, fmt.Sprintf("%s: %v", dir, err))
			}
		case major == 0 && in.major < MinVersion, major != 0 && in.major != major:
			miss.Refused = append(miss.Refused, fmt.Sprintf("%s: is version %s", dir, in.version))
		default:
			return in, nil
		}
	}
	return install{}, miss
}

// binDirs lists the directories that may hold server binaries, best first,
// each once.
func binDirs(ctx context.Context) []string {
	var dirs []string
	seen := map[string]bool{}
	add := func(dir string) {
		if !seen[dir] {
			seen[dir] = true
			dirs = append(dirs, dir)
		}
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		// Postgres finds its own files relative to where it really is.
		if path, err = filepath.EvalSymlinks(path); err == nil {
			add(filepath.Dir(path))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",         // Debian, Ubuntu
		"/usr/pgsql-*/bin",                  // Fedora, RHEL (PGDG)
		"/usr/lib/postgresql*/bin",          // openSUSE
		"/usr/libexec/postgresql*",          // Alpine
		"/opt/homebrew/opt/postgresql*/bin", // Homebrew, Apple silicon
		"/usr/local/opt/postgresql*/bin",    // Homebrew, Intel
		"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
		"/usr/local/pgsql/bin", // built from source
	} {
		found, _ := filepath.Glob(pattern) // fails on a bad pattern only
		sort.Slice(found, func(i, j int) bool { return numberIn(found[i]) > numberIn(found[j]) })
		for _, dir := range found {
			add(dir)
		}
	}
	if tool, err := exec.LookPath("pg_config"); err == nil {
		ctx, cancel := context.WithTimeout(ctx, versionLimit)
		defer cancel()
		if out, err := exec.CommandContext(ctx, tool, "--bindir").Output(); err == nil {
			add(strings.TrimSpace(string(out)))
		}
	}
	return dirs
}

var digits = regexp.MustCompile(`\d+`)

// numberIn returns the version in a path such as /usr/lib/postgresql/15/bin:
// the last number in it.
func numberIn(path string) int {
	all := digits.FindAllString(path, -1)
	if len(all) == 0 {
		return 0
	}
	n, err := strconv.Atoi(all[len(all)-1])
	if err != nil {
		return 0 // longer than any version
	}
	return n
}

var versionLine = regexp.MustCompile(`^postgres \(PostgreSQL\) ((\d+)\S*)`)

// examine looks whether dir holds a Postgres server, and which.
func examine(ctx context.Context, dir string) (install, error) {
	for _, name := range []string{"postgres", "initdb"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return install{}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, versionLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return install{}, fmt.Errorf("postgres --version: %w", err)
	}
	m := versionLine.FindSubmatch(out)
	if m == nil {
		return install{}, errors.New("postgres --version: no version in its answer")
	}
	major, err := strconv.Atoi(string(m[2]))
	if err != nil {
		return install{}, fmt.Errorf("postgres --version: %w", err)
	}
	return install{bin: dir, major: major, version: string(m[1])}, nil
}

// NotFoundError says that no usable Postgres server is installed, and what
// to install.
type NotFoundError struct {
	// Major is the only version that would have done, or 0 for any from
	// MinVersion on. A cluster can be opened by its own version alone.
	Major int
	// Refused lists what was found and why it will not do.
	Refused []string
}

func (e *NotFoundError) Error() string {
	var b strings.Builder
	if e.Major != 0 {
		fmt.Fprintf(&b, "the database was made by PostgreSQL %d, whose server is not installed (pg_upgrade would move it to a newer one)", e.Major)
	} else {
		fmt.Fprintf(&b, "no PostgreSQL server of version %d or newer is installed", MinVersion)
	}
	for _, r := range e.Refused {
		b.WriteString("; " + r)
	}
	b.WriteString("; install it: " + advice(runtime.GOOS, distribution("/etc/os-release"), e.Major))
	return b.String()
}

// advice is the command that installs a Postgres server of the major version,
// or of any if major is 0.
func advice(goos, distro string, major int) string {
	suffix := func(sep string) string {
		if major == 0 {
			return ""
		}
		return sep + strconv.Itoa(major)
	}
	switch {
	case goos == "darwin":
		if major == 0 {
			major = 17
		}
		return fmt.Sprintf("brew install postgresql@%d", major)
	case distro == "debian":
		return "apt-get install postgresql" + suffix("-")
	case distro == "fedora":
		return "dnf install postgresql" + suffix("") + "-server"
	case distro == "alpine":
		return "apk add postgresql" + suffix("")
	case distro == "arch":
		return "pacman -S postgresql"
	case distro == "suse":
		return "zypper install postgresql" + suffix("") + "-server"
	}
	return "the server package of PostgreSQL" + suffix(" ") + ", from https://www.postgresql.org/download/"
}

// distribution returns the family of Linux that the os-release file names, or "".
func distribution(osRelease string) string {
	f, err := os.Open(osRelease)
	if err != nil {
		return "" // not Linux, or too small a Linux to tell
	}
	defer f.Close()
	families := map[string]string{
		"debian": "debian", "ubuntu": "debian", "fedora": "fedora", "rhel": "fedora", "centos": "fedora",
		"alpine": "alpine", "arch": "arch", "suse": "suse", "opensuse": "suse",
	}
	found := ""
	for lines := bufio.NewScanner(f); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), "=")
		if key != "ID" && key != "ID_LIKE" {
			continue
		}
		for word := range strings.FieldsSeq(strings.Trim(value, `"'`)) {
			if family := families[word]; family != "" && (found == "" || key == "ID") {
				found = family
			}
		}
	}
	return found
}
