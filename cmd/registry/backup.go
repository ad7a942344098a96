package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"pakhus/internal/registry"
	"pakhus/internal/seal"
)

// backupCommand copies the whole registry into a folder.
type backupCommand struct {
	Dir string `arg:"" help:"New or empty folder for the backup."`
}

// Help says what is not in it.
func (c *backupCommand) Help() string {
	return "Servers may run meanwhile. The instance key (secret.key in the data folder, or the setting secret_key) is not in the backup: keep a copy elsewhere, because without it nothing can be restored."
}

// copies is how many blobs are copied at the same time.
const copies = 8

// Run copies bytes, then rows, then the bytes that were added meanwhile. So
// every row of the dump has its bytes in the backup (threats.md O8): those that
// were there before the dump are copied before it, even if they are collected
// as garbage later; and those that came in between are too young for that.
func (c *backupCommand) Run(ctx context.Context, a *app) error {
	dir, err := emptyFolder(c.Dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return a.with(ctx, func(p *parts) error {
		b := &backup{parts: p, dir: dir}
		m, err := b.run(ctx)
		if err != nil {
			return err
		}
		return a.show(m)
	})
}

// emptyFolder opens a folder that holds nothing, made if it is not there.
func emptyFolder(name string) (*os.Root, error) {
	if err := os.MkdirAll(name, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, err
	}
	if len(entries) > 0 {
		return nil, registry.Errorf(registry.Conflict, "the folder %s is not empty: nothing was written", name)
	}
	return os.OpenRoot(name)
}

// backup is a backup in the making.
type backup struct {
	*parts
	dir *os.Root
}

// earlyList is the list of the blobs that were copied before the dump.
const earlyList = blobsFile + ".early"

func (b *backup) run(ctx context.Context) (manifest, error) {
	m := manifest{Format: manifestFormat, Program: programVersion().Version, MadeAt: b.packages.Now(), Dialect: dialectOf(b.config.DatabaseURL.Reveal())}
	if err := b.dir.Mkdir(blobsFolder, 0o700); err != nil {
		return m, err
	}
	if err := b.copyAll(ctx, earlyList, nil, &m); err != nil {
		return m, err
	}
	if err := b.store.Dump(ctx, filepath.Join(b.dir.Name(), databaseFile)); err != nil {
		return m, err
	}
	early, err := b.dir.Open(earlyList)
	if err != nil {
		return m, err
	}
	defer early.Close()
	known, err := newLineReader(early)
	if err != nil {
		return m, err
	}
	m.Blobs, m.Bytes = 0, 0
	if err := b.copyAll(ctx, blobsFile, known, &m); err != nil {
		return m, err
	}
	if m.Database, err = digestFile(b.dir, databaseFile); err != nil {
		return m, err
	}
	if m.List, err = digestFile(b.dir, blobsFile); err != nil {
		return m, err
	}
	sealer := seal.New(b.key)
	return m, errors.Join(b.dir.Remove(earlyList), b.syncFolders(), m.write(ctx, b.dir, sealer), syncFolder(b.dir, "."), sealer.Close())
}

// dialectOf is sqlite or postgres.
func dialectOf(databaseURL string) string {
	if strings.HasPrefix(databaseURL, "sqlite://") {
		return "sqlite"
	}
	return "postgres"
}

// syncFolders makes the names of all blobs survive a crash.
func (b *backup) syncFolders() error {
	entries, err := fs.ReadDir(b.dir.FS(), blobsFolder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := syncFolder(b.dir, blobsFolder+"/"+entry.Name()); err != nil {
			return err
		}
	}
	return syncFolder(b.dir, blobsFolder)
}

// copyAll copies every blob that has a row and is not in the backup yet, and
// lists them by digest, together with those that are known from before.
func (b *backup) copyAll(ctx context.Context, list string, known *lineReader, m *manifest) error {
	f, err := b.dir.OpenFile(list, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := &listWriter{out: bufio.NewWriter(f), known: known, manifest: m}
	after := ""
	for err == nil {
		var blobs []registry.Blob
		if blobs, err = b.store.ListBlobs(ctx, after, pageSize); err != nil || len(blobs) == 0 {
			break
		}
		after = blobs[len(blobs)-1].Digest()
		var lines []blobLine
		if lines, err = b.copyPage(ctx, blobs); err != nil {
			break
		}
		err = w.add(lines)
	}
	if err == nil {
		err = w.finish()
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// copyPage copies some blobs and gives the lines of those that are there.
func (b *backup) copyPage(ctx context.Context, blobs []registry.Blob) ([]blobLine, error) {
	found := make([]*blobLine, len(blobs))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(copies)
	for i, blob := range blobs {
		group.Go(func() (err error) {
			found[i], err = b.copy(groupCtx, blob)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var lines []blobLine
	for _, line := range found {
		if line != nil {
			lines = append(lines, *line)
		}
	}
	return lines, nil
}

// copy copies one blob and checks it on the way. One that was collected as
// garbage in the meantime is nil; one that lost its bytes is an error.
func (b *backup) copy(ctx context.Context, blob registry.Blob) (*blobLine, error) {
	line := &blobLine{blob.Key, blob.Size}
	name, err := line.file()
	if err != nil {
		return nil, err
	}
	if _, err := b.dir.Lstat(name); err == nil {
		return line, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	content, err := b.blobs.Open(ctx, blob.Key)
	if registry.KindOf(err) == registry.NotFound {
		now, missing := b.store.FindBlob(ctx, blob.Digest())
		switch {
		case registry.KindOf(missing) == registry.NotFound:
			return nil, nil
		case missing != nil:
			return nil, missing
		case now.Key != blob.Key: // collected, and published again
			return b.copy(ctx, now)
		}
		return nil, registry.Wrapf(registry.Unavailable, err, "the bytes of blob %s are missing: run `registry fsck`", blob.Digest())
	}
	if err != nil {
		return nil, err
	}
	err = copyBlob(b.dir, name, content, blob.Digest())
	return line, errors.Join(err, content.Close())
}

// copyBlob writes a blob under a temporary name and gives it its own when the
// bytes proved to be the right ones.
func copyBlob(dir *os.Root, name string, from io.Reader, digest string) error {
	if err := dir.Mkdir(path.Dir(name), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	temporary := path.Join(path.Dir(name), ".part-"+path.Base(name))
	f, err := dir.OpenFile(temporary, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, sum), from)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != digest {
		return registry.Errorf(registry.Unavailable, "the bytes of blob %s are damaged: run `registry fsck`", digest)
	}
	return dir.Rename(temporary, name)
}

// listWriter merges two lists that are in the order of their digests.
type listWriter struct {
	out      *bufio.Writer
	known    *lineReader // nil for none
	manifest *manifest
}

func (w *listWriter) add(lines []blobLine) error {
	for _, line := range lines {
		if err := w.addKnown(&line); err != nil {
			return err
		}
		if err := w.write(line); err != nil {
			return err
		}
	}
	return nil
}

// finish writes what is left.
func (w *listWriter) finish() error {
	return errors.Join(w.addKnown(nil), w.out.Flush())
}

// addKnown writes the known lines that come before a line, or all; the line
// itself is written by the caller.
func (w *listWriter) addKnown(before *blobLine) error {
	for w.known != nil && w.known.next != nil {
		next := *w.known.next
		if before != nil && next.digest() > before.digest() {
			return nil
		}
		if before == nil || next.Key != before.Key {
			if err := w.write(next); err != nil {
				return err
			}
		}
		if err := w.known.advance(); err != nil {
			return err
		}
	}
	return nil
}

func (w *listWriter) write(line blobLine) error {
	w.manifest.Blobs++
	w.manifest.Bytes += line.Size
	_, err := w.out.WriteString(line.String())
	return err
}
