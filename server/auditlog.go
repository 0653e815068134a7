package server

import (
	"net/http"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
)

// logPath is where a witness finds the log of acts, as C2SP tlog-tiles has it: its newest checkpoint, and its tree. There are
// hashes there, of entries with random ids, and how many entries there are: nobody has to be known for that.
const logPath = "/log/"

// mountLog adds what a witness reads.
func (s *Server) mountLog(mux *http.ServeMux) {
	mux.Handle("GET "+logPath+"checkpoint", s.open(s.logCheckpoint))
	mux.Handle("GET "+logPath+"keys", s.open(s.logKeys))
	mux.Handle("GET "+logPath+"tile/{tile...}", s.open(s.logTile))
}

func (s *Server) logCheckpoint(w http.ResponseWriter, r *http.Request) error {
	head, err := s.db.AuditHead(r.Context())
	if err != nil {
		return err
	}
	if head.Newest == nil {
		return store.ErrNotFound
	}
	writeText(w, http.StatusOK, *head.Newest)
	return nil
}

// logKeys answers with the log's keys, and with who handed over to whom.
func (s *Server) logKeys(w http.ResponseWriter, r *http.Request) error {
	ring, err := s.db.AuditRing(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(ring.Encode()) // the reader may be gone
	return nil
}

// logTile answers with a tile, or with as much of it as is asked for.
func (s *Server) logTile(w http.ResponseWriter, r *http.Request) error {
	tile, err := tlog.ParseTilePath("tile/" + strings.TrimPrefix(r.PathValue("tile"), "/"))
	if err != nil || tile.H != audit.TileHeight || tile.L < 0 || tile.L > 8 {
		return errNoPage
	}
	data, err := s.db.Tile(r.Context(), int16(tile.L), tile.N)
	if err != nil {
		return err
	}
	if len(data) < tile.W*tlog.HashSize {
		return store.ErrNotFound
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(data[:tile.W*tlog.HashSize]) // the reader may be gone
	return nil
}
