package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/server/vault"
)

// TestWhereKeysAre: a file that is named counts before systemd's credential, and that before the environment, of which the server
// warns. What is there and no key is an error, and never passed over.
func TestWhereKeysAre(t *testing.T) {
	dir := t.TempDir()
	file, credentials, none := filepath.Join(dir, "named"), filepath.Join(dir, "credentials"), filepath.Join(dir, "none")
	if err := os.MkdirAll(credentials, 0o700); err != nil {
		t.Fatal(err)
	}
	secrets := make(map[string]vault.Secret)
	for _, path := range []string{file, filepath.Join(credentials, credential), filepath.Join(dir, "environment")} {
		secret, err := vault.CreateFile(path)
		if err != nil {
			t.Fatal(err)
		}
		secrets[path] = secret
	}
	text, err := os.ReadFile(filepath.Join(dir, "environment"))
	if err != nil {
		t.Fatal(err)
	}
	damaged := strings.Replace(string(text), "-1-", "-1-AAAA", 1)
	for what, tt := range map[string]struct {
		keys, credentials, env string
		want                   string // file of the key that is read; empty: an error
		warned                 bool
	}{
		"named":                         {file, credentials, string(text), file, false},
		"named, and not there":          {none, credentials, string(text), "", false},
		"systemd's":                     {"", credentials, string(text), filepath.Join(credentials, credential), false},
		"the environment's":             {"", "", string(text), filepath.Join(dir, "environment"), true},
		"of a service without it":       {"", dir, string(text), filepath.Join(dir, "environment"), true},
		"damaged in the environment":    {"", "", damaged, "", true},
		"none":                          {"", "", "", "", false},
		"none, of a service without it": {"", dir, "", "", false},
	} {
		t.Setenv("CREDENTIALS_DIRECTORY", tt.credentials)
		t.Setenv(keyInEnv, tt.env)
		var log bytes.Buffer
		got, err := keysFlags{Keys: tt.keys}.secret(slog.New(slog.NewTextHandler(&log, nil)))
		switch {
		case tt.want == "" && err == nil:
			t.Errorf("%s: no error", what)
		case tt.want != "" && (err != nil || !got.Equal(secrets[tt.want])):
			t.Errorf("%s: another key, %v", what, err)
		}
		if warned := strings.Contains(log.String(), "environment"); warned != tt.warned {
			t.Errorf("%s: the log says %q", what, log.String())
		}
		if line := strings.Fields(string(text)); strings.Contains(log.String(), line[len(line)-1][20:]) || err != nil && strings.Contains(err.Error(), line[len(line)-1][20:]) {
			t.Errorf("%s: the key is quoted", what)
		}
	}
}
