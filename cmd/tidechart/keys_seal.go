package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/clisonix/tidechart/server/vault"
)

// errNoService: both commands are about one.
var errNoService = errors.New("which key service? Give --kms URL")

// sealing is what both commands work on: a key file, whether a database is there or not.
type sealing struct {
	keysFlags
	DryRun bool `help:"Look whether it could be done, and change nothing."`
}

// sources are the file as it is and as it is to be.
func (c *sealing) sources(log *slog.Logger, sealed bool) (from, to *keySource, err error) {
	if c.KMS == "" {
		return nil, nil, errNoService
	}
	if from, err = c.source(log); err != nil {
		return nil, nil, err
	}
	if err := from.writable(); err != nil {
		return nil, nil, err
	}
	to = &keySource{path: from.path}
	if sealed {
		to.service = from.service
	}
	return from, to, nil
}

type keysSealCmd struct{ sealing }

func (keysSealCmd) Help() string {
	return `A file in the clear is sealed from now on: then start servers with --kms. One that is sealed already is sealed anew, by the newest version of the service's key, as
is to be done before older versions of it are given up there.`
}

func (c *keysSealCmd) Run(ctx context.Context, log *slog.Logger) error {
	from, to, err := c.sources(log, true)
	if err != nil {
		return err
	}
	text, err := from.said()
	if err != nil {
		return err
	}
	clear := !vault.IsSealed(text)
	if clear {
		from.service = nil
	}
	secret, err := from.readFile(ctx, from.path)
	if err != nil {
		return err
	}
	if c.DryRun {
		if _, err := to.seal(ctx, secret); err != nil {
			return err
		}
		_, err := fmt.Printf("%s would be sealed by %v, which opens what it seals\n", to.path, to.service)
		return err
	}
	if err := to.replace(ctx, secret); err != nil {
		return err
	}
	if _, err := fmt.Printf("%s is sealed by %v. Copy the file anew to where you keep its copy.\n", to.path, to.service); err != nil || !clear {
		return err
	}
	_, err = fmt.Println("It was in the clear before: copies of it are still, and disks may keep traces. For a key that never was, with servers started with --kms:\ntidechart keys rotate, rewrap and retire.")
	return err
}

type keysUnsealCmd struct{ sealing }

func (c *keysUnsealCmd) Run(ctx context.Context, log *slog.Logger) error {
	from, to, err := c.sources(log, false)
	if err != nil {
		return err
	}
	secret, err := from.readFile(ctx, from.path)
	if err != nil {
		return err
	}
	if c.DryRun {
		_, err := fmt.Printf("%v opens %s, which would be written in the clear\n", from.service, from.path)
		return err
	}
	if err := to.replace(ctx, secret); err != nil {
		return err
	}
	_, err = fmt.Printf("%s is in the clear now. Start servers without --kms.\n", to.path)
	return err
}
