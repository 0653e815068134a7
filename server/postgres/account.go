package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is the operating-system user that Postgres runs as.
type account struct {
	name     string
	uid, gid uint32
	drop     bool // this process is root and has to become the account
}

// chooseAccount picks who runs Postgres: whoever owns the cluster or, if
// cluster is "" because there is none yet, the present user or the user that
// root drops to.
func chooseAccount(cluster string) (account, error) {
	euid := os.Geteuid()
	if cluster != "" {
		return ownerOf(cluster, euid)
	}
	if euid != 0 {
		return lookup(strconv.Itoa(euid), false)
	}
	for _, name := range []string{"postgres", "_postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return lookup(u.Uid, true)
		}
	}
	return account{}, errors.New("postgres does not run as root, and there is neither a user postgres nor nobody to run it")
}

func ownerOf(cluster string, euid int) (account, error) {
	uid, err := ownerID(cluster)
	if err != nil {
		return account{}, err
	}
	a, err := lookup(strconv.FormatUint(uint64(uid), 10), euid == 0)
	switch {
	case err != nil:
		return account{}, err
	case uid == 0:
		return account{}, fmt.Errorf("%s belongs to root, and postgres does not run as root: give it to another user (chown -R)", cluster)
	case euid != 0 && uid != uint32(euid):
		return account{}, fmt.Errorf("%s belongs to user %s: start as %s or root, or use another data directory", cluster, a.name, a.name)
	}
	return a, nil
}

func lookup(uid string, drop bool) (account, error) {
	u, err := user.LookupId(uid)
	if err != nil {
		return account{}, fmt.Errorf("postgres needs a user with a name: %w", err)
	}
	id, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("user %s: %w", u.Username, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("user %s: %w", u.Username, err)
	}
	return account{name: u.Username, uid: uint32(id), gid: uint32(gid), drop: drop}, nil
}

// ownerID returns the user id of path's owner, of a link's if it is one.
func ownerID(path string) (uint32, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, fmt.Errorf("%s: the file system tells no owner", path)
	}
	return stat.Uid, nil
}

// own gives path to the account if this process drops to it.
func (a account) own(path string) error {
	if !a.drop {
		return nil
	}
	return os.Lchown(path, int(a.uid), int(a.gid))
}

// attributes are those of a child process that runs as the account, in a
// session of its own: a terminal's Ctrl-C is for the server, which ends
// Postgres when it has saved what it holds.
func (a account) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	if a.drop {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}
