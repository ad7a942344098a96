package registry

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// spoolMemory is how many bytes of a body stay in memory. Most packages are
	// smaller, and then no file is ever made.
	spoolMemory = 1 << 20
	// spoolBuffer collects small writes on their way to the file: base64
	// decoders hand over less than 1 KiB at a time.
	spoolBuffer = 64 << 10
	// spoolParallel is the bytes of a write above which starting a goroutine
	// costs little (1 µs) against hashing them (4.5 µs for each KiB).
	spoolParallel = 16 << 10
	spoolPrefix   = "spool-"
)

// Spool takes a body on its way in: in memory up to 1 MiB, then in a file of
// the spool folder. One pass over the bytes computes every digest. A Spool
// belongs to one goroutine, only its readers may be used by several. Close it:
// that removes the file.
type Spool struct {
	dir   string
	limit int64 // bytes; 0: none
	size  int64

	memory []byte // the body while file is nil
	file   *os.File
	out    *bufio.Writer // before file
	filed  int64         // bytes given to out, which gauge holds
	gauge  *atomic.Int64 // bytes of spool files in use; may be nil

	sha256, sha512, sha1, md5 hash.Hash

	ahead   *ahead // this body on its way to the bucket; see Service.WriteAhead
	counted int64  // bytes that this spool added to gauge
	failed  error  // the first failure; every later call repeats it
}

// NewSpool gives an empty spool. The file, when one is needed, is made in dir.
// A body above limit bytes is refused; a limit of 0 is none.
func NewSpool(dir string, limit int64) *Spool {
	return &Spool{
		dir:    dir,
		limit:  limit,
		sha256: sha256.New(),
		sha512: sha512.New(),
		sha1:   sha1.New(),
		md5:    md5.New(),
	}
}

// CountInto makes the spool add the bytes of its file to gauge, and take them
// out again when it is closed. Call it before the first Write.
func (s *Spool) CountInto(gauge *atomic.Int64) { s.gauge = gauge }

// Write appends to the body. A body that grows over the limit is TooLarge, a
// spool folder that takes no more is Unavailable; after either the spool holds
// nothing and every call fails in the same way.
func (s *Spool) Write(p []byte) (int, error) {
	if s.failed != nil {
		return 0, s.failed
	}
	if s.limit > 0 && int64(len(p)) > s.limit-s.size {
		return 0, s.fail(Errorf(TooLarge, "the body is larger than the limit of %d bytes", s.limit))
	}
	if err := s.keep(p); err != nil {
		return 0, s.fail(Wrapf(Unavailable, err, "no room for the body: the spool folder takes no more"))
	}
	s.size += int64(len(p))
	s.digest(p)
	return len(p), nil
}

// digest feeds the hashes, which never fail. They cost more than all else of a
// publish, so a second core takes a half of them when there is enough to do.
func (s *Spool) digest(p []byte) {
	if len(p) < spoolParallel {
		s.sha512.Write(p)
		s.sha256.Write(p)
		s.sha1.Write(p)
		s.md5.Write(p)
		return
	}
	var others sync.WaitGroup
	others.Go(func() {
		s.sha1.Write(p)
		s.md5.Write(p)
	})
	s.sha512.Write(p)
	s.sha256.Write(p)
	others.Wait()
}

// keep stores p behind what is there.
func (s *Spool) keep(p []byte) error {
	if s.file == nil {
		if need := len(s.memory) + len(p); need <= spoolMemory {
			s.grow(need)
			s.memory = append(s.memory, p...)
			return nil
		}
		if err := s.spill(); err != nil {
			return err
		}
	}
	if _, err := s.out.Write(p); err != nil {
		return err
	}
	s.count(int64(len(p)))
	return nil
}

// grow makes room for need bytes, doubling, but never above spoolMemory: append
// alone would end a quarter above it.
func (s *Spool) grow(need int) {
	if need > cap(s.memory) {
		memory := make([]byte, len(s.memory), min(max(need, 2*cap(s.memory), 512), spoolMemory))
		copy(memory, s.memory)
		s.memory = memory
	}
}

// spill moves the body from memory to a new file, which only we can read.
func (s *Spool) spill() error {
	file, err := os.CreateTemp(s.dir, spoolPrefix+"*") // O_EXCL, mode 0600
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(s.dir, 0o700); err != nil {
			return err
		}
		file, err = os.CreateTemp(s.dir, spoolPrefix+"*")
	}
	if err != nil {
		return err
	}
	s.file, s.out = file, bufio.NewWriterSize(file, spoolBuffer)
	if _, err := s.out.Write(s.memory); err != nil {
		return err
	}
	s.count(int64(len(s.memory)))
	s.memory = nil
	return nil
}

func (s *Spool) count(bytes int64) {
	s.filed += bytes
	if s.gauge != nil {
		s.gauge.Add(bytes)
		s.counted += bytes
	}
}

// Size is the length of the body so far, in bytes.
func (s *Spool) Size() int64 { return s.size }

// Digests gives the checksums of the body so far.
func (s *Spool) Digests() Digests {
	d := Digests{Size: s.size}
	s.sha256.Sum(d.SHA256[:0])
	s.sha512.Sum(d.SHA512[:0])
	s.sha1.Sum(d.SHA1[:0])
	s.md5.Sum(d.MD5[:0])
	return d
}

// Open gives a reader over what was written so far. It may be called several
// times: the readers do not disturb each other, and end with Close. It fails
// as Write does.
func (s *Spool) Open() (*io.SectionReader, error) {
	if s.failed != nil {
		return nil, s.failed
	}
	if s.file == nil {
		return io.NewSectionReader(bytes.NewReader(s.memory), 0, s.size), nil
	}
	if err := s.out.Flush(); err != nil {
		return nil, s.fail(Wrapf(Unavailable, err, "no room for the body: the spool folder takes no more"))
	}
	return io.NewSectionReader(s.file, 0, s.size), nil
}

// Close gives back the memory and removes the file, and what was written ahead
// but never published. A second Close does nothing.
func (s *Spool) Close() error {
	s.dropAhead()
	if s.failed == nil {
		s.failed = Errorf(Internal, "spool used after close")
	}
	return s.discard()
}

// fail remembers the first failure and drops the body.
func (s *Spool) fail(err error) error {
	s.failed = err
	if err := s.discard(); err != nil {
		s.failed = errors.Join(s.failed, err)
	}
	return s.failed
}

func (s *Spool) discard() error {
	s.memory = nil
	if s.file == nil {
		return nil
	}
	file := s.file
	s.file, s.out = nil, nil
	s.count(-s.counted)
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// CleanSpool removes the files that spools of a process which died left in dir,
// when nobody wrote to them since the given time: another process may be using
// the folder. An absent folder is empty. It tells how many files it removed; a
// failure is Unavailable and does not keep it from the other files.
func CleanSpool(dir string, before time.Time) (removed int, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, Wrapf(Unavailable, err, "the spool folder cannot be read")
	}
	var failures []error
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), spoolPrefix) || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err == nil && info.ModTime().Before(before) {
			if err = os.Remove(filepath.Join(dir, e.Name())); err == nil {
				removed++
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			failures = append(failures, err)
		}
	}
	if len(failures) > 0 {
		return removed, Wrapf(Unavailable, errors.Join(failures...), "the spool folder cannot be cleaned")
	}
	return removed, nil
}
