package crdt

import "testing"

// A keystroke allocates nothing but its share of growing the document.
func TestKeystrokeAllocations(t *testing.T) {
	us := typed(20_000)
	d := New("keystrokes")
	for _, u := range us[:10_000] {
		if err := d.ApplyUpdate(u); err != nil {
			t.Fatal(err)
		}
	}
	rest := us[10_000:]
	i := 0
	n := testing.AllocsPerRun(len(rest)-2, func() {
		if err := d.ApplyUpdate(rest[i]); err != nil {
			t.Fatal(err)
		}
		i++
	})
	if limit := 0.1; !checking && n > limit {
		t.Errorf("%.2f allocations per keystroke, want at most %.2f", n, limit)
	}
}

// Merging n updates takes memory in proportion to n.
func TestMergeIsLinear(t *testing.T) {
	us := typed(40_000)
	cost := func(n int) float64 {
		return testing.AllocsPerRun(1, func() {
			if _, err := MergeUpdates(us[:n]); err != nil {
				t.Fatal(err)
			}
		})
	}
	if small, big := cost(5_000), cost(40_000); big > 10*small {
		t.Errorf("merging 8 times as many updates makes %.0f allocations instead of %.0f", big, small)
	}
}

// A local edit allocates its update and little else.
func TestLocalEditAllocations(t *testing.T) {
	d := New("local")
	text := d.Text("t")
	edit := func(i int) {
		_, err := d.Transact(1, func(tx *Txn) {
			if i%4 == 3 {
				text.Delete(tx, text.Len()/2, 1)
			} else {
				text.Insert(tx, text.Len()/2, "x")
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2000 {
		edit(i)
	}
	i := 0
	n := testing.AllocsPerRun(2000, func() { edit(i); i++ })
	if limit := 1.0; !checking && n > limit {
		t.Errorf("%.2f allocations per edit, want at most %.0f", n, limit)
	}
}
