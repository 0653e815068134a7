package server

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web"
)

// Limits of sockets (I10); those of messages are in package sessions.
const authorizeTimeout = 5 * time.Second // of looking up who somebody is

// serveYWebSocket speaks y-websocket about the note in the path.
func (s *Server) serveYWebSocket(w http.ResponseWriter, r *http.Request) {
	note, err := uuid.Parse(r.PathValue("id"))
	whose := new(knock)
	token, authorize := strings.Clone(r.URL.Query().Get("token")), s.authorize(r, whose)
	if token != "" && !login.IsTicket(token) {
		authorize = s.refuseAddress
	}
	if err != nil {
		authorize = func(context.Context, sessions.NoteID, string) (sessions.Grant, error) {
			return sessions.Grant{}, sessions.ErrNoNote
		}
	}
	s.serveSocket(w, r, whose, func(ctx context.Context, conn sessions.Conn) error {
		return s.hub.ServeYWebSocket(ctx, conn, note, token, authorize)
	})
}

// serveHocuspocus speaks Hocuspocus; which notes, its messages say.
func (s *Server) serveHocuspocus(w http.ResponseWriter, r *http.Request) {
	whose := new(knock)
	authorize := s.authorize(r, whose)
	s.serveSocket(w, r, whose, func(ctx context.Context, conn sessions.Conn) error {
		return s.hub.ServeHocuspocus(ctx, conn, authorize)
	})
}

// credentials is what of a request says whose it is, and nothing else.
func credentials(r *http.Request) http.Header {
	own := make(http.Header)
	for _, name := range []string{"Authorization", "Cookie"} {
		for _, value := range r.Header.Values(name) {
			own.Add(name, strings.Clone(value))
		}
	}
	return own
}

// refuseAddress lets nobody in by what stands in an address, where proxies log it. A ticket may: it is used up by then.
func (s *Server) refuseAddress(ctx context.Context, _ sessions.NoteID, token string) (sessions.Grant, error) {
	ctx, cancel := context.WithTimeout(ctx, authorizeTimeout)
	defer cancel()
	if who, err := s.desk.ByToken(ctx, token); err == nil {
		s.log.Warn("a token came in an address: revoke it", "person", who.ID)
	}
	return sessions.Grant{}, fmt.Errorf("%w: a token in an address", sessions.ErrUnauthenticated)
}

// authorize decides about notes for whoever opened the socket with r: by the token given, else by r's own, or by a ticket
// together with r's cookie. A cookie alone opens nothing: a browser adds it to what other sites' pages ask, too.
func (s *Server) authorize(r *http.Request, whose *knock) sessions.Authorizer {
	schema, unknown := declaredSchema(r.URL.Query().Get("schema"))
	own, origin := credentials(r), s.origin(r)
	return func(ctx context.Context, note sessions.NoteID, token string) (sessions.Grant, error) {
		epoch := s.hub.AccessEpoch()
		if unknown != nil {
			return sessions.Grant{}, unknown
		}
		ctx, cancel := context.WithTimeout(audit.From(ctx, origin), authorizeTimeout)
		defer cancel()
		who, err := s.prove(ctx, own, note, token)
		s.knocked(whose, err)
		return s.grantFor(ctx, who, err, note, byEditor, schema, epoch)
	}
}

// prove returns whom the credentials of a socket, with what came as its token, show.
func (s *Server) prove(ctx context.Context, own http.Header, note sessions.NoteID, token string) (login.Person, error) {
	bearer, has := strings.CutPrefix(own.Get("Authorization"), "Bearer ")
	switch {
	case login.IsTicket(token):
		return s.byTicket(ctx, own, note, token)
	case token != "" || has:
		return s.desk.ByToken(ctx, cmp.Or(token, bearer))
	default:
		return login.Person{}, fmt.Errorf("%w: neither token nor ticket", login.ErrNotSignedIn)
	}
}

// byTicket returns whose cookie is among credentials, if their login was given the ticket for that note. It is used up.
func (s *Server) byTicket(ctx context.Context, own http.Header, note sessions.NoteID, ticket string) (login.Person, error) {
	who, err := s.desk.ByCookie((&http.Request{Header: own}).WithContext(ctx))
	if err != nil {
		return who, err
	}
	return who, s.desk.TakeTicket(ctx, who, note, ticket)
}

// grantFor says what somebody may do with a note whom a look-up at that epoch found, or why it found nobody. Later looks
// go by the login, whose cookie may have been renewed.
func (s *Server) grantFor(ctx context.Context, who login.Person, err error, note sessions.NoteID, how string, schema *prose.Schema, epoch uint64) (sessions.Grant, error) {
	if errors.Is(err, login.ErrNotSignedIn) || errors.Is(err, login.ErrNoTicket) {
		return sessions.Grant{}, fmt.Errorf("%w: %w", sessions.ErrUnauthenticated, err)
	}
	if err != nil {
		return sessions.Grant{}, err
	}
	if who.Weak {
		return sessions.Grant{}, fmt.Errorf("%w: %w", sessions.ErrForbidden, login.ErrWeak)
	}
	grant, err := s.grant(ctx, who, note, how)
	grant.Epoch, grant.Schema = epoch, schema
	grant.Renew = func(ctx context.Context) (sessions.Grant, error) {
		epoch := s.hub.AccessEpoch()
		ctx, cancel := context.WithTimeout(ctx, authorizeTimeout)
		defer cancel()
		now, err := s.desk.Again(ctx, who)
		return s.grantFor(ctx, now, err, note, notAgain, schema, epoch)
	}
	return grant, err
}

// grant says what a person may do with a note that they open in some way, and that it exists.
func (s *Server) grant(ctx context.Context, who login.Person, note sessions.NoteID, how string) (sessions.Grant, error) {
	st, err := s.mayDo(ctx, who, access.ReadNote, note, how)
	if errors.Is(err, errForbidden) {
		return sessions.Grant{}, fmt.Errorf("%w: %w", sessions.ErrForbidden, err)
	}
	if err != nil {
		return sessions.Grant{}, err
	}
	return sessions.Grant{
		Author: sessions.Author{
			ID: who.ID, Name: who.Name, Role: st.Role, Color: web.AuthorColors[who.Color], ColorIndex: who.Color,
		},
		ReadOnly: !st.may(access.WriteNote).Allow,
		Closed:   st.closed(),
		Login:    who.Login,
		Device:   who.Device,
		Until:    who.Until,
		Again:    st.again(),
		Stamp:    sessions.Stamp{Person: st.PersonEpoch, Note: st.NoteEpoch},

		RecoverUntil: clock(st.RecoveryUntil),
	}, nil
}

// serveSocket upgrades a request and runs serve until the socket ends.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request, whose *knock, serve func(context.Context, sessions.Conn) error) {
	if err := s.checkOrigin(r); err != nil {
		s.logRefusal(r, http.StatusForbidden, "", err)
		writeText(w, http.StatusForbidden, err.Error()+"\n")
		return
	}
	if err := s.admit(r, whose); err != nil {
		retryAfter(w.Header(), err)
		s.logRefusal(r, http.StatusTooManyRequests, "", err)
		writeText(w, http.StatusTooManyRequests, "too many connections of whom nobody knows who they are\n")
		return
	}
	c, err := accept(w, r)
	if err != nil {
		whose.over()
		s.logRefusal(r, http.StatusBadRequest, "", err) // Accept has answered
		return
	}
	// Nothing of the request may live as long as the socket: it is most of what an idle one would keep.
	path := strings.Clone(r.URL.Path)
	go func() {
		defer whose.over()
		defer func() {
			if p := recover(); p != nil { // its value may quote content; the stack does not
				s.log.Error("panic", "path", path, "stack", string(debug.Stack()))
			}
		}()
		s.converse(c, path, serve)
	}()
}

// converse runs serve until the socket ends, and closes it.
func (s *Server) converse(c *conn, path string, serve func(context.Context, sessions.Conn) error) {
	defer func() { _ = c.ws.CloseNow() }() // nothing is lost by a socket that is closed already
	defer c.keepAlive(c.Cut)()             // then reading fails
	c.ends = func(why error) { s.log.Info("socket ends", "path", path, "err", why) }
	_ = serve(context.Background(), c) // c has been told why
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
	line  line
	ws    *websocket.Conn
	heard atomic.Int64 // pieces of messages read, and answers to pings
	ends  func(why error)
}

// accept upgrades a request, whose origin is checked. If it fails, it has answered.
func accept(w http.ResponseWriter, r *http.Request) (*conn, error) {
	c := &conn{ends: func(error) {}}
	ws, err := websocket.Accept(&upgrade{w, &c.line}, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // checkOrigin is stricter than Accept would be
		CompressionMode:    websocket.CompressionDisabled,
		OnPongReceived:     func(context.Context, []byte) { c.heard.Add(1) },
	})
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(-1) // conn.Read has the limit, and says so before the socket is closed
	c.ws = ws
	return c, nil
}

func (c *conn) Read(ctx context.Context, limit int) ([]byte, error) {
	kind, r, err := c.ws.Reader(ctx)
	if err != nil {
		return nil, err
	}
	if kind != websocket.MessageBinary {
		return nil, sessions.Malformed(fmt.Errorf("message of type %s", kind))
	}
	held := buffers.Get().(*bytes.Buffer)
	held.Reset()
	if _, err := held.ReadFrom(&listener{r, limit + 1, &c.heard}); err != nil {
		return nil, err
	}
	if held.Len() > limit {
		return nil, sessions.TooLarge()
	}
	message := held.Bytes()
	if len(message) <= maxHeld { // as nearly all are: keep the room for the next one
		message = bytes.Clone(message)
		buffers.Put(held)
	}
	return message, nil
}

func (c *conn) Offer(messages [][]byte) int { return c.line.offer(messages) }

func (c *conn) Write(by time.Time, messages [][]byte) error { return c.line.send(by, messages) }

func (c *conn) Cut() { _ = c.line.Close() }

func (c *conn) Close(why error) {
	c.ends(why)
	var reason *sessions.CloseError
	if errors.As(why, &reason) {
		_ = c.ws.Close(websocket.StatusCode(reason.Code), reason.Reason) // the peer may be gone
		return
	}
	_ = c.ws.CloseNow() // nothing is lost
}

// listener reads as many bytes of a message as are wanted, and notes each piece that comes.
type listener struct {
	from  io.Reader
	want  int
	heard *atomic.Int64
}

func (l *listener) Read(p []byte) (int, error) {
	if l.want == 0 {
		return 0, io.EOF
	}
	n, err := l.from.Read(p[:min(len(p), l.want)])
	l.want -= n
	l.heard.Add(1)
	return n, err
}
