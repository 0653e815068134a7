package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/server/vault/transit"
	"github.com/clisonix/tidechart/server/vault/transit/transittest"
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
		got, err := keysRead(t, keysFlags{Keys: tt.keys}, slog.New(slog.NewTextHandler(&log, nil)))
		switch {
		case tt.want == "" && err == nil:
			t.Errorf("%s: no error", what)
		case tt.want != "" && (err != nil || !got.Equal(secrets[tt.want])):
			t.Errorf("%s: another key, %v", what, err)
		}
		if warned := strings.Contains(log.String(), "in the environment"); warned != tt.warned {
			t.Errorf("%s: the log says %q", what, log.String())
		}
		if line := strings.Fields(string(text)); strings.Contains(log.String(), line[len(line)-1][20:]) || err != nil && strings.Contains(err.Error(), line[len(line)-1][20:]) {
			t.Errorf("%s: the key is quoted", what)
		}
	}
}

// keysRead opens a vault as a server does, and returns the keys that it read.
func keysRead(t *testing.T, f keysFlags, log *slog.Logger) (vault.Secret, error) {
	t.Helper()
	source, err := f.source(log)
	if err != nil {
		return vault.Secret{}, err
	}
	if _, err := source.vault(t.Context(), log); err != nil {
		return vault.Secret{}, err
	}
	return source.read(t.Context())
}

// TestKeysOfAService: a sealed file opens through its service, once for what it says; what is in the clear is not taken in its place, nor
// the other way round; and a file that is written is one that the service opens.
func TestKeysOfAService(t *testing.T) {
	service := transittest.Start(t)
	dir, ctx := t.TempDir(), t.Context()
	path, token := filepath.Join(dir, "keys"), filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte(service.Token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	named := keysFlags{Keys: path, kmsFlags: kmsFlags{KMS: service.URL, KMSCA: service.CA, KMSTokenFile: token}}
	source, err := named.source(quiet)
	if err != nil {
		t.Fatal(err)
	}
	secret := vault.NewSecret()
	if err := source.create(ctx, path, secret); err != nil {
		t.Fatal(err)
	}
	if got, err := source.read(ctx); err != nil || !got.Equal(secret) || source.version() != "1" {
		t.Errorf("read as another, version %s: %v", source.version(), err)
	}
	if _, err := (keysFlags{Keys: path}).keys(ctx, quiet); !errors.Is(err, vault.ErrSealedFile) || !strings.Contains(err.Error(), "--kms URL") {
		t.Errorf("without its service: %v", err)
	}

	// Away: what it opened is known, what it did not is not.
	service.Away()
	if got, err := source.read(ctx); err != nil || !got.Equal(secret) {
		t.Errorf("what it opened before, while it is away: %v", err)
	}
	brief, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if _, err := (&keySource{path: path, service: source.service}).read(brief); !errors.Is(err, transit.ErrAway) || !strings.Contains(err.Error(), service.URL) {
		t.Errorf("what it did not: %v", err)
	}
	if err := source.try(brief); !errors.Is(err, transit.ErrAway) {
		t.Errorf("the look whether it still opens: %v", err)
	}
	service.Back()
	if err := source.try(ctx); err != nil {
		t.Errorf("the look whether it still opens: %v", err)
	}

	// A token that seals, and opens nothing, would lock everybody out.
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(token, []byte(service.NewToken("encrypt")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := source.replace(ctx, secret.Rotated()); err == nil || !strings.Contains(err.Error(), "nothing was written") {
		t.Errorf("what the service does not open is written: %v", err)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, before) {
		t.Error("the file is another")
	}
	if err := os.Chmod(token, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := named.token(ctx); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a token that others read: %v", err)
	}

	clear, err := secret.Text()
	if err != nil {
		t.Fatal(err)
	}
	if err := vault.ReplaceText(path, clear); err != nil {
		t.Fatal(err)
	}
	if _, err := source.read(ctx); err == nil || !strings.Contains(err.Error(), "keys seal") {
		t.Errorf("keys in the clear, where a service is to seal them: %v", err)
	}
	if _, err := (keysFlags{Keys: path, kmsFlags: kmsFlags{KMSCA: service.CA}}).source(quiet); err == nil {
		t.Error("certificates of no service are taken")
	}
}

// TestWhatCannotBeWritten says so, and what to do.
func TestWhatCannotBeWritten(t *testing.T) {
	for want, s := range map[string]*keySource{
		"LoadCredential=": {path: "/run/credentials/x/tidechart-keys", systemd: true},
		keyInEnv:          {},
	} {
		if err := s.replace(t.Context(), vault.NewSecret()); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--keys FILE") {
			t.Errorf("%v: %v", s, err)
		}
	}
}
