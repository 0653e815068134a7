package crdt

import (
	"fmt"
	"reflect"
	"testing"
)

// A past state reads as yjs reads it, and places in it are found where yjs finds
// them, however the document went on.
func TestYjsPast(t *testing.T) {
	o := newOracle(t)
	for seed := range seeds(24) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			o.t = t
			var h struct {
				Log    [][]byte
				Cut    int
				S1, S2 []byte
				Places []struct {
					Path         []string
					Index, Assoc int
					B            []byte
					Found        bool
					Now          int
				}
				rendering
			}
			o.ask(map[string]any{"cmd": "past", "seed": 20_000 + seed, "edits": 20 + seed%40}, &h)
			d := New("past", WithoutGC())
			apply(t, d, h.Log[:h.Cut]...)
			s := d.Snapshot()
			same(t, "snapshot v1", s.Encode(), h.S1)
			same(t, "snapshot v2", s.EncodeV2(), h.S2)
			for _, p := range h.Places {
				if n := typeAt(d, p.Path); n.d != nil {
					got, err := n.RelativePosition(p.Index, p.Assoc)
					if err != nil {
						t.Fatal(err)
					}
					same(t, "relative position", got.Encode(), p.B)
				}
			}
			apply(t, d, h.Log[h.Cut:]...)
			for _, p := range h.Places {
				rel, err := DecodeRelativePosition(p.B)
				if err != nil {
					t.Fatal(err)
				}
				a, ok := d.AbsolutePosition(rel)
				if ok != p.Found || a.Index != p.Now {
					t.Errorf("%v is at %d, %v; in yjs at %d, %v", rel, a.Index, ok, p.Now, p.Found)
				}
			}
			for _, decode := range []func() (Snapshot, error){
				func() (Snapshot, error) { return DecodeSnapshot(h.S1) },
				func() (Snapshot, error) { return DecodeSnapshotV2(h.S2) },
			} {
				back, err := decode()
				if err != nil || !reflect.DeepEqual(back.State, s.State) || len(back.Deletes) != len(s.Deletes) {
					t.Fatalf("%v decodes to %v, %v", s, back, err)
				}
				past, err := d.At(back)
				if err != nil {
					t.Fatal(err)
				}
				sameRendering(t, 0, past, h.rendering)
				same(t, "past state", must(past.EncodeStateAsUpdate(nil)), h.V1)
				if !back.Contains(decoded(t, h.V1)) {
					t.Error("a snapshot does not contain its own state")
				}
			}
		})
	}
}

// typeAt follows a path of a root's name and the elements that hold types.
func typeAt(d *Doc, path []string) node {
	t := d.typeOfRoot(path[0])
	for _, p := range path[1:] {
		var id ID
		if _, err := fmt.Sscanf(p, "%d-%d", &id.Client, &id.Clock); err != nil {
			return node{}
		}
		i := d.runOf(id)
		if i == none || d.runs[i].ref() != refType {
			return node{}
		}
		t = d.typ.at(i)
	}
	return node{d: d, t: t}
}

func TestPastNeedsContent(t *testing.T) {
	d := New("collected")
	if _, err := d.At(d.Snapshot()); err != ErrCollected {
		t.Errorf("a document that collects: %v", err)
	}
	d = New("kept", WithoutGC())
	if _, err := d.At(Snapshot{State: StateVector{1: 1}}); err != ErrAhead {
		t.Errorf("a snapshot from elsewhere: %v", err)
	}
}
