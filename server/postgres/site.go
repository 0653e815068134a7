package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// site is where one server lives and who runs it. It is static once opened.
type site struct {
	dir     string // data directory: absolute, free of symbolic links
	cluster string // likewise
	socket  string // directory of the Unix socket
	install install
	account account
}

// elsewhere holds the clusters whose data directory the user of Postgres
// cannot reach.
const elsewhere = "/var/lib/tidechart"

// makeDataDir creates dir if needed and returns its one true name.
func makeDataDir(dir string) (string, error) {
	if dir == "" {
		return "", errors.New("no data directory given")
	}
	mode := fs.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711 // the user that Postgres drops to must pass through, not look around
	}
	if err := os.MkdirAll(dir, mode); err != nil {
		return "", err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

// openSite finds the cluster of a locked data directory, or makes it, and
// readies all that a postmaster needs.
func openSite(ctx context.Context, dir string, log *slog.Logger) (*site, error) {
	s := &site{dir: dir}
	var err error
	if s.cluster, err = existingCluster(dir); err != nil {
		return nil, err
	}
	if s.account, err = chooseAccount(s.cluster); err != nil {
		return nil, err
	}
	major := 0
	if s.cluster != "" {
		if major, err = clusterVersion(s.cluster); err != nil {
			return nil, err
		}
	}
	if s.install, err = findInstall(ctx, major); err != nil {
		return nil, err
	}
	if s.cluster == "" {
		if err := s.create(ctx, log); err != nil {
			return nil, err
		}
	}
	if s.socket, err = socketDir(dir, s.account); err != nil {
		return nil, err
	}
	return s, nil
}

// existingCluster returns the cluster of dir, or "" if there is none yet.
func existingCluster(dir string) (string, error) {
	path := filepath.Join(dir, "postgres")
	cluster, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return cluster, err
	}
	target, err := os.Readlink(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return "", fmt.Errorf("the database is missing: %s leads to %s, which does not exist (remove the link to start an empty one)", path, target)
}

// clusterVersion returns the major version that made the cluster.
func clusterVersion(cluster string) (int, error) {
	b, err := os.ReadFile(filepath.Join(cluster, "PG_VERSION"))
	if err != nil {
		return 0, fmt.Errorf("%s holds no database: %w", cluster, err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0, fmt.Errorf("%s holds no database of a known version: %w", cluster, err)
	}
	return major, nil
}

// create makes the cluster under a passing name and gives it its place when
// it is whole, so that a half-made one is never taken for a database.
func (s *site) create(ctx context.Context, log *slog.Logger) error {
	link := filepath.Join(s.dir, "postgres")
	pattern, place := link+"-*.new", s.dir
	reachable, err := s.reachable(ctx)
	if err != nil {
		return err
	}
	if !reachable {
		if err := os.MkdirAll(elsewhere, 0o711); err != nil {
			return err
		}
		if err := os.Chmod(elsewhere, 0o711); err != nil { // whatever the umask
			return err
		}
		place = elsewhere
		pattern = filepath.Join(elsewhere, fingerprint(s.dir)+"-*.new")
	}
	if err := removeHalfMade(pattern); err != nil {
		return err
	}
	half, err := os.MkdirTemp(place, filepath.Base(pattern))
	if err != nil {
		return err
	}
	if err := s.account.own(half); err != nil {
		return err
	}
	if err := s.initdb(ctx, half); err != nil {
		return errors.Join(err, os.RemoveAll(half))
	}
	s.cluster = link
	if !reachable {
		s.cluster = strings.TrimSuffix(half, ".new")
	}
	if err := os.Rename(half, s.cluster); err != nil {
		return err
	}
	if err := syncDir(place); err != nil || reachable {
		return err
	}
	log.Info("user cannot reach the data directory: the database is kept elsewhere, behind a link",
		"user", s.account.name, "dir", s.dir, "database", s.cluster)
	if err := os.Symlink(s.cluster, link); err != nil {
		return err
	}
	return syncDir(s.dir)
}

// reachable tells whether the account can enter the data directory, by trying.
func (s *site) reachable(ctx context.Context) (bool, error) {
	if !s.account.drop {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, versionLimit)
	defer cancel()
	if err := s.command(ctx, "/", nil, "postgres", "--version"); err != nil {
		return false, fmt.Errorf("run postgres as user %s: %w", s.account.name, err)
	}
	err := s.command(ctx, s.dir, nil, "postgres", "--version")
	if errors.Is(err, fs.ErrPermission) {
		return false, nil
	}
	return err == nil, err
}

// removeHalfMade clears what an interrupted create left behind.
func removeHalfMade(pattern string) error {
	found, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	for _, path := range found {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// socketDir makes the directory of the socket and proves that it is ours. The
// path of a socket is short by decree of the kernel, so it cannot lie in the
// data directory; in /tmp anybody may have been there first.
func socketDir(dir string, a account) (string, error) {
	path := "/tmp/tidechart-" + fingerprint(dir)
	if n := len(path) + len("/.s.PGSQL.5432.lock"); n > socketPathMax {
		return "", fmt.Errorf("socket path of %d bytes is longer than %d", n, socketPathMax)
	}
	err := os.Mkdir(path, 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	ours := ok && (stat.Uid == a.uid || stat.Uid == uint32(os.Geteuid()))
	if !info.IsDir() || !ours {
		return "", fmt.Errorf("%s is not this user's directory: somebody else made it; have it removed", path)
	}
	if err := a.own(path); err != nil {
		return "", err
	}
	return path, os.Chmod(path, 0o700)
}

// fingerprint is a short name for a data directory.
func fingerprint(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:8])
}

// syncDir makes a rename or a link in dir survive a power cut.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
