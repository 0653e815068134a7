package signature

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// A history is a note's log, up to the row that was signed, as somebody far away can follow it (docs/adr/0008-chains-of-notes.md): of each row
// whose it is, in which session and when it came, and its cover, a keyed hash that tells nothing of what the row says. Links are made of
// these, and the statement has the last one. So no row can be changed, left out, added, moved, or said to be somebody else's. What a row says is not in
// it; nor is its time in the links, but the log of acts says between which times it came.
const (
	historyHead = "tidechart-history/v1\n"
	linkHead    = "tidechart-link\n"

	// MaxHistory is how many rows all histories of a bundle have together (I10), which is some 25 MB; the oldest beyond that are in it by their last link alone.
	MaxHistory = 300_000
	// MaxAnchors is how many entries of the log of acts a bundle has that say how far notes had come.
	MaxAnchors = 500

	maxHistory = 32 << 20 // bytes of one
	checkSize  = 6        // bytes of each row's link that stand beside it, so that the first row which does not fit is known
	maxRowAway = time.Minute
)

// HistoryRow is one row of a note's log.
type HistoryRow struct {
	Author  uuid.UUID
	Session uuid.UUID // zero: none, as when the note was begun
	At      time.Time
	Cover   Hash
}

// History is a note's log from one of its rows on.
type History struct {
	From   uint64 // seq of the first of Rows; 1 unless rows before it are left out
	Before Hash   // link of the row before that; zero: there is none
	Rows   []HistoryRow
}

// NextLink returns the link of a row behind one that has a link.
func NextLink(link Hash, seq uint64, author, session uuid.UUID, cover Hash) Hash {
	var b [len(linkHead) + 8 + 2*16 + 2*sha256.Size]byte
	at := copy(b[:], linkHead)
	at += copy(b[at:], link[:])
	binary.BigEndian.PutUint64(b[at:], seq)
	at += 8
	at += copy(b[at:], author[:])
	at += copy(b[at:], session[:])
	copy(b[at:], cover[:])
	return sha256.Sum256(b[:])
}

// ParseAnchor reads from the code of an entry of the log of acts how far a note's log had come: head=… chain=….
func ParseAnchor(code string) (seq uint64, link Hash, is bool) {
	for word := range strings.FieldsSeq(code) {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "head":
			head, err := strconv.ParseUint(value, 10, 63)
			if err != nil {
				return 0, Hash{}, false
			}
			seq = head
		case "chain":
			b, err := base64.StdEncoding.DecodeString(value)
			is = err == nil && len(b) == len(link)
			copy(link[:], b)
		}
	}
	return seq, link, is && seq > 0
}

// Text returns a history as a bundle has it: lines for the first seq and the link before it, one for each change of author or session, and one for each
// row with its time, its cover and the beginning of its link.
func (h History) Text() string {
	var b strings.Builder
	before := "none"
	if h.Before != (Hash{}) {
		before = h.Before.String()
	}
	fmt.Fprintf(&b, "%sfrom %d\nbefore %s\n", historyHead, h.From, before)
	link := h.Before
	for i, r := range h.Rows {
		if i == 0 || r.Author != h.Rows[i-1].Author || r.Session != h.Rows[i-1].Session {
			fmt.Fprintf(&b, "by %s in %s\n", idOr(r.Author), idOr(r.Session))
		}
		link = NextLink(link, h.From+uint64(i), r.Author, r.Session, r.Cover)
		b.WriteString(rowLine(r, link))
	}
	return b.String()
}

// End returns the link of the newest row.
func (h History) End() Hash {
	link := h.Before
	for i, r := range h.Rows {
		link = NextLink(link, h.From+uint64(i), r.Author, r.Session, r.Cover)
	}
	return link
}

// rowLine is a row that has a link.
func rowLine(r HistoryRow, link Hash) string {
	return r.At.UTC().Format(timeForm) + " " + base64.RawURLEncoding.EncodeToString(r.Cover[:]) + " " + base64.RawURLEncoding.EncodeToString(link[:checkSize]) + "\n"
}

// idOr is an id, or - for none.
func idOr(id uuid.UUID) string {
	if id == uuid.Nil {
		return "-"
	}
	return id.String()
}

var errHistory = errors.New("its history cannot be read")

// errRow means that a row of a history is not the one that came there.
type errRow uint64

func (e errRow) Error() string {
	return fmt.Sprintf("row %d of its history does not fit", uint64(e))
}

// ParseHistory reads what [History.Text] returns, and nothing else. The error names the first row that does not fit behind the one before it.
func ParseHistory(text string) (h History, err error) {
	rest, is := strings.CutPrefix(text, historyHead)
	if !is || len(text) > maxHistory {
		return h, errHistory
	}
	r := factReader{rest: rest}
	r.fact("from", func(v string) (err error) { h.From, err = strconv.ParseUint(v, 10, 53); return err })
	r.hashOrNone("before", &h.Before)
	if r.err != nil || h.From == 0 || (h.From == 1) != (h.Before == Hash{}) {
		return h, errHistory
	}
	var by HistoryRow
	link := h.Before
	for line := range strings.Lines(r.rest) {
		seq := h.From + uint64(len(h.Rows))
		if strings.HasPrefix(line, "by ") {
			if by, err = parseBy(line); err != nil {
				return h, errRow(seq)
			}
			continue
		}
		row := by
		if row, err = parseRow(row, line); err != nil {
			return h, errRow(seq)
		}
		if link = NextLink(link, seq, row.Author, row.Session, row.Cover); rowLine(row, link) != line {
			return h, errRow(seq)
		}
		h.Rows = append(h.Rows, row)
	}
	if h.Text() != text { // there is one text of a history
		return h, errHistory
	}
	return h, nil
}

// parseBy reads whose the rows behind it are.
func parseBy(line string) (r HistoryRow, err error) {
	words := strings.Fields(line)
	if len(words) != 4 || words[2] != "in" {
		return r, errHistory
	}
	for i, id := range []*uuid.UUID{&r.Author, &r.Session} {
		if word := words[1+2*i]; word != "-" {
			if *id, err = uuid.Parse(word); err != nil {
				return r, errHistory
			}
		}
	}
	return r, nil
}

// parseRow reads when a row came, and its cover.
func parseRow(r HistoryRow, line string) (HistoryRow, error) {
	words := strings.Fields(line)
	if len(words) != 3 {
		return r, errHistory
	}
	var err error
	if r.At, err = time.Parse(timeForm, words[0]); err != nil {
		return r, errHistory
	}
	cover, err := base64.RawURLEncoding.Strict().DecodeString(words[1])
	if err != nil || len(cover) != len(r.Cover) {
		return r, errHistory
	}
	r.Cover = Hash(cover)
	return r, nil
}

// anchor is an entry of the log of acts that says how far a note's log had come.
type anchor struct {
	entry int64 // its place there
	seq   uint64
	link  Hash
	at    time.Time
}

// HistoryReport is what holds of a note's log.
type HistoryReport struct {
	From, To         uint64 // seqs of the rows whose links were followed; To is that which was signed. None: From is behind To
	People, Sessions int    // whose rows, and in which sessions
	First, Last      time.Time
	Entries          int // of the log of acts that those rows pass
}

// history follows a note's log to what was signed, and compares it with what the log of acts says of it. says is what does not hold; "": all does.
func (v *verifier) history(n BundleNote, signed Statement) (r *HistoryReport, says string) {
	h, err := ParseHistory(n.History)
	if err != nil {
		return nil, err.Error()
	}
	to := h.From + uint64(len(h.Rows)) - 1
	if to != signed.Seq {
		return nil, fmt.Sprintf("its history ends with row %d, and row %d was signed", to, signed.Seq)
	}
	anchors := append(slices.Clone(v.anchors[n.Note]), anchor{-1, signed.Seq, signed.Chain, signed.At})
	slices.SortFunc(anchors, func(a, b anchor) int { return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(a.entry, b.entry)) })
	r = &HistoryReport{From: h.From, To: to}
	if says := h.pass(anchors, r); says != "" {
		return nil, says
	}
	if row := h.untimely(anchors); row > 0 {
		return nil, fmt.Sprintf("row %d of its history did not come at that time, by the log of acts or the signature", row)
	}
	people, sat := make(map[uuid.UUID]bool), make(map[uuid.UUID]bool)
	for _, row := range h.Rows {
		people[row.Author], sat[row.Session] = true, true
	}
	delete(sat, uuid.Nil)
	r.People, r.Sessions = len(people), len(sat)
	if len(h.Rows) > 0 {
		r.First, r.Last = h.Rows[0].At, h.Rows[len(h.Rows)-1].At
	}
	return r, ""
}

// pass compares links with anchors, in the order of rows.
func (h History) pass(anchors []anchor, r *HistoryReport) (says string) {
	link, seq, fits := h.Before, h.From-1, h.From-1
	for _, a := range anchors {
		if a.seq < seq {
			continue // of what is left out
		}
		for ; seq < a.seq && seq-h.From+1 < uint64(len(h.Rows)); seq++ {
			row := h.Rows[seq-h.From+1]
			link = NextLink(link, seq+1, row.Author, row.Session, row.Cover)
		}
		if a.seq != seq || a.link != link {
			whose := "the log of acts has"
			if a.entry < 0 {
				whose = "were signed"
			}
			return fmt.Sprintf("rows %d to %d of its history are not those that %s", min(fits+1, a.seq), a.seq, whose)
		}
		if fits = seq; a.entry >= 0 {
			r.Entries++
		}
	}
	return ""
}

// untimely returns the first row that came after the log of acts had it, or before it had one before it; 0: none.
func (h History) untimely(anchors []anchor) uint64 {
	var earliest time.Time
	for i, row := range h.Rows {
		seq := h.From + uint64(i)
		for len(anchors) > 0 && anchors[0].seq < seq {
			earliest, anchors = anchors[0].at, anchors[1:]
		}
		if row.At.Before(earliest.Add(-maxRowAway)) || len(anchors) > 0 && row.At.After(anchors[0].at.Add(maxRowAway)) {
			return seq
		}
	}
	return 0
}
