package crdt

import (
	"errors"
	"fmt"
	"testing"
)

func transact(t *testing.T, d *Doc, client ClientID, f func(*Txn)) []byte {
	t.Helper()
	u, err := d.Transact(client, f)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// A local insertion stands beside its origins. A text passes deleted elements
// first; one that did not diverged in two ports, and would in Yjs.
// y-octo#53, ygo#160.
func TestTrapLocalInsertBesideDeleted(t *testing.T) {
	for _, gc := range []bool{true, false} {
		d := New("text")
		if !gc {
			d = New("text", WithoutGC())
		}
		text, array := d.Text("t"), d.Array("a")
		transact(t, d, 1, func(tx *Txn) {
			text.Insert(tx, 0, "abcd")
			array.Insert(tx, 0, 1, 2, 3, 4)
		})
		transact(t, d, 1, func(tx *Txn) {
			text.Delete(tx, 1, 2)
			array.Delete(tx, 1, 2)
		})
		u := decoded(t, transact(t, d, 2, func(tx *Txn) {
			text.Insert(tx, 1, "x")
			array.Insert(tx, 1, 9)
		}))
		want := [][2]ID{{{1, 2}, {1, 3}}, {{1, 4}, {1, 5}}} // behind "c" though it is gone; behind 1
		k := 0
		for b := range u.blocks(u.sections[0]) {
			if got := [2]ID{b.origin, b.right}; got != want[k] {
				t.Errorf("gc %v: element %d stands between %v, want %v", gc, k, got, want[k])
			}
			k++
		}
	}
}

// More clients than fit in 16 bits.
func TestTrapManyClients(t *testing.T) {
	const n = 70_000
	d := New("crowd")
	transact(t, d, n+1, func(tx *Txn) { d.Text("t").Insert(tx, 0, "|") })
	for i := range n {
		apply(t, d, at{ClientID(n - i), 0}.put("x", ID{n + 1, 0}))
	}
	if got := d.Text("t").Len(); got != n+1 || len(d.StateVector()) != n+1 {
		t.Errorf("%d elements of %d clients", got, len(d.StateVector()))
	}
	e := New("copy")
	apply(t, e, must(d.EncodeStateAsUpdate(nil)))
	same(t, "state", must(e.EncodeStateAsUpdate(nil)), must(d.EncodeStateAsUpdate(nil)))
}

// An edit that cannot be made changes nothing, nor do those after it; those
// before it stand.
func TestTrapEditsThatCannotBeMade(t *testing.T) {
	other := New("other")
	loop := map[string]any{}
	loop["self"] = NewMap(loop)
	twice := NewText("x")
	for name, tt := range map[string]struct {
		edit func(d *Doc, tx *Txn)
		want error
	}{
		"text past its end":    {func(d *Doc, tx *Txn) { d.Text("t").Insert(tx, 9, "x") }, ErrRange},
		"text before it":       {func(d *Doc, tx *Txn) { d.Text("t").Insert(tx, -1, "x") }, ErrRange},
		"delete past the end":  {func(d *Doc, tx *Txn) { d.Text("t").Delete(tx, 1, 9) }, ErrRange},
		"format past the end":  {func(d *Doc, tx *Txn) { d.Text("t").Format(tx, 1, 9, nil) }, ErrRange},
		"list past its end":    {func(d *Doc, tx *Txn) { d.Array("a").Insert(tx, 9, 1) }, ErrRange},
		"delete too much":      {func(d *Doc, tx *Txn) { d.Array("a").Delete(tx, 0, 9) }, ErrRange},
		"not UTF-8":            {func(d *Doc, tx *Txn) { d.Text("t").Insert(tx, 0, "\xff") }, nil},
		"key not UTF-8":        {func(d *Doc, tx *Txn) { d.Map("m").Set(tx, "\xff", 1) }, nil},
		"no such value":        {func(d *Doc, tx *Txn) { d.Map("m").Set(tx, "k", make(chan int)) }, nil},
		"undefined in a list":  {func(d *Doc, tx *Txn) { d.Array("a").Push(tx, Undefined{}) }, nil},
		"bad value further in": {func(d *Doc, tx *Txn) { d.Array("a").Push(tx, NewArray(NewMap(map[string]any{"k": 1i}))) }, nil},
		"another document's":   {func(_ *Doc, tx *Txn) { other.Text("t").Insert(tx, 0, "x") }, ErrNotInDoc},
		"a type in itself":     {func(d *Doc, tx *Txn) { d.Array("a").Push(tx, loop["self"]) }, ErrNotInDoc},
		"a type twice":         {func(d *Doc, tx *Txn) { d.Array("a").Push(tx, twice, twice) }, ErrNotInDoc},
		"a type not inserted":  {func(_ *Doc, tx *Txn) { NewText("x").Insert(tx, 0, "y") }, ErrNotInDoc},
		"a deleted type": {func(d *Doc, tx *Txn) {
			c, _ := d.Array("a").Get(0)
			d.Array("a").Delete(tx, 0, 1)
			c.Value.(*Text).Insert(tx, 0, "x")
			transact(t, other, 1, func(tx *Txn) { other.Text("t").Insert(tx, 0, "unrelated") })
		}, ErrDeleted},
	} {
		t.Run(name, func(t *testing.T) {
			d := New("d")
			transact(t, d, 1, func(tx *Txn) {
				d.Text("t").Insert(tx, 0, "ab")
				d.Array("a").Push(tx, NewText("nested"))
			})
			u, err := d.Transact(1, func(tx *Txn) {
				d.Text("t").Insert(tx, 2, "!")
				tt.edit(d, tx)
				d.Text("t").Insert(tx, 0, "never")
			})
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			wantText(t, d, "ab!")
			if n := len(decoded(t, u).Ranges()); n != 1 || d.verify() != nil {
				t.Errorf("%d ranges, %v", n, d.verify())
			}
		})
	}
}

// A transaction is not begun inside another, nor used after its end, and leaves
// the document whole when an edit panics.
func TestTrapTransactionEnds(t *testing.T) {
	d := New("d")
	var kept *Txn
	func() {
		defer func() { _ = recover() }()
		_, _ = d.Transact(1, func(tx *Txn) {
			kept = tx
			d.Text("t").Insert(tx, 0, "ab")
			if _, err := d.Transact(2, func(*Txn) {}); !errors.Is(err, ErrInTransaction) {
				t.Errorf("inside another: %v", err)
			}
			if err := d.ApplyUpdate([]byte{0, 0}); !errors.Is(err, ErrInTransaction) {
				t.Errorf("an update inside a transaction: %v", err)
			}
			panic("the caller's")
		})
	}()
	d.Text("t").Insert(kept, 0, "late")
	if !errors.Is(kept.Err(), ErrInTransaction) {
		t.Errorf("after its end: %v", kept.Err())
	}
	wantText(t, d, "ab")
	transact(t, d, 1, func(tx *Txn) { d.Text("t").Insert(tx, 2, "c") })
	wantText(t, d, "abc")
	if err := d.verify(); err != nil {
		t.Error(err)
	}
}

// Positions keep their tags apart; one reader took the root's name for an ID.
// ygo#115.
func TestTrapPositions(t *testing.T) {
	for _, p := range []RelativePosition{
		{Item: &ID{1, 2}, Assoc: -1}, {Type: &ID{MaxInt, 7}}, {Root: "t", Assoc: 1}, {},
	} {
		back, err := DecodeRelativePosition(p.Encode())
		if err != nil || fmt.Sprintf("% x", back.Encode()) != fmt.Sprintf("% x", p.Encode()) {
			t.Errorf("% x decodes to % x, %v", p.Encode(), back.Encode(), err)
		}
	}
	for _, b := range [][]byte{{}, {3}, {0, 1}, {1, 9, 'x'}, {0, 1, 1, 0, 0}} {
		if _, err := DecodeRelativePosition(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("% x: %v", b, err)
		}
	}
	if p, err := DecodeRelativePosition([]byte{0, 1, 2}); err != nil || p.Assoc != 0 {
		t.Errorf("an old client's position: %v, %v", p, err)
	}
}

// What a transaction did is said by client.
func TestLastChange(t *testing.T) {
	d := New("d")
	transact(t, d, 7, func(tx *Txn) { d.Text("t").Insert(tx, 0, "aspirin") })
	transact(t, d, 9, func(tx *Txn) {
		d.Text("t").Format(tx, 0, 7, map[string]any{"bold": true})
		d.Text("t").Delete(tx, 6, 1)
	})
	want := "{[{9 0 2}] [{7 6 1}] [{{9 0} bold true} {{9 1} bold <nil>}]}"
	if got := fmt.Sprint(d.LastChange()); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	e := New("e")
	apply(t, e, must(d.EncodeStateAsUpdate(nil)))
	if got := fmt.Sprint(e.LastChange().Inserted); got != "[{9 0 2} {7 0 7}]" {
		t.Errorf("an update inserted %v", got)
	}
	apply(t, e, must(d.EncodeStateAsUpdate(nil)))
	if c := e.LastChange(); c.Inserted != nil || c.Deleted != nil || e.LastUpdate() != nil {
		t.Errorf("the same update again did %v", c)
	}
}
