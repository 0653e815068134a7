package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web"
)

// Limits of sockets (I10); those of messages are in package sessions. A socket whose other end neither answers a
// ping in time nor sends anything else is dead. With the interval before it, that is within the 30 seconds after
// which nobody may still be shown as present.
const (
	pingEvery   = 15 * time.Second
	pingTimeout = 10 * time.Second

	authorizeTimeout = 5 * time.Second // of looking up who somebody is
)

// serveYWebSocket speaks y-websocket about the note in the path.
func (s *Server) serveYWebSocket(w http.ResponseWriter, r *http.Request) {
	s.serveSocket(w, r, func(ctx context.Context, conn sessions.Conn) error {
		note, err := uuid.Parse(r.PathValue("id"))
		if err != nil {
			return s.hub.ServeYWebSocket(ctx, conn, uuid.Nil, sessions.Grant{}, sessions.ErrNoNote)
		}
		grant, denied := s.authorize(r)(ctx, note, r.URL.Query().Get("token"))
		return s.hub.ServeYWebSocket(ctx, conn, note, grant, denied)
	})
}

// serveHocuspocus speaks Hocuspocus; which notes, its messages say.
func (s *Server) serveHocuspocus(w http.ResponseWriter, r *http.Request) {
	s.serveSocket(w, r, func(ctx context.Context, conn sessions.Conn) error {
		return s.hub.ServeHocuspocus(ctx, conn, s.authorize(r))
	})
}

// authorize decides about notes for whoever opened the socket with r: by the token given, else by r's own
// token or cookie. An editor that declares a schema must have ours: one that lacks a node type deletes it.
func (s *Server) authorize(r *http.Request) sessions.Authorizer {
	schema := r.URL.Query().Get("schema")
	var decide sessions.Authorizer
	decide = func(ctx context.Context, note sessions.NoteID, token string) (sessions.Grant, error) {
		epoch := s.hub.AccessEpoch()
		if schema != "" && schema != prose.SchemaFingerprint() {
			return sessions.Grant{}, sessions.ErrStaleEditor
		}
		ctx, cancel := context.WithTimeout(ctx, authorizeTimeout)
		defer cancel()
		var who login.Person
		var err error
		if token == "" {
			who, err = s.desk.ByRequest(r.WithContext(ctx))
		} else {
			who, err = s.desk.ByToken(ctx, token)
		}
		if errors.Is(err, login.ErrNotSignedIn) {
			return sessions.Grant{}, sessions.ErrUnauthenticated
		}
		if err != nil {
			return sessions.Grant{}, err
		}
		grant, err := s.grant(ctx, who, note)
		grant.Epoch = epoch
		grant.Renew = func(ctx context.Context) (sessions.Grant, error) { return decide(ctx, note, token) }
		return grant, err
	}
	return decide
}

// grant says what a person may do with a note, and that it exists.
func (s *Server) grant(ctx context.Context, who login.Person, note sessions.NoteID) (sessions.Grant, error) {
	if !access.May(who.Role, access.ReadNote) {
		s.log.Warn("denied", "person", who.ID, "act", string(access.ReadNote), "note", note)
		return sessions.Grant{}, sessions.ErrForbidden
	}
	row, err := s.db.NoteHead(ctx, note)
	if errors.Is(err, store.ErrNotFound) {
		return sessions.Grant{}, sessions.ErrNoNote
	}
	if err != nil {
		return sessions.Grant{}, fmt.Errorf("look up note: %w", err)
	}
	return sessions.Grant{
		Author: sessions.Author{
			ID: who.ID, Name: who.Name, Role: string(who.Role), Color: web.AuthorColors[who.Color], ColorIndex: who.Color,
		},
		ReadOnly: !access.May(who.Role, access.WriteNote) || row.State != string(web.StatusDraft),
		Login:    who.Login,
		Until:    who.Until,
	}, nil
}

// serveSocket upgrades a request and runs serve until the socket ends.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request, serve func(context.Context, sessions.Conn) error) {
	if err := s.checkOrigin(r); err != nil {
		s.logRefusal(r, http.StatusForbidden, "", err)
		writeText(w, http.StatusForbidden, err.Error()+"\n")
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the origin is checked above, more strictly than Accept would
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		s.logRefusal(r, http.StatusBadRequest, "", err) // Accept has answered
		return
	}
	defer func() { _ = ws.CloseNow() }() // nothing is lost by a socket that is closed already
	ws.SetReadLimit(-1)                  // conn.Read has the limit, and says so before the socket is closed

	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	c := &conn{ws: ws}
	go c.keepAlive(ctx, cancel)

	err = serve(ctx, c)
	s.log.Info("socket ends", "path", r.URL.Path, "err", err)
	var reason *sessions.CloseError
	if errors.As(err, &reason) {
		_ = ws.Close(websocket.StatusCode(reason.Code), reason.Reason) // the peer may be gone
	}
}

// errForeignOrigin is why a page of another site gets no socket.
var errForeignOrigin = errors.New("this origin may not open a socket here")

// checkOrigin allows pages of our own origin, and programs, which send no origin and bring a token. A cookie
// counts only beside our own origin: it is the browser that adds it, whoever wrote the page.
func (s *Server) checkOrigin(r *http.Request) error {
	scheme := "http"
	if s.secure {
		scheme = "https"
	}
	origins := r.Header.Values("Origin")
	if len(origins) == 1 && origins[0] == scheme+"://"+r.Host {
		return nil
	}
	if len(origins) == 0 && r.Header.Get("Cookie") == "" {
		return nil
	}
	return errForeignOrigin
}

// conn is a WebSocket as sessions see it.
type conn struct {
	ws    *websocket.Conn
	heard atomic.Int64 // pieces of messages read
}

// keepAlive calls dead when the other end has stopped: it does not answer, and nothing else comes. What it sends may
// be on its way for longer than a ping may take, and the answer is behind that.
func (c *conn) keepAlive(ctx context.Context, dead func()) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		before := c.heard.Load()
		ping, cancel := context.WithTimeout(ctx, pingTimeout)
		err := c.ws.Ping(ping)
		cancel()
		if err != nil && c.heard.Load() == before {
			dead()
			return
		}
	}
}

func (c *conn) Read(ctx context.Context, limit int) ([]byte, error) {
	kind, r, err := c.ws.Reader(ctx)
	if err != nil {
		return nil, err
	}
	if kind != websocket.MessageBinary {
		return nil, sessions.Malformed(fmt.Errorf("message of type %s", kind))
	}
	message, err := io.ReadAll(io.LimitReader(&listener{r, &c.heard}, int64(limit)+1))
	if err == nil && len(message) > limit {
		return nil, sessions.TooLarge()
	}
	return message, err
}

func (c *conn) Write(ctx context.Context, message []byte) error {
	return c.ws.Write(ctx, websocket.MessageBinary, message)
}

// listener notes each piece of a message that comes.
type listener struct {
	io.Reader
	heard *atomic.Int64
}

func (l *listener) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	l.heard.Add(1)
	return n, err
}
