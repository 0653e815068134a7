package postgres

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

func (s *site) logPath() string { return filepath.Join(s.dir, "postgres.log") }

// openLog opens the log for a postmaster to append to.
func openLog(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
}

// trimLog moves the content of a log that has grown past limit bytes to
// path.1. The file stays, because a postmaster has it open.
func trimLog(path string, limit int64) error {
	log, err := openLog(path)
	if err != nil {
		return err
	}
	defer log.Close()
	info, err := log.Stat()
	if err != nil || info.Size() <= limit {
		return err
	}
	old, err := os.OpenFile(path+".1", os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(old, io.LimitReader(log, info.Size()))
	if err = errors.Join(err, old.Close()); err != nil {
		return err
	}
	return log.Truncate(0)
}

// tail returns the end of what the log at path holds from byte from on.
func tail(path string, from int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	if _, err := f.Seek(max(from, end-tailMax), io.SeekStart); err != nil {
		return ""
	}
	b, err := io.ReadAll(io.LimitReader(f, tailMax))
	if err != nil {
		return ""
	}
	return string(b)
}

// alive tells whether any process has the id.
func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
