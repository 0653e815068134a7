package web

import (
	"context"
	"io"
	"testing"
)

// BenchmarkWorklist renders the worklist of 60 patients in English.
func BenchmarkWorklist(b *testing.B) {
	v := worklistSample()
	for len(v.Rows) < 60 {
		v.Rows = append(v.Rows, v.Rows...)
	}
	v.Rows = v.Rows[:60]
	b.ReportAllocs()
	for b.Loop() {
		if err := Worklist(v).Render(context.Background(), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
