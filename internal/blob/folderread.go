package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"pakhus/internal/registry"
)

// localContent is a blob in a local file.
type localContent struct {
	file *os.File
	size int64 // bytes
}

var _ registry.LocalContent = (*localContent)(nil)

func (c *localContent) Read(p []byte) (int, error)                 { return c.file.Read(p) }
func (c *localContent) Seek(offset int64, from int) (int64, error) { return c.file.Seek(offset, from) }
func (c *localContent) Close() error                               { return c.file.Close() }
func (c *localContent) Size() int64                                { return c.size }
func (c *localContent) File() *os.File                             { return c.file }

func (f *folder) open(_ context.Context, key string) (registry.Content, error) {
	file, err := f.root.Open(key)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", key)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &localContent{file: file, size: info.Size()}, nil
}

// remove is not made durable: a blob that is back after a crash is one that
// garbage collection removes again.
func (f *folder) remove(_ context.Context, key string) error { return f.root.Remove(key) }

// list walks the directories that the prefix leaves. A directory that cannot be
// read is a failure, or its blobs would be taken for lost.
func (f *folder) list(_ context.Context, prefix string, each func(registry.BlobInfo) error) error {
	start := path.Dir(prefix + "x")
	if start == "." {
		start = blobsDir
	}
	return fs.WalkDir(f.root.FS(), start, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // nothing written yet, or deleted meanwhile
		case err != nil:
			return err
		case entry.IsDir() && !strings.HasPrefix(name+"/", prefix) && !strings.HasPrefix(prefix, name+"/"):
			return fs.SkipDir
		case !entry.Type().IsRegular() || !strings.HasPrefix(name, prefix):
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return each(registry.BlobInfo{Key: name, Size: info.Size(), Modified: info.ModTime()})
	})
}

func (f *folder) sign(context.Context, string, time.Duration) (string, error) {
	return "", errors.ErrUnsupported
}

// check finds out whether the folder is still there, under its name, and
// readable. It writes nothing: with a full disk the registry must go on serving
// what it has.
func (f *folder) check(context.Context) error {
	named, err := os.Stat(f.name)
	if err != nil {
		return err
	}
	opened, err := f.root.Stat(".")
	if err != nil {
		return err
	}
	if !os.SameFile(named, opened) {
		return errors.New("the folder was replaced by another one since it was opened")
	}
	_, err = f.root.Stat(tempDir)
	return err
}

func (f *folder) close() error { return f.root.Close() }
