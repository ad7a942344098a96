package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"

	"pakhus/internal/auth"
	"pakhus/internal/blob"
	"pakhus/internal/config"
	"pakhus/internal/observe"
	"pakhus/internal/registry"
	"pakhus/internal/seal"
	"pakhus/internal/store"
)

// parts are what commands and the server work with, over one database and one
// bucket. Close them.
type parts struct {
	config   *config.Config
	log      *slog.Logger
	metrics  *observe.Metrics // nil for commands
	key      seal.Key
	store    *store.Store
	blobs    *blob.Bucket
	packages *registry.Service
	tokens   *auth.Service

	closers []io.Closer // in the order of opening
}

// commandCache bounds the caches of a command, which asks for little twice.
const commandCache = 8 << 20

// open gives a command its parts, with the database up to date.
func (a *app) open(ctx context.Context) (*parts, error) {
	c, err := a.config()
	if err != nil {
		return nil, err
	}
	c.CacheSize = min(c.CacheSize, commandCache)
	log, err := observe.NewLogger(a.err, observe.LogOptions{Format: c.LogFormat, Level: "warn"})
	if err != nil {
		return nil, err
	}
	return openParts(ctx, c, log.Logger, nil)
}

// openParts opens everything in order: folders, key, database, bucket, services.
func openParts(ctx context.Context, c *config.Config, log *slog.Logger, m *observe.Metrics) (_ *parts, err error) {
	p := &parts{config: c, log: log, metrics: m, key: c.SecretKey}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if err := os.MkdirAll(c.SpoolDir(), 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	if !c.HasSecretKey {
		if p.key, err = seal.LoadKey(c.SecretKeyFile()); err != nil {
			return nil, err
		}
	}
	if p.store, err = store.Open(ctx, store.Options{URL: c.DatabaseURL.Reveal(), Logger: log, OnUse: m.UsedDatabase}); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	p.closers = append(p.closers, p.store)
	if err := p.store.Migrate(ctx); err != nil {
		return nil, fmt.Errorf("migrate database: %w", err)
	}
	if p.blobs, err = blob.Open(ctx, blob.Options{URL: c.BucketURL.Reveal(), OnUse: m.UsedBucket}); err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	p.closers = append(p.closers, p.blobs)
	p.openServices()
	return p, nil
}

// The parts of the cache that hold verified identities, and answers that may be
// given again.
const (
	identityShare = 32
	answerShare   = 8
)

func (p *parts) openServices() {
	spooled := &atomic.Int64{}
	p.metrics.Watch("spool", "used_bytes", "Bytes of spool files in use.", func() float64 { return float64(spooled.Load()) })
	identities := p.config.CacheSize / identityShare
	p.packages = registry.New(p.store, p.blobs, registry.Options{
		SpoolDir:   p.config.SpoolDir(),
		CacheSize:  uint64(p.config.CacheSize - identities - p.config.CacheSize/answerShare),
		OnLookup:   p.metrics.LookedUp,
		OnPublish:  func(f registry.Format) { p.metrics.Published(string(f)) },
		OnDownload: func(f registry.Format) { p.metrics.Downloaded(string(f)) },
		SpoolBytes: spooled,
	})
	sealer := seal.New(p.key)
	p.closers = append(p.closers, sealer)
	p.tokens = auth.New(p.store, auth.Options{
		Sealer:    sealer,
		CacheSize: uint64(identities),
		OnRefusal: p.metrics.Refused,
		OnLookup:  func(hit bool) { p.metrics.LookedUp("identity", hit) },
	})
	p.store.Subscribe(p.tokens)
	p.store.Subscribe(p.packages) // last, because it passes on what it hears
}

// Close closes everything, last opened first.
func (p *parts) Close() error {
	var errs []error
	for i := len(p.closers) - 1; i >= 0; i-- {
		errs = append(errs, p.closers[i].Close())
	}
	p.closers = nil
	return errors.Join(errs...)
}
