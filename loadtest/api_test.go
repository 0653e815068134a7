package loadtest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestCallsWaitAsAsked: a server that says when to come back is asked again then, and not before; one that does not say
// is not asked again.
func TestCallsWaitAsAsked(t *testing.T) {
	var calls atomic.Int64
	var first time.Time
	after := "1"
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			first = time.Now()
			w.Header().Set("Retry-After", after)
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		var in map[string]string
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in["kind"] != noteKind {
			t.Errorf("the second call brings %v, %v", in, err)
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"id": "n"})
	}))
	defer web.Close()
	c := Config{URL: web.URL}
	var note struct{ ID string }
	err := c.call(t.Context(), http.MethodPost, "/notes", "t", map[string]string{"kind": noteKind}, &note)
	if waited := time.Since(first); err != nil || note.ID != "n" || calls.Load() != 2 || waited < time.Second {
		t.Errorf("%v, note %q after %d calls and %v", err, note.ID, calls.Load(), waited)
	}

	calls.Store(0)
	after = "tomorrow"
	if err := c.call(t.Context(), http.MethodPost, "/notes", "t", nil, &note); err == nil || !strings.HasPrefix(err.Error(), "429") || calls.Load() != 1 {
		t.Errorf("without a time to wait: %v after %d calls", err, calls.Load())
	}

	calls.Store(0)
	after = "60000"
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.call(ctx, http.MethodPost, "/notes", "t", nil, &note); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a wait that is called off: %v", err)
	}
}
