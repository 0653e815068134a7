package loadtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

const (
	noteKind  = "progress"
	beginning = 8       // notes begun at once
	maxAnswer = 4 << 20 // bytes of an answer of the API
)

// documents returns the names of the documents to load: new notes of a Tidechart, or names for any other server.
func (c Config) documents(ctx context.Context) ([]string, error) {
	names := make([]string, c.Notes)
	if c.Prefix != "" {
		for i := range names {
			names[i] = fmt.Sprintf("%s-%d", c.Prefix, i)
		}
		return names, nil
	}
	var list struct {
		Notes []struct{ Patient struct{ ID string } }
	}
	if err := c.call(ctx, http.MethodGet, "/notes", c.Tokens[0], nil, &list); err != nil {
		return nil, fmt.Errorf("list notes: %w", err)
	}
	if len(list.Notes) == 0 {
		return nil, errors.New("the server has no note; new ones are begun for the patients of those there are")
	}
	err := each(ctx, len(names), beginning, func(ctx context.Context, i int) error {
		about := map[string]string{"patient": list.Notes[i%len(list.Notes)].Patient.ID, "kind": noteKind}
		var note struct{ ID string }
		err := c.call(ctx, http.MethodPost, "/notes", c.Tokens[0], about, &note)
		if err != nil {
			return fmt.Errorf("begin a note: %w", err)
		}
		names[i] = note.ID
		return nil
	})
	return names, err
}

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

// call makes one call of Tidechart's API.
func (c Config) call(ctx context.Context, method, path, token string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+"/api/v1"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it has been read
	if resp.StatusCode >= http.StatusMultipleChoices {
		return errors.New(resp.Status)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(out)
}
