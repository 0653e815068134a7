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

// What a server asks of a keystroke before it takes it costs next to nothing.
func TestQuestionsAllocateLittle(t *testing.T) {
	d := New("d")
	apply(t, d, at{1, 0}.put("abc"))
	u := decoded(t, at{1, 3}.put("d", ID{1, 2}))
	sv := d.StateVector()
	for name, tt := range map[string]struct {
		ask  func()
		most float64
	}{
		"Ranges":  {func() { u.Ranges() }, 1},
		"Missing": {func() { u.Missing(sv) }, 1}, // its ranges
		"Deletes": {func() { u.Deletes() }, 0},
		"Depth":   {func() { d.Depth(u) }, 0},
		"Count":   {func() { d.Count(u) }, 0},
		"Fork":    {func() { d.Fork(u) }, 0},
		"NamesIn": {func() { d.NamesIn(u) }, 0},
	} {
		if n := testing.AllocsPerRun(100, tt.ask); !checking && n > tt.most {
			t.Errorf("%s makes %v allocations, want at most %v", name, n, tt.most)
		}
	}
}
