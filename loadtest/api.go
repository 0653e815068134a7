package loadtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	noteKind  = "progress"
	beginning = 8       // notes begun at once
	maxAnswer = 4 << 20 // bytes of an answer of the API

	maxRetryAfter = 10 * time.Second // that a call waits because the server asks it to, each time
	maxRetries    = 100
)

// documents returns the names of the documents to load: new notes of a Tidechart, counted in begun, or names for any
// other server.
func (c Config) documents(ctx context.Context, begun *atomic.Int64) ([]string, error) {
	names := make([]string, c.Notes)
	if c.Prefix != "" {
		for i := range names {
			names[i] = fmt.Sprintf("%s-%d", c.Prefix, i)
		}
		return names, nil
	}
	patients, err := c.patients(ctx)
	if err != nil {
		return nil, err
	}
	err = each(ctx, len(names), beginning, func(ctx context.Context, i int) (err error) {
		for k := range patients { // not everybody whose notes one reads is one's own to write about
			about := map[string]string{"patient": patients[(i+k)%len(patients)], "kind": noteKind}
			var note struct{ ID string }
			if err = c.call(ctx, http.MethodPost, "/notes", c.Tokens[0], about, &note); err == nil {
				names[i] = note.ID
				begun.Add(1)
				return nil
			}
			if !errors.Is(err, refusal(http.StatusForbidden)) {
				break
			}
		}
		return fmt.Errorf("begin a note: %w", err)
	})
	return names, err
}

// patients returns those whose notes all people of the load may read. Who is denied is left out: that is for the report.
func (c Config) patients(ctx context.Context) ([]string, error) {
	var all []string
	for i, token := range slices.Concat(c.Tokens, c.besides) {
		var list struct {
			Notes []struct{ Patient struct{ ID string } }
		}
		err := c.call(ctx, http.MethodGet, "/notes", token, nil, &list)
		if errors.As(err, new(refusal)) && i > 0 {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list notes: %w", err)
		}
		var theirs []string
		for _, n := range list.Notes {
			if id := n.Patient.ID; !slices.Contains(theirs, id) && (i == 0 || slices.Contains(all, id)) {
				theirs = append(theirs, id)
			}
		}
		all = theirs
	}
	if len(all) == 0 {
		return nil, errors.New("there is no note that everybody may read; new ones are begun for the patients of those there are")
	}
	return all, nil
}

// refusal is the status of an answer that is none.
type refusal int

func (r refusal) Error() string { return fmt.Sprintf("%d %s", int(r), http.StatusText(int(r))) }

// each calls f for 0 ≤ i < n, at most so many at once, and returns the first error, which ends the others' context.
func each(ctx context.Context, n, atOnce int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, atOnce) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := f(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// call makes one call of Tidechart's API. As long as the server says that there are too many, it is made again when the
// server says.
func (c Config) call(ctx context.Context, method, path, token string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	for range maxRetries {
		wait, err := c.callOnce(ctx, method, path, token, body, out)
		if wait == 0 || err != nil {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
	return errors.New(http.StatusText(http.StatusTooManyRequests))
}

// callOnce makes one call, or says how long to wait before it is made again.
func (c Config) callOnce(ctx context.Context, method, path, token string, body []byte, out any) (wait time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }() // it has been read
	if after := retryAfter(resp); after > 0 {
		return after, nil
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return 0, refusal(resp.StatusCode)
	}
	return 0, json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(out)
}

// retryAfter returns how long the server asks to wait for what it has not done because there was too much, or 0.
func retryAfter(resp *http.Response) time.Duration {
	if resp.StatusCode != http.StatusTooManyRequests {
		return 0
	}
	seconds, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 16)
	if err != nil {
		return 0
	}
	return min(max(time.Duration(seconds), 1)*time.Second, maxRetryAfter)
}
