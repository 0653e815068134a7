package store

import (
	"context"
	"fmt"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

// historyOf returns the log of a signed note as somebody far away can follow it: the newest rows before what was signed, so many at most. places are
// those of the entries of the log of acts, before one of it, which say how far the note had come, so many at most, and spread over its life.
// Its rows are read and compared with what was signed; the error is a [NoteFault] if they are not those.
func (db *DB) historyOf(ctx context.Context, of Signature, rows, entries int, before int64) (h signature.History, places []int64, err error) {
	err = db.withKeys(ctx, of.Note, func(keys *keySet) error {
		return db.reading(ctx, func(q *queries.Queries) error {
			anchors, err := q.AnchorPlaces(ctx, of.Note, before)
			if err != nil {
				return err
			}
			h, places, err = followed(ctx, q, keys, of, rows, anchors)
			return err
		})
	})
	if err != nil {
		return h, nil, fmt.Errorf("follow log of note %s: %w", of.Note, err)
	}
	if entries <= 0 {
		return h, nil, nil
	}
	for len(places) > entries { // every other one
		kept := places[:0]
		for i := 0; i < len(places); i += 2 {
			kept = append(kept, places[i])
		}
		places = kept
	}
	return h, places, nil
}

// followed follows a note's log, and returns those anchors that it passes: of those that it does not pass, the note has been put back on purpose since.
func followed(ctx context.Context, q *queries.Queries, keys *keySet, of Signature, most int, anchors []queries.AnchorPlacesRow) (h signature.History, places []int64, err error) {
	links := keys.linker()
	h.From = max(links.from, 1)
	if n := uint64(max(most, 0)); of.Seq > n {
		h.From = max(h.From, of.Seq-n+1)
	}
	h.From = min(h.From, of.Seq+1)
	var e end
	for e.head < of.Seq {
		read, err := logAfter(ctx, q, keys, of.Note, e.head, int32(min(of.Seq-e.head, chainAtOnce)))
		if err != nil {
			return h, nil, err
		}
		if len(read) == 0 {
			break
		}
		for _, r := range read {
			if r.Seq == h.From {
				h.Before = signature.Hash(e.link)
			}
			cover := links.row(&e, r.Author, r.Session, r.Update)
			if r.Seq >= h.From {
				h.Rows = append(h.Rows, signature.HistoryRow{Author: r.Author, Session: r.Session, At: r.At, Cover: signature.Hash(cover)})
			}
			for ; len(anchors) > 0; anchors = anchors[1:] {
				at, is := parseAnchor(anchors[0].Code)
				if is && at.head > e.head {
					break
				}
				if is && at == e && at.head+1 >= h.From {
					places = append(places, anchors[0].Seq)
				}
			}
		}
	}
	if h.From > of.Seq {
		h.Before = signature.Hash(e.link)
	}
	if signed := (end{of.Seq, vault.Link(of.Chain)}); e != signed {
		return h, nil, &NoteFault{Note: of.Note, Kind: audit.Changed, Head: e.head, Had: of.Seq}
	}
	return h, places, nil
}
