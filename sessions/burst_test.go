package sessions

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/internal/needs"
)

// runOf is n rows of one person, a tenth of a second apart.
func runOf(n int) []Row {
	who, in, at := uuid.New(), uuid.New(), time.Now().Truncate(time.Microsecond)
	rows := make([]Row, n)
	for i := range rows {
		rows[i] = Row{
			Seq: uint64(i) + 7, Author: who, Session: in, At: at.Add(time.Duration(i) * 100 * time.Millisecond),
			Update: []byte(fmt.Sprintf("\x01\x01\x01%d\x04\x01\x01tx\x00", i)),
		}
	}
	return rows
}

// TestBurstsGiveBack whatever rows there are, to the byte.
func TestBurstsGiveBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		run := runOf(burstLeast + n%5)
		for i := range run {
			if n > 0 { // any bytes, any order of times: the clock may be set back
				run[i].Update = make([]byte, r.IntN(200))
				for k := range run[i].Update {
					run[i].Update[k] = byte(r.UintN(256))
				}
				run[i].At = run[i].At.Add(time.Duration(r.Int64N(1e9)-5e8) * time.Microsecond)
			}
			if n == 2 {
				run[i].Seq += math.MaxUint32
				run[i].Session = uuid.Nil
				run[i].At = time.UnixMicro(-1e15)
			}
		}
		b, err := Fold(run)
		if err != nil {
			t.Fatal(err)
		}
		back, err := b.Rows()
		if err != nil || len(back) != len(run) {
			t.Fatal(len(back), err)
		}
		for i, row := range back {
			if row.Seq != run[i].Seq || row.Author != run[i].Author || row.Session != run[i].Session || !row.At.Equal(run[i].At) || !bytes.Equal(row.Update, run[i].Update) {
				t.Fatalf("row %d is %+v, was %+v", i, row, run[i])
			}
		}
	}
}

// TestDamagedBurstsAreNoticed, wherever the damage is, unless it changes nothing.
func TestDamagedBurstsAreNoticed(t *testing.T) {
	if needs.Raced {
		t.Skip("unpacks some thousand bursts, one after the other; make test does, without the race detector")
	}
	run := runOf(100)
	whole, err := Fold(run)
	if err != nil {
		t.Fatal(err)
	}
	noticed := func(name string, change func(b *Burst)) {
		b := whole
		b.Data = slices.Clone(whole.Data)
		change(&b)
		rows, err := b.Rows()
		if err == nil && b.First == whole.First && b.Last == whole.Last && b.Holds(run) == nil {
			return // bits that fill up a byte
		}
		if !errors.Is(err, ErrDamaged) || rows != nil {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
	}
	for i := range whole.Data {
		for _, bit := range []byte{1, 16, 128} {
			noticed(fmt.Sprintf("byte %d", i), func(b *Burst) { b.Data[i] ^= bit })
		}
		noticed(fmt.Sprintf("cut at %d", i), func(b *Burst) { b.Data = b.Data[:i] })
	}
	noticed("another place", func(b *Burst) { b.First++; b.Last++ })
	noticed("fewer", func(b *Burst) { b.Last-- })
	noticed("more", func(b *Burst) { b.Last++ })
	noticed("very many", func(b *Burst) { b.Last = math.MaxUint64 })
	noticed("none", func(b *Burst) { b.First = 0 })
	noticed("another sum", func(b *Burst) { b.Sum[31] ^= 1 })
	bomb := pack([]Row{{Update: make([]byte, 64<<20)}})
	noticed("a bomb", func(b *Burst) { b.Data, b.Last = bomb, b.First })
}

// TestRuns: a burst is one person's in one session, without a pause, of bounded length, and worth it.
func TestRuns(t *testing.T) {
	other := uuid.New()
	for _, tt := range []struct {
		name   string
		n      int
		change func(rows []Row)
		more   bool
		want   []int // lengths
		to     int   // rows looked at
	}{
		{"one run", 100, nil, false, []int{100}, 100},
		{"too few", burstLeast - 1, nil, false, nil, burstLeast - 1},
		{"just enough", burstLeast, nil, false, []int{burstLeast}, burstLeast},
		{"too many", burstRows + 50, nil, false, []int{burstRows, 50}, burstRows + 50},
		{"too many, and more behind", burstRows + 50, nil, true, []int{burstRows}, burstRows},
		{"nothing else, and more behind", 50, nil, true, []int{50}, 50},
		{"somebody else", 100, func(rows []Row) { rows[40].Author = other }, false, []int{40, 59}, 100},
		{"another session", 100, func(rows []Row) {
			for i := range rows[40:] {
				rows[40+i].Session = other
			}
		}, false, []int{40, 60}, 100},
		{"a pause", 100, func(rows []Row) {
			for i := range rows[40:] {
				rows[40+i].At = rows[40+i].At.Add(burstPause)
			}
		}, false, []int{40, 60}, 100},
		{"a long time", 100, func(rows []Row) {
			for i := range rows {
				rows[i].At = rows[0].At.Add(time.Duration(i) * 2 * time.Minute)
			}
		}, false, []int{61, 39}, 100},
		{"many bytes", 20, func(rows []Row) {
			for i := range rows {
				rows[i].Update = make([]byte, burstBytes/10)
			}
		}, false, []int{10, 10}, 20},
		{"a huge one", 30, func(rows []Row) { rows[15].Update = make([]byte, burstBytes+1) }, false, []int{15, 14}, 30},
		{"folded ones between", 30, func(rows []Row) {
			for i := range rows[15:] {
				rows[15+i].Seq += 100
			}
		}, false, []int{15, 15}, 130},
	} {
		rows := runOf(tt.n)
		if tt.change != nil {
			tt.change(rows)
		}
		runs, to := Runs(rows, tt.more)
		var got []int
		for _, run := range runs {
			got = append(got, len(run))
		}
		if !slices.Equal(got, tt.want) || to != rows[0].Seq+uint64(tt.to)-1 {
			t.Errorf("%s: runs of %v up to %d, want %v up to %d", tt.name, got, to, tt.want, rows[0].Seq+uint64(tt.to)-1)
		}
	}
}
