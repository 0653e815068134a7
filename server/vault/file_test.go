package vault

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestKeyFile: one is made for its owner alone, once, and read back.
func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys")
	made, err := CreateFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := CreateFile(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second one: %v", err)
	}
	if read, err := ReadFile(path); err != nil || !read.Equal(made) {
		t.Errorf("read back as another: %v", err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "copy") {
		t.Errorf("the file says %q, %v", text, err)
	}
}

func replaceFile(path string, s Secret) error {
	text, err := s.Text()
	if err != nil {
		return err
	}
	return ReplaceText(path, text)
}

// TestReplacedKeyFile: more keys, or fewer, take the place of those that were there, in one step, for the same owner; and what
// is no key file is left alone.
func TestReplacedKeyFile(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "keys"), filepath.Join(t.TempDir(), "link")
	made, err := CreateFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(path, 12345, 12345); err != nil {
			t.Fatal(err)
		}
		if err := replaceFile(path, made); err == nil {
			t.Error("a stranger's file is replaced")
		}
		if err := os.Chown(path, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	rotated := made.Rotated()
	if err := replaceFile(link, rotated); err != nil {
		t.Fatal(err)
	}
	if read, err := ReadFile(path); err != nil || !read.Equal(rotated) || read.Equal(made) {
		t.Errorf("read back as another: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	ids, err := rotated.IDs()
	if err != nil {
		t.Fatal(err)
	}
	rest, taken, err := rotated.Split(ids[:1])
	if err != nil || !taken.Equal(made) || rest.Equal(rotated) {
		t.Errorf("split wrong: %v", err)
	}
	if _, _, err := rest.Split(nil); err != nil {
		t.Error(err)
	}
	if err := replaceFile(filepath.Join(dir, "none"), made); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("where there is none: %v", err)
	}
	if err := os.WriteFile(path, []byte("a letter"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(path, made); err == nil {
		t.Error("a letter is replaced")
	}
}

// TestKeyFilesOfOthers: what others can read, or have written, is no key file.
func TestKeyFilesOfOthers(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys")
	if _, err := CreateFile(path); err != nil {
		t.Fatal(err)
	}
	for mode, credential := range map[fs.FileMode]bool{
		0o600: true, 0o400: true, 0o440: true, 0o640: true,
		0o660: false, 0o604: false, 0o644: false, 0o602: false, 0o610: false,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFile(path); (err == nil) != (mode&0o077 == 0) {
			t.Errorf("mode %v: %v", mode, err)
		}
		if _, err := ReadCredential(path); (err == nil) != credential {
			t.Errorf("mode %v, of systemd: %v", mode, err)
		}
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // nobody else can give files away
		if err := os.Chown(path, 12345, -1); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), "belongs to another") {
			t.Errorf("a stranger's: %v", err)
		}
	}
	if _, err := ReadFile(dir); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("a directory: %v", err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(pipe); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("a pipe: %v", err)
	}
	if _, err := ReadFile(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
}

// TestDamagedKeyFiles: a key that was copied wrong is found out, and never quoted.
func TestDamagedKeyFiles(t *testing.T) {
	good := NewSecret().line(0)
	misread := []byte(good)
	if misread[20] == 'A' {
		misread[20] = 'B'
	} else {
		misread[20] = 'A'
	}
	for what, text := range map[string]string{
		"empty": "", "comments": "# key\n", "cut short": good[:len(good)-1], "twice": good + "\n" + good, "of two hospitals": good + "\n" + NewSecret().line(0),
		"lower case": strings.ToLower(good), "another version": strings.Replace(good, "-1-", "-2-", 1), "longer": good + "AAAAAAAA",
		"misread": string(misread), "too long": good + "\n#" + strings.Repeat("x", maxFile),
	} {
		path := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFile(path); err == nil || strings.Contains(err.Error(), good[30:40]) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
