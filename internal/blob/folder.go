package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"pakhus/internal/registry"
)

const (
	blobsDir = "sha256" // where every key begins
	// tempDir holds blobs while they are written. It lies in the folder itself,
	// so that a rename puts them in place.
	tempDir = "tmp"
	// tempAge is how long a file in tempDir lies untouched before it is taken for
	// a leftover of a process that died.
	tempAge = 24 * time.Hour

	dirMode  = 0o700 // packages may be private
	fileMode = 0o600
)

// folder is a bucket in a local folder. Everything goes through an os.Root, so
// that no symbolic link planted in the folder leads outside of it.
type folder struct {
	name string
	root *os.Root
	// durable knows the directories whose entries reached the disk.
	durable durableDirs
	// sync makes a file or a directory durable.
	sync func(*os.File) error
}

// openFolder opens the folder that a file URL names, and makes it when absent.
// The parameters are those of gocloud's file driver: the ones that say what we
// do anyway are accepted.
func openFolder(u *url.URL) (*folder, error) {
	for name, values := range u.Query() {
		switch {
		case name == "create_dir", name == "no_tmp_dir", name == "metadata" && values[0] == "skip":
		default:
			return nil, registry.Errorf(registry.Invalid, "the file bucket's address has a parameter that is not supported: %s", name)
		}
	}
	name := u.Path
	if u.Host == "." || os.PathSeparator != '/' { // as gocloud reads them: file://./relative, file:///c:/folder
		name = strings.TrimPrefix(name, "/")
	}
	if name == "" || u.Opaque != "" {
		return nil, registry.Errorf(registry.Invalid, "the file bucket's address names no folder; write file:///folder")
	}
	f := &folder{name: filepath.FromSlash(name), sync: syncFile}
	if err := f.prepare(); err != nil {
		return nil, registry.Wrapf(registry.Unavailable, err, "the bucket's folder cannot be used")
	}
	return f, nil
}

// prepare makes the folder, opens it, and removes leftovers.
func (f *folder) prepare() error {
	if err := f.makeRoot(f.name); err != nil {
		return err
	}
	root, err := os.OpenRoot(f.name)
	if err != nil {
		return err
	}
	f.root = root
	err = root.Mkdir(tempDir, dirMode)
	if err == nil || errors.Is(err, fs.ErrExist) {
		err = f.cleanTemp(time.Now().Add(-tempAge))
	}
	if err != nil {
		return errors.Join(err, root.Close())
	}
	return nil
}

// makeRoot makes the folder and what is missing above it, durably.
func (f *folder) makeRoot(name string) error {
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		return err // nil; or what keeps us from looking
	}
	parent := filepath.Dir(filepath.Clean(name))
	if err := f.makeRoot(parent); err != nil {
		return err
	}
	if err := os.Mkdir(name, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	dir, err := os.Open(parent)
	if err != nil {
		return err
	}
	return errors.Join(f.sync(dir), dir.Close())
}

// cleanTemp removes what writes that never ended left behind.
func (f *folder) cleanTemp(before time.Time) error {
	entries, err := fs.ReadDir(f.root.FS(), tempDir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() && info.ModTime().Before(before) {
			err = f.root.Remove(path.Join(tempDir, e.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// write makes the bytes durable under a temporary name, then the name.
func (f *folder) write(_ context.Context, key string, body io.Reader, size int64) error {
	temp := path.Join(tempDir, rand.Text())
	if err := f.fill(temp, body, size); err != nil {
		return err
	}
	err := f.place(temp, key)
	if errors.Is(err, fs.ErrNotExist) {
		// A directory that we knew is gone: somebody tidied empty ones up.
		f.durable.forget()
		err = f.place(temp, key)
	}
	if err != nil {
		return errors.Join(err, absentIsFine(f.root.Remove(temp)), absentIsFine(f.root.Remove(key)))
	}
	return nil
}

// fill writes body, which should have size bytes, to a new file and makes it
// durable; no file stays after a failure.
func (f *folder) fill(name string, body io.Reader, size int64) error {
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	// The limit changes nothing but the buffer: io.Copy makes none larger than
	// what is to come. One byte more lets the body say that it is too long.
	_, err = io.Copy(file, io.LimitReader(body, size+1))
	if err == nil {
		err = f.sync(file)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, f.root.Remove(name))
	}
	return nil
}

// place moves a file to its key and makes that durable.
func (f *folder) place(temp, key string) error {
	dir := path.Dir(key)
	if err := f.makeDir(dir); err != nil {
		return err
	}
	if err := f.root.Rename(temp, key); err != nil {
		return err
	}
	return f.syncDir(dir)
}

// makeDir makes a directory and those above it. It returns when their names are
// durable, also when somebody else has made them a moment ago.
func (f *folder) makeDir(dir string) error {
	if dir == "." || f.durable.has(dir) {
		return nil
	}
	parent := path.Dir(dir)
	if err := f.makeDir(parent); err != nil {
		return err
	}
	if err := f.root.Mkdir(dir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := f.syncDir(parent); err != nil {
		return err
	}
	f.durable.add(dir)
	return nil
}

func (f *folder) syncDir(name string) error {
	dir, err := f.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.sync(dir), dir.Close())
}
