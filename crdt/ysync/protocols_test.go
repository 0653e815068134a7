package ysync

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"reflect"
	"testing"

	"github.com/clisonix/tidechart/internal/needs"
)

// ask runs testdata/protocols.mjs for one question.
func ask(t *testing.T, question, answer any) {
	t.Helper()
	node := needs.Node(t, "y-protocols")
	q, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "testdata/protocols.mjs")
	cmd.Stdin = bytes.NewReader(append(q, '\n'))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v", err)
	}
	if err := json.Unmarshal(out, answer); err != nil {
		t.Fatal(err)
	}
}

// What y-protocols writes is read, and written the same.
func TestReadsYProtocols(t *testing.T) {
	var w struct{ SV, Update, Step1, Step2, StepUpdate, Aware, Gone, Denied []byte }
	ask(t, map[string]string{"cmd": "write"}, &w)
	for _, tt := range []struct {
		name string
		wire []byte
		want Message
	}{
		{"step 1", w.Step1, Message{Kind: Sync, Step: Step1, Data: w.SV}},
		{"step 2", w.Step2, Message{Kind: Sync, Step: Step2, Data: w.Update}},
		{"update", w.StepUpdate, Message{Kind: Sync, Step: StepUpdate, Data: w.Update}},
		{"denied", w.Denied, Message{Kind: Auth, Auth: Denied, Text: "no"}},
	} {
		got, err := DecodeMessage(tt.wire)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, %v; want %+v", tt.name, got, err, tt.want)
		}
		if b := AppendMessage(nil, tt.want); !bytes.Equal(b, tt.wire) {
			t.Errorf("%s: written %x, want %x", tt.name, b, tt.wire)
		}
	}
	for wire, gone := range map[string]bool{string(w.Aware): false, string(w.Gone): true} {
		m, err := DecodeMessage([]byte(wire))
		if err != nil {
			t.Fatal(err)
		}
		ps, err := DecodeAwareness(m.Data)
		if err != nil || len(ps) != 1 || ps[0].Client != 1 || ps[0].Gone() != gone {
			t.Errorf("awareness %v, %v; want client 1, gone %v", ps, err, gone)
		}
		if b := AppendAwareness(nil, ps); !bytes.Equal(b, m.Data) {
			t.Errorf("awareness written %x, want %x", b, m.Data)
		}
	}
}

// y-protocols reads what this package writes.
func TestYProtocolsReads(t *testing.T) {
	update := []byte("\x01\x01\x01\x00\x04\x01\x01t\x02hi\x00")
	state := AppendAwareness(nil, []Presence{{42, 3, []byte(`{"user":{"name":"Mei"}}`)}})
	var got struct {
		Text  string
		State any
	}
	ask(t, map[string]any{
		"cmd":    "read",
		"update": AppendMessage(nil, Message{Kind: Sync, Step: StepUpdate, Data: update}),
		"aware":  AppendMessage(nil, Message{Kind: Awareness, Data: state}),
	}, &got)
	want := map[string]any{"user": map[string]any{"name": "Mei"}}
	if got.Text != "hi" || !reflect.DeepEqual(got.State, want) {
		t.Errorf("text %q, state %v; want hi, %v", got.Text, got.State, want)
	}
}
