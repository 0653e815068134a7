package vault

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// maxFile bounds a key file, in bytes (I10).
const maxFile = 4 << 10

// Bits of a file's mode that say too much: nobody but its owner may so much as read it. systemd lets a service read its
// credentials by an access list, which shows as a right of the group.
const (
	othersMay     = 0o077
	credentialMay = 0o037
)

// ReadFile reads a secret from a key file, which only this user, or only root, may own and read.
func ReadFile(path string) (Secret, error) { return read(path, othersMay) }

// ReadCredential reads a secret that systemd hands to its service (LoadCredential=): a file in $CREDENTIALS_DIRECTORY.
func ReadCredential(path string) (Secret, error) { return read(path, credentialMay) }

func read(path string, forbidden fs.FileMode) (Secret, error) {
	// Whoever waits at a pipe would wait for ever.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return Secret{}, fmt.Errorf("read keys: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return Secret{}, fmt.Errorf("read keys: %w", err)
	}
	stat, known := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.Mode().IsRegular():
		return Secret{}, fmt.Errorf("read keys: %s is not a file", path)
	case info.Mode()&forbidden != 0:
		return Secret{}, fmt.Errorf("read keys: %s may be read or written by others (mode %04o); make it its owner's alone: chmod 600 %s", path, info.Mode().Perm(), path)
	case !known || stat.Uid != 0 && int(stat.Uid) != os.Geteuid():
		return Secret{}, fmt.Errorf("read keys: %s belongs to another user, who could change it; give it to the server's: chown", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return Secret{}, fmt.Errorf("read keys: %w", err)
	}
	if len(text) > maxFile {
		return Secret{}, fmt.Errorf("read keys: %s is longer than a key file", path)
	}
	s, err := Parse(text)
	if err != nil {
		return Secret{}, fmt.Errorf("read keys: %s: %w", path, err)
	}
	return s, nil
}

const fileText = `# Tidechart's key. Who has it and the database can read what the database holds.
# Who loses it cannot, ever: keep a copy where no copy of the database is.
# Key %s
%s
`

// CreateFile makes a secret, writes it to a new key file and returns it when that is on disk. A file that is there is left
// as it is, and the error is [fs.ErrExist].
func CreateFile(path string) (Secret, error) {
	s := NewSecret()
	v, err := New(s)
	if err != nil {
		return Secret{}, err
	}
	// Under a passing name first: nobody ever reads half a key.
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new") // mode 0600
	if err != nil {
		return Secret{}, fmt.Errorf("make keys: %w", err)
	}
	_, err = fmt.Fprintf(f, fileText, v.ID(), s.text())
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path) // fails if there is one
	}
	err = errors.Join(err, os.Remove(f.Name()))
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return Secret{}, fmt.Errorf("make keys: %w", err)
	}
	return s, nil
}

// syncDir makes a new name in dir survive a power cut.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
