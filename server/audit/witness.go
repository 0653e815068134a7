package audit

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Witness decides whether to sign a log's checkpoint, knowing the one that it signed last. It keeps nothing itself.
type Witness struct {
	Log    Ring
	Signer *Signer
}

// Tree reads a log's tiles: data of the width that the tile has.
type Tree func(tile tlog.Tile) ([]byte, error)

// MaxAge is how far the time of a checkpoint that a server shows may be from a witness's own. Servers sign another every few seconds,
// whether or not anything happens: one that does not hides something, or has stopped.
const MaxAge = time.Minute

// Errors of a witness: what a log shows does not fit what it has shown. Each is a [*Fault], too.
var errStranger = errors.New("the log shows no tree that fits")

// Cosign signs a checkpoint, if it is of the log whose last one was kept, and of a tree that goes on where that one ended: as tree,
// which is not believed, lets it compute. kept is nil the first time. What does not fit is a [*Fault], [Forked], [RolledBack] or
// [Unsigned], or [Stale] by more than [MaxAge] from at, and is never signed.
func (w Witness) Cosign(kept, shown []byte, at time.Time, tree Tree) ([]byte, error) {
	now, err := w.Log.Open(shown)
	if err != nil {
		return nil, fault(Unsigned, whole, "the checkpoint that the log shows is %v", err)
	}
	if kept != nil {
		before, err := w.Signer.Keys().Cosigned(w.Log, kept)
		if err != nil {
			return nil, fmt.Errorf("the checkpoint that was kept here is %w", err)
		}
		if err := goesOn(before, now, tree); err != nil {
			return nil, err
		}
	}
	switch age := at.Sub(now.At); {
	case age > MaxAge:
		return nil, fault(Stale, whole, "the newest checkpoint is of %s, %s ago", now.At.Format(leafTime), age.Round(time.Second))
	case age < -MaxAge:
		return nil, fault(Stale, whole, "the newest checkpoint is of %s, in %s by the clock of the witness", now.At.Format(leafTime), -age.Round(time.Second))
	}
	return w.Signer.Cosign(w.Log, shown)
}

// goesOn returns a fault unless the tree of now begins with that of before.
func goesOn(before, now Checkpoint, tree Tree) error {
	switch {
	case now.Size < before.Size:
		return &Fault{RolledBack, now.Size, before.Size - 1, "the log had it at " + before.At.Format(leafTime)}
	case now.Size == before.Size && now.Root != before.Root:
		return fault(Forked, whole, "the log showed another tree of this size, at %s", before.At.Format(leafTime))
	case now.Size == before.Size && now.At.Before(before.At):
		return fault(RolledBack, whole, "the checkpoint is older than the last one, of %s", before.At.Format(leafTime))
	case now.Size == before.Size || before.Size == 0:
		return nil
	}
	// Tiles count only as far as they lead to the root that is signed.
	hashes := tlog.TileHashReader(tlog.Tree{N: now.Size, Hash: now.Root}, tileReader{tree})
	root, err := tlog.TreeHash(before.Size, hashes)
	var failed *readError
	switch {
	case errors.As(err, &failed):
		return failed.error
	case err != nil:
		return fault(Forked, whole, "%v", fmt.Errorf("%w: %w", errStranger, err))
	case root != before.Root:
		return &Fault{Forked, 0, before.Size - 1, "one of them is not what the log showed at " + before.At.Format(leafTime)}
	}
	return nil
}

// tileReader reads tiles for package tlog, and keeps nothing.
type tileReader struct{ read Tree }

// readError tells tiles that could not be read from such as are wrong.
type readError struct{ error }

func (tileReader) Height() int { return TileHeight }

func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	all := make([][]byte, len(tiles))
	for i, tile := range tiles {
		data, err := r.read(tile)
		if err != nil {
			return nil, &readError{fmt.Errorf("read %s: %w", tile.Path(), err)}
		}
		if len(data) > tile.W*tlog.HashSize { // it has grown
			data = data[:tile.W*tlog.HashSize]
		}
		all[i] = data
	}
	return all, nil
}

func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}
