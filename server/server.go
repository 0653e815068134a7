// Package server is the HTTP and WebSocket edge: it knows who asks, decides whether they may, and renders what
// the packages behind it say.
package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/transport"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web"
)

// Config is what a server needs. DB, Hub, Log and Version are required.
type Config struct {
	DB  *store.DB
	Hub *sessions.Hub
	Log *slog.Logger

	// Logoff says how long a login lasts that nobody uses; the zero value is the default.
	Logoff login.Logoff
	// SecondFactor says from whom more than a password is demanded; the zero value: from everybody.
	SecondFactor login.Demand
	// Now is the clock by which logins are unused; nil: the machine's.
	Now func() time.Time

	// TrustedProxies are whom the server believes where requests come from; see [Server.client].
	TrustedProxies []netip.Prefix

	// Secure says that browsers reach the server by HTTPS, here or at a proxy in front.
	Secure bool
	// PublicURL is how browsers reach the server, without a path; nil: as each says. Passkeys belong to its host.
	PublicURL *url.URL
	// Provider says who people are, beside this server; nil: none does.
	Provider *login.Provider
	// Demo offers the demo sign-ins on the sign-in page; nil outside the demo.
	Demo *web.DemoSignIns
	// Version is shown by the API, and by pages about the system.
	Version string
	// Speaks is what speaks TLS with browsers; nil: a proxy does, or nobody.
	Speaks *transport.Transport
}

// Server answers requests. Its Handler may be used by any number of goroutines.
type Server struct {
	db        *store.DB
	hub       *sessions.Hub
	desk      *login.Desk
	now       func() time.Time // for what is left of a login
	log       *slog.Logger
	secure    bool
	publicURL *url.URL
	provider  *login.Provider
	demo      *web.DemoSignIns
	version   string
	speaks    *transport.Transport
	began     time.Time
	limits    limits
	proxies   []netip.Prefix

	news     news // of any change that was told
	pageNews news // of what pages tell
	boards   boards
	sights   sights
	streams  streams
	knocks   knocks
	pdfs     chan struct{} // has room for as many as are made at one time

	drained context.Context // ends when the server drains: long answers end with it
	drain   context.CancelFunc
}

// New returns a server. Whoever lets people write runs [Server.Watch] beside it.
func New(c Config) *Server {
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Server{
		db: c.DB, hub: c.Hub, now: c.Now, log: c.Log, proxies: c.TrustedProxies,
		secure: c.Secure, publicURL: c.PublicURL, provider: c.Provider, demo: c.Demo, version: c.Version, speaks: c.Speaks, began: time.Now(), limits: newLimits(),
	}
	s.pdfs = make(chan struct{}, maxPDFs)
	s.knocks.most = s.hub.Allowance().ConnsPerNode / 2
	s.desk = login.NewDesk(c.DB, login.Options{Secure: c.Secure, Logoff: c.Logoff, Demand: c.SecondFactor, Now: c.Now, Network: s.network})
	s.drained, s.drain = context.WithCancel(context.Background())
	s.hub.AccessSeen(time.Now()) // from now on it is watched, or nothing is committed
	return s
}

// Drain makes the server say that it is not ready, and ends answers that would go on for ever: event streams.
func (s *Server) Drain() { s.drain() }

// Handler is the route table.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", web.Assets())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("POST /csp-report", s.open(s.cspReport))

	mux.Handle("GET /login", s.open(s.loginPage))
	mux.Handle("POST /login", s.open(s.signIn))
	mux.Handle("GET /enrol", s.open(s.enrolPage))
	mux.Handle("POST /enrol", s.open(s.enrol))
	mux.Handle("POST /logout", s.page(s.signOut))
	mux.Handle("GET /login/left", s.page(s.loginLeft))
	mux.Handle("POST /login/input", s.page(s.noteInput))
	mux.Handle("GET /confirm", s.halfway(s.confirmPage))
	mux.Handle("POST /confirm", s.halfway(s.confirm))
	mux.Handle("GET "+factorPage, s.halfway(s.secondFactor))
	mux.Handle("GET /security", s.own(s.securityPage))
	mux.Handle("GET "+passwordPath, s.changingAt(passwordPath, s.passwordPage))
	mux.Handle("POST "+passwordPath, s.changingAt(passwordPath, s.changePassword))
	mux.Handle("POST /security/codes", s.enrolling(s.beginCodes))
	mux.Handle("GET /security/codes", s.enrolling(s.codesPage))
	mux.Handle("POST /security/codes/accept", s.enrolling(s.acceptCodes))
	mux.Handle("POST /security/codes/stop", s.changing(s.stopCodes))
	mux.Handle("POST /security/recovery", s.changing(s.newRecoveryCodes))
	mux.Handle("POST /security/logins/end", s.own(s.endLogin))
	mux.Handle("POST /security/logins/end-others", s.own(s.endOtherLogins))
	mux.Handle("POST /security/invitation/end", s.own(s.endInvitation))
	mux.Handle("GET /{$}", s.page(s.worklist))
	mux.Handle("POST /{$}", s.page(s.worklist))
	mux.Handle("POST /tour", s.known(s.endTour))
	mux.Handle("POST /notes", s.known(s.createNote))
	mux.Handle("GET /notes/{id}", s.known(s.notePage))
	mux.Handle("GET /notes/{id}/comments", s.known(s.commentsPart))
	mux.Handle("GET /notes/{id}/history", s.known(s.historyPage))
	mux.Handle("GET /notes/{id}/versions", s.known(s.versionsPage))
	mux.Handle("POST /notes/{id}/versions", s.known(s.nameVersion))
	mux.Handle("POST /notes/{id}/versions/{version}", s.known(s.renameVersion))
	mux.Handle("POST /notes/{id}/versions/{version}/remove", s.known(s.removeVersion))
	mux.Handle("GET /notes/{id}/compare", s.known(s.comparePage))
	mux.Handle("GET /notes/{id}/changes", s.known(s.changesPage))
	mux.Handle("GET /notes/{id}/restore", s.known(s.restorePage))
	mux.Handle("POST /notes/{id}/restore", s.known(s.restore))
	mux.Handle("POST /notes/{id}/printed", s.known(s.notePrinted))
	s.mountBoard(mux)
	mux.Handle("GET /events", s.answer(s.recognised(s.pageEvents)))
	s.mountSessions(mux)
	s.mountPeople(mux)
	s.mountOverview(mux)
	mux.Handle("GET /glass", s.allowedAnywhere(access.BreakGlass, s.glassPage))
	mux.Handle("POST /glass", s.allowedAnywhere(access.BreakGlass, s.breakGlass))
	mux.Handle("GET /reviews", s.allowedAnywhere(access.SeeReviews, s.reviewsPage))
	mux.Handle("POST /reviews/{id}", s.allowedAnywhere(access.CloseReview, s.closeReview))
	mux.Handle("GET /reviews/activity", s.allowedAnywhere(access.SeeAccesses, s.activityPage))
	mux.Handle("GET "+logPage, s.allowedAnywhere(access.SeeAccesses, s.logOfActs))
	mux.Handle("POST "+logPage, s.allowedAnywhere(access.SeeAccesses, s.logOfActs))
	mux.Handle("GET /patients/{id}/accesses", s.allowedAnywhere(access.SeeAccesses, s.accessesPage))
	mux.Handle("POST /patients/{id}/accesses", s.allowedAnywhere(access.Export, s.exportAccesses))
	mux.Handle("GET /api/docs", s.page(s.apiDocs))
	mux.Handle("/", s.open(func(http.ResponseWriter, *http.Request) error { return errNoPage }))

	mux.HandleFunc("GET /ws", s.serveHocuspocus)
	mux.HandleFunc("GET /ws/notes/{id}", s.serveYWebSocket)
	s.mountExport(mux)
	mux.Handle("GET "+retentionPath, s.known(s.retentionPage))
	s.mountSigning(mux)
	s.mountPhrases(mux)
	s.mountTasks(mux)
	s.mountDestruction(mux)
	s.mountPasskeys(mux)
	s.mountProvider(mux)
	s.mountAPI(mux)
	s.mountLog(mux)

	return s.recovered(s.secured(s.placed(http.NewCrossOriginProtection().Handler(mux))))
}

// handler answers a request or says why it cannot; see status for what the caller is told.
type handler func(w http.ResponseWriter, r *http.Request) error

// personal is a handler for somebody who may.
type personal func(w http.ResponseWriter, r *http.Request, who login.Person) error

// pageTimeout bounds what a page waits for, the database above all.
const pageTimeout = 15 * time.Second

// page runs h within the time a page may take.
func (s *Server) page(h handler) http.Handler {
	return s.answer(func(w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), pageTimeout)
		defer cancel()
		return h(w, r.WithContext(ctx))
	})
}

// open is a page for anybody, but not too often for one network.
func (s *Server) open(h handler) http.Handler {
	return s.page(func(w http.ResponseWriter, r *http.Request) error {
		if err := s.limits.stranger(s.network(r)); err != nil {
			return err
		}
		return h(w, r)
	})
}

// answer renders a handler's error as a page.
func (s *Server) answer(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.renderError(w, r, err)
		}
	})
}

// allowed is a page for people who may do act, which is done to nobody in particular.
func (s *Server) allowed(act access.Act, h personal) http.Handler {
	return s.known(func(w http.ResponseWriter, r *http.Request, who login.Person) error {
		if err := s.decide(r.Context(), who, act, access.Note{}, onto{}); err != nil {
			return err
		}
		return h(w, r, who)
	})
}

// allowedAnywhere is a page for people whose role may do act to something. It decides to what.
func (s *Server) allowedAnywhere(act access.Act, h personal) http.Handler {
	return s.known(func(w http.ResponseWriter, r *http.Request, who login.Person) error {
		if !access.May(who.Role, act) {
			return s.decide(r.Context(), who, act, access.Note{}, onto{})
		}
		return h(w, r, who)
	})
}

// known is a page for people who are signed in. It decides what they may.
func (s *Server) known(h personal) http.Handler { return s.page(s.recognised(h)) }

// own is a page about whoever is signed in at this browser.
func (s *Server) own(h personal) http.Handler {
	return s.halfway(func(w http.ResponseWriter, r *http.Request, who login.Person) error {
		if who.Weak {
			return login.ErrWeak
		}
		return h(w, r, who)
	})
}

// recognised runs h for people who are signed in, and not too often. Others are sent to sign in, or told why not.
func (s *Server) recognised(h personal) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		who, err := s.visits(r)
		if err != nil {
			return err
		}
		return h(w, r.WithContext(as(r.Context(), who)), who)
	}
}

// visits is asks of whoever looks at a page. Programs of their own have no business there.
func (s *Server) visits(r *http.Request) (login.Person, error) {
	who, err := s.asks(r)
	if err == nil && login.IsProgram(string(who.Role)) {
		err = errProgram
	}
	return who, err
}

// asks returns whose request r is, and counts it.
func (s *Server) asks(r *http.Request) (login.Person, error) {
	who, err := s.desk.ByRequest(r)
	return who, s.counted(r, who, err)
}

// asksHere is asks of whoever is signed in at the browser that sent r, whatever token it may bring.
func (s *Server) asksHere(r *http.Request) (login.Person, error) {
	who, err := s.desk.ByCookie(r)
	return who, s.counted(r, who, err)
}

// counted counts a request of who, or of a stranger if that is the error, and returns why it is not answered: who has
// shown less than is demanded of them is [login.ErrWeak].
func (s *Server) counted(r *http.Request, who login.Person, err error) error {
	switch {
	case err == nil && who.Weak:
		return cmp.Or(s.limits.known(who), login.ErrWeak)
	case err == nil:
		return s.limits.known(who)
	case errors.Is(err, login.ErrNotSignedIn):
		return cmp.Or(s.limits.stranger(s.network(r)), err)
	default:
		return err
	}
}

// readyTimeout bounds what a readiness probe waits for the database.
const readyTimeout = 2 * time.Second

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	switch {
	case s.drained.Err() != nil:
		writeText(w, http.StatusServiceUnavailable, "stopping\n")
	case s.db.Ping(ctx) != nil:
		writeText(w, http.StatusServiceUnavailable, "the database does not answer\n")
	default:
		writeText(w, http.StatusOK, "ready\n")
	}
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the reader may be gone
}

var (
	errForbidden = errors.New("not allowed")
	errNoPage    = errors.New("no such page")
	errProgram   = errors.New("a program looks at a page")
)
