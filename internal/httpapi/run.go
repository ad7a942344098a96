package httpapi

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"pakhus/internal/lane"
)

const (
	// headerTimeout bounds how long a client may take for its header.
	headerTimeout = 15 * time.Second
	// idleTimeout is longer than that of the usual proxies (60 s), so that it is
	// they who close a connection and never lose a request on a closed one.
	idleTimeout = 2 * time.Minute
	// maxHeader bounds all headers of a request together: 431 above.
	maxHeader = 32 << 10
)

// Run serves on a listener until ctx ends, then stops: readiness fails first, no
// connection is accepted any more, and requests get StopTimeout to finish. With
// a TLS configuration it speaks TLS and HTTP/2.
func (s *Server) Run(ctx context.Context, l net.Listener, tlsConfig *tls.Config) error {
	server := s.httpServer(s)
	server.TLSConfig = tlsConfig
	return s.serve(ctx, server, l, s.recall)
}

// RunMetrics serves metrics and profiles on a listener of their own.
func (s *Server) RunMetrics(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	if s.opts.Metrics != nil {
		mux.Handle("GET /metrics", s.opts.Metrics.Handler())
	}
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return s.serve(ctx, s.httpServer(mux), l, nil)
}

// httpServer has no bound for whole requests or answers: the recorder's
// deadlines move with progress.
func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(connectionLog{s.opts.Log}, "", 0),
	}
}

// serve serves until ctx ends. Without TLS the lane answers what is simple, and
// net/http the rest.
func (s *Server) serve(ctx context.Context, server *http.Server, l net.Listener, recall func(*lane.Turn) bool) error {
	finish := server.Shutdown
	if server.TLSConfig == nil {
		simple := lane.Listen(l, lane.Options{
			Handler: server.Handler, Recall: recall, HeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, Log: server.ErrorLog,
		})
		l, finish = simple, func(ctx context.Context) error {
			return errors.Join(server.Shutdown(ctx), simple.Wait(ctx)) // the first closes the listener of both
		}
	}
	stopped := make(chan error, 1)
	serving, done := context.WithCancel(ctx)
	go func() {
		<-serving.Done()
		s.draining.Store(true)
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.StopTimeout)
		defer cancel()
		stopped <- finish(bounded)
	}()
	var err error
	if server.TLSConfig != nil {
		err = server.ServeTLS(l, "", "")
	} else {
		err = server.Serve(l)
	}
	done()
	late := <-stopped
	if !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	if late != nil {
		s.opts.Log.Warn("requests were cut off by the stop", "after", s.opts.StopTimeout.String())
		return server.Close()
	}
	return nil
}

// connectionLog takes what net/http says about connections: noise of scanners
// and broken handshakes.
type connectionLog struct{ log *slog.Logger }

func (l connectionLog) Write(line []byte) (int, error) {
	l.log.Debug("connection", "detail", string(line))
	return len(line), nil
}
