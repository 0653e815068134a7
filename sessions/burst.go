package sessions

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// Bounds of a burst (I10).
const (
	burstRows  = 1000            // that it holds at most
	burstBytes = 256 << 10       // of their updates
	burstTime  = 2 * time.Hour   // from its first row to its last one
	burstPause = 5 * time.Minute // between two rows of one
	burstLeast = 8               // rows; fewer are left as they are

	// FoldAge is how old rows are at least that become a burst.
	FoldAge = time.Hour
	// FoldRows is how many rows one step of folding looks at, at most.
	FoldRows = 2 * burstRows
)

// ErrDamaged means that a burst does not hold what was folded into it.
var ErrDamaged = errors.New("a burst of the log is damaged")

// Burst is a run of a log's rows, folded: consecutive ones of one person in one session, packed so that each comes back
// as it was.
type Burst struct {
	First, Last uint64 // seqs
	Author      PersonID
	Session     SessionID // none: written when the note was created
	Data        []byte
	Sum         [sha256.Size]byte // of what the rows hold
}

// Folded says what folding has done.
type Folded struct {
	Bursts, Rows int
	From, To     int  // bytes of the rows' updates, and of the bursts'
	More         bool // there is more to be looked at
}

// Runs cuts rows, which follow one another in a log, into runs that can be bursts, and says up to which seq it has
// looked. With more behind them, the last run may go on there and is left out, unless it is all there is.
func Runs(rows []Row, more bool) (runs [][]Row, to uint64) {
	for len(rows) > 0 {
		n := runLength(rows)
		if n == len(rows) && more && to > 0 {
			break
		}
		if n >= burstLeast {
			runs = append(runs, rows[:n])
		}
		to, rows = rows[n-1].Seq, rows[n:]
	}
	return runs, to
}

// runLength is how many rows from the first one on can be one burst; a row that is too large is a run of its own.
func runLength(rows []Row) int {
	first, size := rows[0], len(rows[0].Update)
	for n := 1; n < len(rows) && n < burstRows; n++ {
		r, last := rows[n], rows[n-1]
		size += len(r.Update)
		if r.Seq != last.Seq+1 || r.Author != first.Author || r.Session != first.Session || size > burstBytes ||
			r.At.Sub(last.At).Abs() > burstPause || r.At.Sub(first.At).Abs() > burstTime {
			return n
		}
	}
	return min(len(rows), burstRows)
}

// Fold packs a run and makes sure that all of it comes back.
func Fold(run []Row) (Burst, error) {
	first, last := run[0], run[len(run)-1]
	b := Burst{First: first.Seq, Last: last.Seq, Author: first.Author, Session: first.Session, Data: pack(run), Sum: SumOf(run)}
	return b, b.Holds(run)
}

// Holds returns an error unless the burst gives back exactly these rows.
func (b Burst) Holds(run []Row) error {
	rows, err := b.Rows()
	if err != nil {
		return err
	}
	if len(rows) != len(run) {
		return fmt.Errorf("%w: it holds %d rows of %d", ErrDamaged, len(rows), len(run))
	}
	for i, r := range run {
		got := rows[i]
		if got.Seq != r.Seq || got.Author != r.Author || got.Session != r.Session || !got.At.Equal(r.At) || !bytes.Equal(got.Update, r.Update) {
			return fmt.Errorf("%w: seq %d comes back as something else", ErrDamaged, r.Seq)
		}
	}
	return nil
}

// packing is the first byte of what pack returns.
const packing = 1

// pack writes rows by columns, which are alike in themselves: times, lengths, then the updates.
func pack(run []Row) []byte {
	var columns []byte
	last := time.UnixMicro(0)
	for _, r := range run {
		columns = binary.AppendVarint(columns, r.At.UnixMicro()-last.UnixMicro())
		last = r.At
	}
	for _, r := range run {
		columns = binary.AppendUvarint(columns, uint64(len(r.Update)))
	}
	for _, r := range run {
		columns = append(columns, r.Update...)
	}
	var packed bytes.Buffer
	packed.WriteByte(packing)
	w, _ := flate.NewWriter(&packed, flate.BestCompression) // fails for another level only
	_, _ = w.Write(columns)                                 // to memory
	_ = w.Close()
	return packed.Bytes()
}

// Rows returns what was folded, or [ErrDamaged].
func (b Burst) Rows() ([]Row, error) {
	if b.First == 0 || b.Last < b.First || b.Last-b.First >= burstRows || len(b.Data) == 0 || b.Data[0] != packing {
		return nil, fmt.Errorf("%w: it is none", ErrDamaged)
	}
	n := int(b.Last - b.First + 1)
	most := burstBytes + 2*binary.MaxVarintLen64*n
	columns, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(b.Data[1:])), int64(most)+1))
	if err != nil || len(columns) > most {
		return nil, fmt.Errorf("%w: it cannot be unpacked", ErrDamaged)
	}
	rows, ok := b.split(columns, n)
	if !ok {
		return nil, fmt.Errorf("%w: its columns do not fit", ErrDamaged)
	}
	if SumOf(rows) != b.Sum {
		return nil, fmt.Errorf("%w: its checksum is another", ErrDamaged)
	}
	return rows, nil
}

// split reads the columns of n rows.
func (b Burst) split(columns []byte, n int) ([]Row, bool) {
	rows := make([]Row, n)
	at := int64(0)
	for i := range rows {
		delta, size := binary.Varint(columns)
		if size <= 0 {
			return nil, false
		}
		columns, at = columns[size:], at+delta
		rows[i] = Row{Seq: b.First + uint64(i), Author: b.Author, Session: b.Session, At: time.UnixMicro(at)}
	}
	lengths := make([]uint64, n)
	for i := range lengths {
		length, size := binary.Uvarint(columns)
		if size <= 0 {
			return nil, false
		}
		columns, lengths[i] = columns[size:], length
	}
	for i, length := range lengths {
		if length > uint64(len(columns)) {
			return nil, false
		}
		rows[i].Update, columns = columns[:length:length], columns[length:]
	}
	return rows, len(columns) == 0
}

// SumOf is the checksum of rows. The database computes the same of those that are to go (migrations/0010_fold.sql).
func SumOf(rows []Row) (sum [sha256.Size]byte) {
	h := sha256.New()
	var head [20]byte
	for _, r := range rows {
		binary.BigEndian.PutUint64(head[:], r.Seq)
		binary.BigEndian.PutUint64(head[8:], uint64(r.At.UnixMicro()-postgresEpoch))
		binary.BigEndian.PutUint32(head[16:], uint32(len(r.Update)))
		h.Write(head[:])
		h.Write(r.Update)
	}
	h.Sum(sum[:0])
	return sum
}

// postgresEpoch is the beginning of the year 2000, from which Postgres counts, in microseconds.
const postgresEpoch = 946_684_800_000_000
