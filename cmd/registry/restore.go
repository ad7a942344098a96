package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"pakhus/internal/blob"
	"pakhus/internal/config"
	"pakhus/internal/registry"
	"pakhus/internal/seal"
	"pakhus/internal/store"
)

// restoreCommand makes a registry from a backup.
type restoreCommand struct {
	Dir string `arg:"" help:"Folder of the backup." type:"existingdir"`
}

// Help says what must be there.
func (c *restoreCommand) Help() string {
	return "The settings must name an empty database of the same kind, an empty bucket, and the instance key of the registry that was backed up. Everything is checked before anything is written."
}

// Run checks the whole backup, then writes the bytes, then the rows: a restore
// that is cut off leaves no database, and so nothing that looks whole.
func (c *restoreCommand) Run(ctx context.Context, a *app) (err error) {
	settings, err := a.config()
	if err != nil {
		return err
	}
	sealer, err := existingKey(settings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sealer.Close()) }()
	dir, err := os.OpenRoot(c.Dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	m, err := readManifest(ctx, dir, sealer)
	if err != nil {
		return err
	}
	databaseURL := settings.DatabaseURL.Reveal()
	if kind := dialectOf(databaseURL); kind != m.Dialect {
		return registry.Errorf(registry.Invalid, "the backup is of a %s database, and the settings name a %s database", m.Dialect, kind)
	}
	if err := store.CheckEmpty(ctx, databaseURL); err != nil {
		return err
	}
	bucket, err := blob.Open(ctx, blob.Options{URL: settings.BucketURL.Reveal()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	r := &restore{dir: dir, bucket: bucket}
	if err := r.run(ctx); err != nil {
		return err
	}
	dump := filepath.Join(c.Dir, databaseFile)
	if err := store.Load(ctx, databaseURL, dump); err != nil {
		return err
	}
	// A backup of an older release is brought up to date.
	return a.with(ctx, func(*parts) error { return a.show(m) })
}

// existingKey gives the sealer of the settings' instance key. Unlike a first
// start, a restore makes none: a new key could open nothing.
func existingKey(c *config.Config) (*seal.Sealer, error) {
	if c.HasSecretKey {
		return seal.New(c.SecretKey), nil
	}
	if _, err := os.Stat(c.SecretKeyFile()); err != nil {
		return nil, registry.Wrapf(registry.Invalid, err, "put the instance key of the registry that was backed up into %s, or set secret_key", c.SecretKeyFile())
	}
	key, err := seal.LoadKey(c.SecretKeyFile())
	if err != nil {
		return nil, err
	}
	return seal.New(key), nil
}

// restore writes the bytes of a backup into an empty bucket.
type restore struct {
	dir    *os.Root
	bucket registry.Blobs
}

func (r *restore) run(ctx context.Context) error {
	if err := r.checkBucket(ctx); err != nil {
		return err
	}
	if err := r.each(ctx, r.verify); err != nil {
		return err
	}
	return r.each(ctx, r.write)
}

// checkBucket answers Conflict when the bucket holds a blob.
func (r *restore) checkBucket(ctx context.Context) error {
	return r.bucket.List(ctx, "", func(registry.BlobInfo) error {
		return registry.Errorf(registry.Conflict, "the bucket is not empty: nothing was changed")
	})
}

// each does something with every blob of the backup, several at a time.
func (r *restore) each(ctx context.Context, do func(context.Context, blobLine) error) (err error) {
	f, err := r.dir.Open(blobsFile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines, err := newLineReader(f)
	if err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(copies)
	for lines.next != nil && groupCtx.Err() == nil {
		line := *lines.next
		group.Go(func() error { return do(groupCtx, line) })
		if err := lines.advance(); err != nil {
			return errors.Join(err, group.Wait())
		}
	}
	return errors.Join(group.Wait(), ctx.Err())
}

func (r *restore) open(line blobLine) (*os.File, error) {
	name, err := line.file()
	if err != nil {
		return nil, err
	}
	return r.dir.Open(name)
}

// verify reads a blob of the backup and compares it with its name.
func (r *restore) verify(_ context.Context, line blobLine) error {
	f, err := r.open(line)
	if err != nil {
		return err
	}
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if size != line.Size || hex.EncodeToString(sum.Sum(nil)) != line.digest() {
		return registry.Errorf(registry.Invalid, "the backup's blob %s is damaged: nothing was changed", line.digest())
	}
	return nil
}

func (r *restore) write(ctx context.Context, line blobLine) error {
	f, err := r.open(line)
	if err != nil {
		return err
	}
	return errors.Join(r.bucket.Write(ctx, line.Key, f, line.Size), f.Close())
}
