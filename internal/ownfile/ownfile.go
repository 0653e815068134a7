// Package ownfile reads files that hold secrets, and refuses those that somebody else could have read or written.
package ownfile

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Rule says which bits of a file's mode say too much, of one that belongs to this user and of one that belongs to root. A
// file of anybody else is always refused: they could change it.
type Rule struct{ Own, Root fs.FileMode }

// The rules there are. systemd lets a service read its credentials by an access list, which shows as a right of the group;
// a certificate's key is often root's, and given to a group of those servers that need it.
var (
	Owner       = Rule{0o077, 0o077} // nobody but its owner may so much as read it
	Group       = Rule{0o037, 0o037} // its group may read it as well
	GroupOfRoot = Rule{0o077, 0o037} // its group may, if it is root's
)

// Read returns what the file at path holds, which is no more than limit bytes.
func Read(path string, limit int, rule Rule) ([]byte, error) {
	// Whoever waits at a pipe would wait for ever.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	stat, known := info.Sys().(*syscall.Stat_t)
	forbidden := rule.Own
	if known && stat.Uid == 0 {
		forbidden = rule.Root
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file", path)
	case info.Mode()&forbidden != 0:
		return nil, fmt.Errorf("%s may be read or written by others (mode %04o); make it its owner's alone: chmod 600 %s", path, info.Mode().Perm(), path)
	case !known || stat.Uid != 0 && int(stat.Uid) != os.Geteuid():
		return nil, fmt.Errorf("%s belongs to another user, who could change it; give it to the server's: chown", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err == nil && len(text) > limit {
		err = fmt.Errorf("%s is longer than a key file", path)
	}
	return text, err
}
