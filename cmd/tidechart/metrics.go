package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/transport"
	"github.com/clisonix/tidechart/sessions"
)

// metricsFlags say where figures about the server are.
type metricsFlags struct {
	MetricsListen string `placeholder:"127.0.0.1:9464" help:"Address on this machine at which Prometheus finds /metrics, without a login. Without it, there is none." env:"TIDECHART_METRICS_LISTEN"`
}

// maxScrapes is how many ask for metrics at once (I10).
const maxScrapes = 4

// listen returns the listener for metrics, or nil if there is to be none. They are told in the clear to whoever asks, so that nobody
// from another machine may.
func (f metricsFlags) listen() (net.Listener, error) {
	if f.MetricsListen == "" {
		return nil, nil
	}
	at, err := netip.ParseAddrPort(f.MetricsListen)
	if err != nil || !at.Addr().IsLoopback() {
		return nil, fmt.Errorf("%w: --metrics-listen is an address of this machine alone, as in 127.0.0.1:9464", errUsage)
	}
	l, err := net.Listen("tcp", f.MetricsListen)
	if err != nil {
		return nil, fmt.Errorf("listen for metrics: %w", err)
	}
	return l, nil
}

// serveMetrics answers on l until the returned function is called. speaks is nil if a proxy speaks TLS.
func serveMetrics(log *slog.Logger, l net.Listener, speaks *transport.Transport, line store.Line, hub *sessions.Hub, acts *store.Sequencer) (stop func()) {
	all := prometheus.NewRegistry()
	all.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newFigures(speaks, line, hub, acts))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(all, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes, Timeout: bodyTimeout}))
	web := &http.Server{
		Handler: mux, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, WriteTimeout: answerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	go func() {
		if err := web.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics have ended", "err", err)
		}
	}()
	log.Info("metrics", "address", l.Addr().String())
	return func() { _ = web.Close() }
}

// figures are what the server counts itself. No label says more than words of the program (I14).
type figures struct {
	speaks *transport.Transport
	line   store.Line
	hub    *sessions.Hub
	acts   *store.Sequencer

	entries, waiting, waited, signed *prometheus.Desc

	sockets, notes, queued, unsettled, commits, retries *prometheus.Desc

	handshakes, failures, taken, broken, ends, database *prometheus.Desc
}

func newFigures(speaks *transport.Transport, line store.Line, hub *sessions.Hub, acts *store.Sequencer) *figures {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("tidechart_"+name, help, labels, nil)
	}
	return &figures{
		speaks: speaks, line: line, hub: hub, acts: acts,
		entries:    desc("log_entries", "Acts that have a place in the log of acts."),
		waiting:    desc("log_waiting_acts", "Acts that have no place in it yet; up to a thousand are counted."),
		waited:     desc("log_waiting_seconds", "How long the first of those has been without one. More than some seconds: a transaction stays open, or no server gives places."),
		signed:     desc("log_checkpoint_age_seconds", "How old the newest checkpoint is. More than ten: nothing is signed any more."),
		sockets:    desc("sockets", "WebSockets that are open."),
		notes:      desc("open_notes", "Notes with a session."),
		queued:     desc("queued_commits", "Sessions whose edits wait for their commit."),
		unsettled:  desc("unsettled_bytes", "Bytes of edits that are not answered yet."),
		commits:    desc("commit_seconds", "How long commits of edits took."),
		retries:    desc("commit_retries_total", "Commits that were tried again, because the database did not answer."),
		handshakes: desc("tls_handshakes_total", "TLS handshakes that ended well, by the group that keys were agreed on by.", "group", "post_quantum"),
		failures:   desc("tls_handshake_failures_total", "TLS handshakes that failed.", "reason"),
		taken:      desc("tls_certificates_taken_total", "Certificates that were taken over from changed files since the start."),
		broken:     desc("tls_certificate_files_broken", "Whether the files hold a certificate that cannot be used, so that the one of before is."),
		ends:       desc("tls_certificate_end_timestamp_seconds", "When the certificate in use ends."),
		database:   desc("database_line_info", "How the database is reached.", "tls", "verified", "group"),
	}
}

// Describe implements [prometheus.Collector].
func (f *figures) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{f.entries, f.waiting, f.waited, f.signed, f.sockets, f.notes, f.queued, f.unsettled, f.commits, f.retries, f.handshakes, f.failures, f.taken, f.broken, f.ends, f.database} {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (f *figures) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	group := ""
	if f.line.TLS {
		group = f.line.Group.String()
	}
	f.collectHub(to, gauge, count)
	f.collectLog(gauge)
	gauge(f.database, 1, strconv.FormatBool(f.line.TLS), strconv.FormatBool(f.line.Verified), group)
	if f.speaks == nil {
		return
	}
	t := f.speaks.Tally()
	for _, id := range transport.Groups {
		count(f.handshakes, t.Shaken[id], id.String(), strconv.FormatBool(transport.IsPostQuantum(id)))
	}
	for _, why := range transport.Reasons {
		count(f.failures, t.Failed[why], string(why))
	}
	count(f.taken, t.Taken)
	broken := 0.0
	if t.Broken {
		broken = 1
	}
	gauge(f.broken, broken)
	gauge(f.ends, float64(t.Ends.Unix()))
}

// collectLog adds how the log of acts does.
func (f *figures) collectLog(gauge func(*prometheus.Desc, float64, ...string)) {
	now, waited := f.acts.Figures(), 0.0
	if !now.Since.IsZero() {
		waited = max(0, time.Since(now.Since).Seconds())
	}
	gauge(f.entries, float64(now.Entries))
	gauge(f.waiting, float64(now.Waiting))
	gauge(f.waited, waited)
	if !now.Signed.IsZero() {
		gauge(f.signed, time.Since(now.Signed).Seconds())
	}
}

// collectHub adds how live editing does.
func (f *figures) collectHub(to chan<- prometheus.Metric, gauge func(*prometheus.Desc, float64, ...string), count func(*prometheus.Desc, uint64, ...string)) {
	now := f.hub.Figures()
	gauge(f.sockets, float64(now.Sockets))
	gauge(f.notes, float64(now.Notes))
	gauge(f.queued, float64(now.Queued))
	gauge(f.unsettled, float64(now.Unsettled))
	count(f.retries, now.Commits.Retries)
	within, n := make(map[float64]uint64, len(sessions.CommitBounds)), uint64(0)
	for i, bound := range sessions.CommitBounds {
		n += now.Commits.Counts[i]
		within[bound.Seconds()] = n
	}
	to <- prometheus.MustNewConstHistogram(f.commits, now.Commits.All(), now.Commits.Sum.Seconds(), within)
}
