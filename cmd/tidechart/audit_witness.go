package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/clisonix/tidechart/server/audit"
)

// Files of a witness, in its directory.
const (
	witnessSeed = "secret"     // only its own
	witnessKeys = "keys"       // public
	witnessKept = "checkpoint" // that it signed last
	witnessSaw  = "refused"    // that it did not sign, with the time
	witnessLog  = "log-keys"   // of the log, as far as they were handed over
)

// Limits of a witness (I10).
const (
	fetchTimeout = 10 * time.Second // of each request
	staleRetry   = 3 * time.Second  // after which it asks again whoever shows an old checkpoint
)

type auditWitnessCmd struct {
	URL    string        `arg:"" help:"Where the server is, as in https://notes.hospital.example."`
	Public string        `required:"" type:"existingfile" placeholder:"FILE" help:"Public keys of the log: tidechart audit keys."`
	Dir    string        `required:"" type:"path" help:"Directory of the witness, with its key, made when there is none, and the last checkpoint that it signed."`
	Name   string        `default:"witness" help:"What the witness is called, when its key is made: without spaces."`
	Every  time.Duration `default:"10s" help:"How often it looks."`
	Once   bool          `help:"Look once."`
}

func (c *auditWitnessCmd) Help() string {
	return `Run it where whoever runs the server has no say. Give the file "keys" in its directory to auditors, once; the file "checkpoint" says
what it has seen: tidechart audit verify --witnessed checkpoint --witness-key keys.

When the log shows something else than before, or nothing that was signed within the last minute, nothing is signed; what it showed is kept beside, as evidence: it is signed by the
log's keys. Exit status: 2 then, 1 when it could not look.`
}

func (c *auditWitnessCmd) Run(ctx context.Context, log *slog.Logger) error {
	at, err := url.Parse(c.URL)
	if err != nil || at.Host == "" || at.Scheme != "https" && at.Scheme != "http" || c.Every < time.Second {
		return fmt.Errorf("%w: the server is at https:// and a name, and looked at every second at most", errUsage)
	}
	keys, err := readKeys(c.Public)
	if err != nil {
		return err
	}
	signer, err := c.signer()
	if err != nil {
		return err
	}
	w := audit.Witness{Log: audit.Only(keys), Signer: signer}
	if err := c.follow(&w, keys); err != nil {
		return err
	}
	for {
		err := c.look(ctx, &w, keys, at, log)
		if c.Once || asFound(err) != err {
			return asFound(err)
		}
		if err != nil && ctx.Err() == nil {
			log.Warn("the log cannot be looked at", "err", err)
		}
		select {
		case <-time.After(c.Every):
		case <-ctx.Done():
			return nil
		}
	}
}

// look compares what the log shows with what it has shown, and signs it.
func (c *auditWitnessCmd) look(ctx context.Context, w *audit.Witness, trusted audit.Keys, at *url.URL, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, 6*fetchTimeout)
	defer cancel()
	kept, err := readSmall(filepath.Join(c.Dir, witnessKept))
	if errors.Is(err, fs.ErrNotExist) {
		kept, err = nil, nil
	}
	if err != nil {
		return err
	}
	shown, err := c.newest(ctx, w, at)
	if err != nil {
		return err
	}
	if _, err := w.Log.Open(shown); errors.Is(err, audit.ErrSignature) {
		if err := c.newKeys(ctx, w, trusted, at, log); err != nil {
			return err
		}
	}
	signed, err := w.Cosign(kept, shown, time.Now(), func(tile tlog.Tile) ([]byte, error) {
		return fetch(ctx, at, tile.Path(), tile.W*tlog.HashSize)
	})
	if err != nil {
		if asFound(err) != err {
			err = errors.Join(err, replace(filepath.Join(c.Dir, witnessSaw+time.Now().UTC().Format("-20060102-150405")), shown))
		}
		return err
	}
	if err := replace(filepath.Join(c.Dir, witnessKept), signed); err != nil {
		return err
	}
	now, err := w.Log.Open(signed)
	log.Info("witnessed", "log", now.Origin, "entries", now.Size, "at", now.At)
	return err
}

// newest reads the newest checkpoint. A server that has just begun shows an old one until it has signed: it is asked once more.
func (c *auditWitnessCmd) newest(ctx context.Context, w *audit.Witness, at *url.URL) ([]byte, error) {
	shown, err := fetch(ctx, at, "checkpoint", audit.MaxCheckpoint)
	if err != nil {
		return nil, err
	}
	if now, err := w.Log.Open(shown); err != nil || time.Since(now.At) <= audit.MaxAge {
		return shown, nil // what it is, Cosign says
	}
	select {
	case <-time.After(min(c.Every, staleRetry)):
		return fetch(ctx, at, "checkpoint", audit.MaxCheckpoint)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// follow reads how far the log's keys were handed over when the witness looked last.
func (c *auditWitnessCmd) follow(w *audit.Witness, trusted audit.Keys) error {
	text, err := readUpTo(filepath.Join(c.Dir, witnessLog), audit.MaxRing)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if w.Log, err = audit.ParseRing(text); err == nil && !w.Log.Has(trusted) {
		err = errors.New("it is of another log")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(c.Dir, witnessLog), err)
	}
	return nil
}

// newKeys asks the server to whom the log's keys were handed over. What does not follow from those that the witness knows is ignored: then
// the checkpoint is what is wrong.
func (c *auditWitnessCmd) newKeys(ctx context.Context, w *audit.Witness, trusted audit.Keys, at *url.URL, log *slog.Logger) error {
	text, err := fetch(ctx, at, "keys", audit.MaxRing)
	if err != nil {
		return err
	}
	ring, err := audit.ParseRing(text)
	if err != nil || !ring.Has(trusted) || w.Log.Len() > 1 && !ring.Extends(w.Log) || ring.Len() <= w.Log.Len() {
		log.Warn("the server shows no keys that follow from those of before")
		return nil
	}
	if err := replace(filepath.Join(c.Dir, witnessLog), text); err != nil {
		return err
	}
	w.Log = ring
	log.Info("the log is signed by other keys, which those of before have signed for", "keys", ring.Newest().Fingerprint())
	return nil
}

// fetch reads something of the log.
func fetch(ctx context.Context, at *url.URL, path string, most int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.JoinPath("log", path).String(), nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }() // only read
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %s", answer.Status)
	}
	data, err := io.ReadAll(io.LimitReader(answer.Body, int64(most)+1))
	if err == nil && len(data) > most {
		err = errors.New("the server's answer is too long")
	}
	return data, err
}

// signer reads the witness's key, or makes one.
func (c *auditWitnessCmd) signer() (*audit.Signer, error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, err
	}
	seed, err := readSmall(filepath.Join(c.Dir, witnessSeed))
	if err == nil {
		keys, err := readKeys(filepath.Join(c.Dir, witnessKeys))
		if err != nil {
			return nil, err
		}
		return audit.NewSigner(keys.Name(), seed)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	seed = audit.NewSeed()
	signer, err := audit.NewSigner(c.Name, seed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	// The public half comes first: with it alone, the next start makes both anew.
	if err := replace(filepath.Join(c.Dir, witnessKeys), []byte(signer.Keys().String())); err != nil {
		return nil, err
	}
	return signer, replace(filepath.Join(c.Dir, witnessSeed), seed)
}

// replace writes a file whole, or not at all.
func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}
