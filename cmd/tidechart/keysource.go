package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/server/vault/transit"
)

// Where a key is looked for that no flag names.
const (
	credential = "tidechart-keys" // in systemd's $CREDENTIALS_DIRECTORY
	keyInEnv   = "TIDECHART_KEY"  // what a key file would say
	demoKeys   = "keys"           // in the data directory of a demo

	credentialsDir  = "CREDENTIALS_DIRECTORY"
	tokenCredential = "tidechart-kms-token"
	tokenInEnv      = "TIDECHART_KMS_TOKEN"
)

// Limits of key services (I10).
const (
	kmsTimeout    = 15 * time.Second // how long a command waits for one
	kmsCheckEvery = 10 * time.Minute // how often a server looks whether it could start again
)

// keysFlags say where the key-encryption key is.
type keysFlags struct {
	Keys string `type:"path" placeholder:"FILE" help:"File with the key that seals what the database holds; tidechart keys init FILE makes one. Without it, the systemd credential tidechart-keys." env:"TIDECHART_KEYS"`
	kmsFlags
}

// kmsFlags say which key service seals the file, if one does.
type kmsFlags struct {
	KMS          string `name:"kms" placeholder:"URL" help:"Key service that the key file is sealed by: a transit key of a HashiCorp Vault or an OpenBao, as in https://vault.example:8200/v1/transit/keys/tidechart." env:"TIDECHART_KMS"`
	KMSTokenFile string `name:"kms-token-file" type:"path" placeholder:"FILE" help:"File with the token for it, read anew for each request. Without it, the systemd credential tidechart-kms-token, then the variable TIDECHART_KMS_TOKEN; an agent that has its own token needs none." env:"TIDECHART_KMS_TOKEN_FILE"`
	KMSCA        string `name:"kms-ca" type:"path" placeholder:"FILE" help:"Certificates that its own is signed by, PEM. Without it, those that this machine trusts." env:"TIDECHART_KMS_CA"`
	KMSNamespace string `name:"kms-namespace" placeholder:"NAME" help:"Its namespace." env:"TIDECHART_KMS_NAMESPACE"`
}

// service is the key service, or nil if none is named. log is told when it has to be asked again.
func (f kmsFlags) service(log *slog.Logger) (*transit.Key, error) {
	if f.KMS == "" {
		if f.KMSTokenFile != "" || f.KMSCA != "" || f.KMSNamespace != "" {
			return nil, errors.New("which key service? --kms-token-file, --kms-ca and --kms-namespace go with --kms URL")
		}
		return nil, nil
	}
	said := ""
	return transit.New(transit.Config{URL: f.KMS, Namespace: f.KMSNamespace, CAFile: f.KMSCA, Token: f.token, Retrying: func(err error) {
		if err.Error() != said { // once
			log.Warn("the key service does not answer; waiting for it", "service", f.KMS, "err", err)
			said = err.Error()
		}
	}})
}

// token reads the token anew: whoever renews it writes another.
func (f kmsFlags) token(context.Context) (string, error) {
	dir := os.Getenv(credentialsDir)
	switch text, err := []byte(nil), error(nil); {
	case f.KMSTokenFile != "":
		text, err = vault.ReadPrivate(f.KMSTokenFile)
		return strings.TrimSpace(string(text)), err
	case dir != "" && exists(filepath.Join(dir, tokenCredential)):
		text, err = vault.ReadCredential(filepath.Join(dir, tokenCredential))
		return strings.TrimSpace(string(text)), err
	}
	return os.Getenv(tokenInEnv), nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// keySource is where keys are, and how they get there. Any number of goroutines may use it.
type keySource struct {
	path    string       // of a file, or a credential; empty: they are in the environment
	systemd bool         // they are a credential
	service *transit.Key // what seals them; nil: nothing does

	mu     sync.Mutex
	text   []byte // what the service opened last
	secret vault.Secret
}

// source looks where keys are, and reads nothing yet.
func (f keysFlags) source(log *slog.Logger) (*keySource, error) {
	service, err := f.service(log)
	if err != nil {
		return nil, err
	}
	s := &keySource{path: f.Keys, service: service}
	if s.path != "" {
		return s, nil
	}
	if dir := os.Getenv(credentialsDir); dir != "" && exists(filepath.Join(dir, credential)) {
		s.path, s.systemd = filepath.Join(dir, credential), true
		return s, nil
	}
	if os.Getenv(keyInEnv) != "" {
		return s, nil
	}
	return nil, errors.New("no key: give --keys FILE, since what the database holds is sealed; make one, once for each database, with tidechart keys init FILE")
}

// String says where keys are, for operators.
func (s *keySource) String() string {
	switch {
	case s.systemd:
		return "systemd's credential " + credential
	case s.path == "":
		return "environment variable " + keyInEnv + ", which other programs of this user can read: for development only"
	}
	return "file " + s.path
}

// read returns the keys. A service is asked for what it has not opened before, as long as ctx lasts.
func (s *keySource) read(ctx context.Context) (vault.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, err := s.said()
	if err != nil {
		return vault.Secret{}, err
	}
	if s.text != nil && bytes.Equal(text, s.text) {
		return s.secret, nil
	}
	secret, err := s.open(ctx, text)
	if err == nil && s.service != nil {
		s.text, s.secret = text, secret
	}
	return secret, err
}

// said is what there is to be read, sealed or not.
func (s *keySource) said() ([]byte, error) {
	switch {
	case s.systemd:
		return vault.ReadCredential(s.path)
	case s.path == "":
		return []byte(os.Getenv(keyInEnv)), nil
	}
	return vault.ReadText(s.path)
}

// open opens what a source says. Keys in the clear are not taken where a service is to seal them: somebody forgot to, or put them there.
func (s *keySource) open(ctx context.Context, text []byte) (secret vault.Secret, err error) {
	switch {
	case s.service == nil:
		secret, err = vault.Parse(text)
	case !vault.IsSealed(text):
		err = errors.New("its keys are not sealed by the key service that --kms names: tidechart keys seal does that")
	default:
		secret, err = vault.ParseSealed(ctx, text, s.service)
	}
	if err != nil {
		return secret, fmt.Errorf("%v: %w", s, err)
	}
	return secret, nil
}

// vault opens the vault of a server or a command, and waits for a key service as long as ctx lasts.
func (s *keySource) vault(ctx context.Context, log *slog.Logger) (*vault.Vault, error) {
	if s.path == "" {
		log.Warn("the key is in the environment, which other programs of this user can read; give it in a file", "variable", keyInEnv)
	}
	secret, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	return unlock(secret)
}

// keys opens the vault, for a command.
func (f keysFlags) keys(ctx context.Context, log *slog.Logger) (*vault.Vault, error) {
	source, err := f.source(log)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	limit, cancel := context.WithTimeout(ctx, kmsTimeout)
	defer cancel()
	v, err := source.vault(limit, log)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return v, nil
}

// writable says why keys cannot be changed where they are, or nothing.
func (s *keySource) writable() error {
	switch {
	case s.systemd:
		return errors.New("the keys are systemd's credential, a copy that it makes when the service starts: give --keys FILE, the file that LoadCredential= names")
	case s.path == "":
		return fmt.Errorf("the keys are in the variable %s, which cannot be changed for others: put them into a file, and give --keys FILE", keyInEnv)
	}
	return nil
}

// create writes keys to a new file, sealed as these are.
func (s *keySource) create(ctx context.Context, path string, secret vault.Secret) error {
	text, err := s.seal(ctx, secret)
	if err != nil {
		return err
	}
	return vault.WriteText(path, text)
}

// replace writes keys in the place of those that are there.
func (s *keySource) replace(ctx context.Context, secret vault.Secret) error {
	if err := s.writable(); err != nil {
		return err
	}
	text, err := s.seal(ctx, secret)
	if err != nil {
		return err
	}
	return vault.ReplaceText(s.path, text)
}

// seal is what a file is to say. What a service seals it has to open once, before anything depends on it: a token may be good for one and
// not for the other.
func (s *keySource) seal(ctx context.Context, secret vault.Secret) ([]byte, error) {
	if s.service == nil {
		return secret.Text()
	}
	limit, cancel := context.WithTimeout(ctx, kmsTimeout)
	defer cancel()
	text, err := secret.Sealed(limit, s.service)
	if err != nil {
		return nil, err
	}
	again, err := vault.ParseSealed(limit, text, s.service)
	if err == nil && !again.Equal(secret) {
		err = errors.New("something else")
	}
	if err != nil {
		return nil, fmt.Errorf("the key service does not open what it has sealed; nothing was written: %w", err)
	}
	return text, nil
}

// readFile reads another file that is sealed as this one.
func (s *keySource) readFile(ctx context.Context, path string) (vault.Secret, error) {
	limit, cancel := context.WithTimeout(ctx, kmsTimeout)
	defer cancel()
	return (&keySource{path: path, service: s.service}).read(limit)
}

// watch looks now and then whether the key service still opens the keys, until ctx ends, and has its token prolonged. A server that runs does not
// need that; one that is started anew does, and nobody should find out then.
func (s *keySource) watch(ctx context.Context, log *slog.Logger) {
	if s.service == nil {
		return
	}
	failed := false
	each(ctx, kmsCheckEvery, func() {
		limit, cancel := context.WithTimeout(ctx, kmsTimeout)
		defer cancel()
		err := s.try(limit)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			log.Error("the key service does not open the keys any more: this server goes on, and would not start again", "err", err)
			failed = true
		case failed:
			log.Info("the key service opens the keys again")
			failed = false
		}
	})
}

// try has the service open what there is now, whether it has before or not.
func (s *keySource) try(ctx context.Context) error {
	text, err := s.said()
	if err == nil {
		_, err = s.open(ctx, text)
	}
	if err != nil {
		return err
	}
	_ = s.service.Renew(ctx) // not every token can be, or has to be; the next look shows
	return nil
}

// version is that of the service's key which sealed what it opened last.
func (s *keySource) version() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return transit.Version(vault.Ticket(s.text))
}
