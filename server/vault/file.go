package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/clisonix/tidechart/internal/ownfile"
)

// maxFile bounds a key file, in bytes (I10).
const maxFile = 16 << 10

// ReadFile reads a secret from a key file that no key service seals, and that only this user, or only root, may own and read.
func ReadFile(path string) (Secret, error) {
	text, err := ReadText(path)
	if err != nil {
		return Secret{}, err
	}
	s, err := Parse(text)
	if err != nil {
		return Secret{}, fmt.Errorf("read keys: %s: %w", path, err)
	}
	return s, nil
}

// ReadText returns what a key file says, for [Parse] or [ParseSealed].
func ReadText(path string) ([]byte, error) {
	text, err := ReadPrivate(path)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	return text, nil
}

// ReadPrivate reads a file that only this user, or only root, may own and read.
func ReadPrivate(path string) ([]byte, error) { return ownfile.Read(path, maxFile, ownfile.Owner) }

// ReadCredential reads what systemd hands to its service (LoadCredential=): a file in $CREDENTIALS_DIRECTORY.
func ReadCredential(path string) ([]byte, error) { return ownfile.Read(path, maxFile, ownfile.Group) }

// CreateFile makes a secret, writes it to a new key file and returns it when that is on disk. A file that is there is left
// as it is, and the error is [fs.ErrExist].
func CreateFile(path string) (Secret, error) {
	s := NewSecret()
	return s, WriteFile(path, s)
}

// WriteFile writes a secret to a new key file, which is on disk then. A file that is there is left as it is, and the error is
// [fs.ErrExist].
func WriteFile(path string, s Secret) error {
	text, err := s.Text()
	if err != nil {
		return err
	}
	return WriteText(path, text)
}

// WriteText does so with what a key file is to say, of [Secret.Text] or [Secret.Sealed].
func WriteText(path string, text []byte) error {
	return write(path, text, func(f *os.File) error {
		return os.Link(f.Name(), path) // fails if there is one
	})
}

// ReplaceText writes what a key file is to say over the one that is there, whose owner stays. Whoever reads it meanwhile reads all of
// either.
func ReplaceText(path string, text []byte) error {
	old, err := ReadText(path)
	if err == nil && IsSealed(old) {
		_, _, err = sealedParts(old)
	} else if err == nil {
		_, err = Parse(old)
	}
	if err != nil {
		return err
	}
	path, err = filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	return write(path, text, func(f *os.File) error {
		stat, known := info.Sys().(*syscall.Stat_t)
		if known && int(stat.Uid) != os.Geteuid() {
			if err := f.Chown(int(stat.Uid), int(stat.Gid)); err != nil {
				return err
			}
		}
		return os.Rename(f.Name(), path)
	})
}

// write writes under a passing name first, so that nobody ever reads half a key, and has place give the file its own.
func write(path string, text []byte, place func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new") // mode 0600
	if err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync()); err == nil {
		err = place(f)
	}
	err = errors.Join(err, f.Close())
	if gone := os.Remove(f.Name()); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	return nil
}

// syncDir makes a new name in dir survive a power cut.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
