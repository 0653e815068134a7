package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/store"
)

// TestBedsideIsSealed: what a bed says comes back with its last changes, lies nowhere in the clear, does not open for another patient,
// and ends with the stay.
func TestBedsideIsSealed(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	id, err := h.db.PutPatient(ctx, planted, "4w-2")
	if err != nil {
		t.Fatal(err)
	}
	home := time.Date(2026, 11, 30, 0, 0, 0, 0, time.Local)
	says := store.Bedside{Severity: "plantedseverity", Code: "plantedcode", Isolation: "plantedisolation", Home: home}
	if err := h.db.SetBedside(ctx, id, "4w-2", "Plantednurse", says); err != nil {
		t.Fatal(err)
	}
	for n := range int32(store.MaxBedsideChanges) {
		says.N, says.Severity = n+1, "plantedseverity"+string(rune('a'+n))
		if err := h.db.SetBedside(ctx, id, "4w-2", "Plantednurse", says); err != nil {
			t.Fatal(err)
		}
	}
	got, err := h.db.Bedside(ctx, id)
	if err != nil || got.Severity != says.Severity || got.Code != says.Code || got.Isolation != says.Isolation || !got.Home.Equal(home) || got.N != says.N+1 || time.Since(got.At) > time.Minute {
		t.Errorf("%+v, %v", got, err)
	}
	if last := got.Changes[0]; len(got.Changes) != store.MaxBedsideChanges || last.By != "Plantednurse" || last.What != "severity" || last.Now != says.Severity {
		t.Errorf("%d changes, the last %+v", len(got.Changes), got.Changes[0])
	}
	if places := found(t, h.url, "plantedseverity", "plantedcode", "plantedisolation", "Plantednurse"); places != nil {
		t.Errorf("it is found in %v", places)
	}
	for what, stale := range map[string]struct {
		bed string
		n   int32
	}{"who has not seen the last change": {"4w-2", says.N}, "about whom lies elsewhere": {"4w-1", got.N}} {
		if err := h.db.SetBedside(ctx, id, stale.bed, "x", store.Bedside{N: stale.n}); !errors.Is(err, store.ErrBedsideChanged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	says.N = got.N
	if err := h.db.SetBedside(ctx, id, "4w-2", "x", says); err != nil {
		t.Errorf("what is the same: %v", err)
	}
	if again, err := h.db.Bedside(ctx, id); err != nil || again.N != got.N {
		t.Errorf("what is the same counts as change %d, %v", again.N, err)
	}

	h.must(t, `UPDATE stay SET bedside = (SELECT bedside FROM stay WHERE patient_id = $1) WHERE bed_id = '4w-1'`, id)
	beds, err := h.db.BoardBeds(ctx, "4w")
	if err != nil || len(beds) != 2 {
		t.Fatal(beds, err)
	}
	at := func(bed string) store.BoardBed {
		return beds[slices.IndexFunc(beds, func(b store.BoardBed) bool { return b.BedID == bed })]
	}
	if at("4w-1").Bedside.Severity != "" || at("4w-2").Bedside.Severity != says.Severity {
		t.Errorf("another patient's bed says %q", at("4w-1").Bedside.Severity)
	}
	h.must(t, `DELETE FROM stay WHERE patient_id = $1`, id)
	if _, err := h.db.PutPatient(ctx, planted, "4w-2"); err != nil {
		t.Fatal(err)
	}
	if got, err := h.db.Bedside(ctx, id); err != nil || got.Severity != "" || got.Changes != nil {
		t.Errorf("the next stay begins with %+v, %v", got, err)
	}
	if _, err := h.db.Bedside(ctx, uuid.New()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
}
