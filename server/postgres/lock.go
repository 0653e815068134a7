package postgres

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// fileLock is an exclusive lock that ends with the process that holds it,
// however that process ends.
type fileLock struct{ f *os.File }

// lockFile locks the file at path, which it creates. The error is [ErrInUse],
// with the holder's process id, if another process has it.
func lockFile(path string) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	return lock(f)
}

// lockCluster locks the cluster itself. The directory belongs to the less
// privileged user of Postgres, so nothing in it may lead this process outside.
func lockCluster(cluster string) (*fileLock, error) {
	root, err := os.OpenRoot(cluster)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.OpenFile("tidechart.lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return lock(f)
}

func lock(f *os.File) (*fileLock, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrInUse
		if holder, readErr := io.ReadAll(io.LimitReader(f, 32)); readErr == nil {
			if pid, convErr := strconv.Atoi(strings.TrimSpace(string(holder))); convErr == nil {
				err = fmt.Errorf("%w: process %d", ErrInUse, pid)
			}
		}
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", filepath.Base(f.Name()), err)
	}
	return &fileLock{f}, nil
}

// release unlocks before it closes: a child that is just being forked has the
// file too, until it runs its program, and would keep the lock.
func (l *fileLock) release() error {
	return errors.Join(syscall.Flock(int(l.f.Fd()), syscall.LOCK_UN), l.f.Close())
}
