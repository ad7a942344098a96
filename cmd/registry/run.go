package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"pakhus/internal/config"
	"pakhus/internal/httpapi"
	"pakhus/internal/observe"
	"pakhus/internal/registry"
)

const (
	// staleSpool is how old a file in the spool must be to be left over: the
	// bodies of other processes make progress at least every minute.
	staleSpool = time.Hour
	// pruneEvery is how often change rows that everybody has read are removed.
	pruneEvery = 10 * time.Minute
)

// serveCommand runs the server.
type serveCommand struct{}

// Run builds the parts in order, serves until a signal comes, and stops them in
// the opposite order.
func (*serveCommand) Run(ctx context.Context, a *app) (err error) {
	c, err := a.config()
	if err != nil {
		return err
	}
	certificates, err := loadCertificates(c.TLSCert, c.TLSKey)
	if err != nil {
		return err
	}
	log, err := observe.NewLogger(a.err, observe.LogOptions{Format: c.LogFormat, Level: c.LogLevel})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	for _, warning := range c.Warnings() {
		log.Warn("setting to think about", "warning", warning)
	}
	listeners, err := listen(c)
	if err != nil {
		return err
	}
	defer listeners.close()
	p, err := openParts(ctx, c, log.Logger, observe.NewMetrics())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	if err := p.prepare(ctx, a.out); err != nil {
		return err
	}
	server, err := p.server()
	if err != nil {
		return err
	}
	tuneMemory(c.CacheSize)
	if err := releaseProgram(); err != nil {
		log.Debug("pages of the start not given back", "error", err)
	}
	log.Info("serving", "listen", listeners.main.Addr().String(), "external_url", c.ExternalURL.String(), "version", programVersion().Version)
	err = p.run(ctx, func(ctx context.Context) error { return listeners.serve(ctx, server, certificates) })
	log.Info("stopped")
	return err
}

// prepare does what the first start needs, and tidies up after a crash.
func (p *parts) prepare(ctx context.Context, out io.Writer) error {
	password, made, err := p.tokens.EnsureAdmin(ctx, registry.Actor{Kind: "command", Name: "serve"})
	if err != nil {
		return fmt.Errorf("make the first user: %w", err)
	}
	if made { // on standard output, so that it is in no log
		fmt.Fprintf(out, "First start: user admin has the password %s\nIt is not shown again; `registry user password admin` sets another.\n", password.Reveal())
	}
	removed, err := registry.CleanSpool(p.config.SpoolDir(), p.packages.Now().Add(-staleSpool))
	if err != nil {
		p.log.Warn("spool not tidied up", "error", err)
	}
	if removed > 0 {
		p.log.Info("spool tidied up", "files", removed)
	}
	return nil
}

// server mounts all formats on one frame.
func (p *parts) server() (*httpapi.Server, error) {
	npm, err := p.npm()
	if err != nil {
		return nil, err
	}
	maven, err := p.maven()
	if err != nil {
		return nil, err
	}
	nuget, err := p.nuget()
	if err != nil {
		return nil, err
	}
	server := httpapi.New(httpapi.Options{
		Rewrite:        npm.Rewrite,
		Log:            p.log,
		Metrics:        p.metrics,
		ExternalURL:    p.config.ExternalURL,
		TrustedProxies: p.config.TrustedProxies,
		Authenticate:   p.tokens.Middleware,
		Used:           p.tokens.Used,
		AnswerCache:    uint64(p.config.CacheSize / answerShare),
		Management:     p.management(),
		Protocols:      []httpapi.Protocol{npm, nuget, maven},
		Checks:         map[string]httpapi.Check{"database": p.store.Check, "bucket": p.blobs.Check},
		MetricsAside:   p.config.MetricsListen != "",
	})
	p.packages.Subscribe(server.Listener())
	return server, nil
}

// run serves until ctx ends or something fails. What works in the background
// outlives the last request: it writes down what that one counted.
func (p *parts) run(ctx context.Context, serve func(context.Context) error) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	work, failed := errgroup.WithContext(background)
	work.Go(func() error { return p.store.Follow(failed) })
	work.Go(func() error {
		p.packages.Run(failed, func(err error) { p.log.Warn("downloads not counted", "error", err) })
		return nil
	})
	work.Go(func() error {
		p.tokens.Run(failed, func(err error) { p.log.Warn("uses of tokens not recorded", "error", err) })
		return nil
	})
	work.Go(func() error { p.prune(failed); return nil })

	serving, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(failed, cancel) // without its background work a server would go stale
	err := serve(serving)
	stop()
	return errors.Join(err, work.Wait())
}

func (p *parts) prune(ctx context.Context) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := p.store.PruneChanges(ctx); err != nil && ctx.Err() == nil {
				p.log.Warn("changes not pruned", "error", err)
			}
		}
	}
}

// listeners are the open sockets of a server.
type listeners struct {
	main    net.Listener
	metrics net.Listener // nil without an address of its own
}

// listen opens the sockets before anything else: a second server on the same
// address ends here. Port 0 takes a free one, and the external URL follows.
func listen(c *config.Config) (*listeners, error) {
	l := &listeners{}
	var err error
	if l.main, err = net.Listen("tcp", c.Listen); err != nil {
		return nil, err
	}
	if c.ExternalURLDerived {
		c.ExternalURL = &url.URL{Scheme: c.ExternalURL.Scheme, Host: l.main.Addr().String()}
	}
	if c.MetricsListen == "" {
		return l, nil
	}
	if l.metrics, err = net.Listen("tcp", c.MetricsListen); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// serve answers on all sockets until ctx ends or one of them fails.
func (l *listeners) serve(ctx context.Context, s *httpapi.Server, certificates *tls.Config) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.Run(ctx, l.main, certificates) })
	if l.metrics != nil {
		group.Go(func() error { return s.RunMetrics(ctx, l.metrics) })
	}
	return group.Wait()
}

// close gives sockets back that were never served; for others it does nothing.
func (l *listeners) close() {
	for _, open := range []net.Listener{l.main, l.metrics} {
		if open == nil {
			continue
		}
		if err := open.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			slog.Warn("socket not closed", "error", err)
		}
	}
}
