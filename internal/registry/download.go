package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"sync"
	"time"
)

// fileKey names a file of a package at one revision.
type fileKey struct {
	packageID, revision int64
	version, name       string // version is empty where names are unique in the package
}

// File gives a file of a package by its name; NotFound when the package has
// none, or when its version was deleted.
func (s *Service) File(ctx context.Context, p Package, name string) (File, error) {
	key := fileKey{p.ID, p.Revision, "", name}
	if file, ok := s.files.Kept(key); ok {
		return file, nil
	}
	return s.files.Get(ctx, key, func(ctx context.Context) (File, error) {
		return s.store.FindFile(ctx, p.ID, name)
	})
}

// VersionFile gives a file by its version's key and its name, where names are
// unique in their version only.
func (s *Service) VersionFile(ctx context.Context, p Package, versionKey, name string) (File, error) {
	key := fileKey{p.ID, p.Revision, versionKey, name}
	if file, ok := s.files.Kept(key); ok {
		return file, nil
	}
	return s.files.Get(ctx, key, func(ctx context.Context) (File, error) {
		return s.store.FindVersionFile(ctx, p.ID, versionKey, name)
	})
}

// maxShared bounds the shared files of one name that are looked at.
const maxShared = 100

// SharedFiles gives the files in a span whose names begin with prefix; see
// SharedPrefix.
func (s *Service) SharedFiles(ctx context.Context, span Span, format Format, prefix string) ([]SharedFile, error) {
	return s.store.ListSharedFiles(ctx, span, format, prefix, maxShared)
}

// smallFile is up to which size, in bytes, the files that are asked for often
// are kept in memory: opening one costs as much as sending this much, and a
// remote bucket takes milliseconds.
const smallFile = 256 << 10

// Open opens the bytes of a file. Close the content.
func (s *Service) Open(ctx context.Context, f File) (Content, error) {
	if f.Blob.Size > smallFile {
		return s.blobs.Open(ctx, f.Blob.Key)
	}
	body, err := s.contents.Get(ctx, f.Blob.SHA256, func(ctx context.Context) ([]byte, error) {
		return s.readSmall(ctx, f.Blob)
	})
	if err != nil {
		return nil, err
	}
	return &memoryContent{Reader: bytes.NewReader(body), body: body}, nil
}

// readSmall reads a whole blob. Bytes that are not those which were published
// are Unavailable and are handed to nobody.
func (s *Service) readSmall(ctx context.Context, b Blob) (body []byte, err error) {
	content, err := s.blobs.Open(ctx, b.Key)
	if err != nil {
		return nil, err
	}
	defer func() { _ = content.Close() }() // only read from
	body = make([]byte, b.Size)
	if _, err := io.ReadFull(content, body); err != nil {
		return nil, Wrapf(Unavailable, err, "the stored bytes of %s cannot be read", b.Digest())
	}
	if sha256.Sum256(body) != b.SHA256 {
		return nil, Errorf(Unavailable, "the stored bytes of %s are damaged", b.Digest())
	}
	return body, nil
}

// memoryContent is a blob that is kept in memory.
type memoryContent struct {
	*bytes.Reader
	body []byte
}

var _ MemoryContent = (*memoryContent)(nil)

func (c *memoryContent) Close() error  { return nil }
func (c *memoryContent) Bytes() []byte { return c.body }

// SignedURL gives an address where a client may GET the file's bytes without
// credentials; Unsupported when the bucket cannot.
func (s *Service) SignedURL(ctx context.Context, f File, life time.Duration) (string, error) {
	return s.blobs.SignedURL(ctx, f.Blob.Key, life)
}

// downloads counts in memory what Run writes in batches.
type downloads struct {
	mu     sync.Mutex
	counts map[downloadKey]int64
}

type downloadKey struct {
	packageID, versionID int64
	day                  int64 // days since 1970
}

// CountDownload counts that a file was handed out from its first byte.
func (s *Service) CountDownload(format Format, f File) {
	s.opts.OnDownload(format)
	key := downloadKey{f.PackageID, f.VersionID, s.opts.Clock().Unix() / 86400}
	s.downloads.mu.Lock()
	defer s.downloads.mu.Unlock()
	if s.downloads.counts == nil {
		s.downloads.counts = map[downloadKey]int64{}
	}
	s.downloads.counts[key]++
}

// Downloads tells how often some packages were downloaded, without the last
// seconds. A package that nobody has downloaded is left out.
func (s *Service) Downloads(ctx context.Context, packageIDs []int64) (map[int64]Downloads, error) {
	return s.store.FindDownloads(ctx, packageIDs)
}

// flushEvery is how long a count may wait to be written.
const flushEvery = 10 * time.Second

// Run writes download counts until the context ends, and once more then. Counts
// whose write fails are reported and kept for the next one.
func (s *Service) Run(ctx context.Context, report func(error)) {
	Repeat(ctx, flushEvery, func(ctx context.Context) { s.flushDownloads(ctx, report) })
}

// Repeat does something every so often until the context ends, and once more
// then, with as much time for it.
func Repeat(ctx context.Context, every time.Duration, do func(context.Context)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			do(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), every)
			defer cancel()
			do(last)
			return
		}
	}
}

func (s *Service) flushDownloads(ctx context.Context, report func(error)) {
	s.downloads.mu.Lock()
	counts := s.downloads.counts
	s.downloads.counts = nil
	s.downloads.mu.Unlock()
	if len(counts) == 0 {
		return
	}
	rows := make([]DownloadCount, 0, len(counts))
	for k, n := range counts {
		rows = append(rows, DownloadCount{VersionID: k.versionID, PackageID: k.packageID, Day: time.Unix(k.day*86400, 0).UTC(), Count: n})
	}
	if err := s.store.AddDownloads(ctx, rows); err != nil {
		report(err)
		s.keepDownloads(counts)
	}
}

func (s *Service) keepDownloads(counts map[downloadKey]int64) {
	s.downloads.mu.Lock()
	defer s.downloads.mu.Unlock()
	if s.downloads.counts == nil {
		s.downloads.counts = counts
		return
	}
	for k, n := range counts {
		s.downloads.counts[k] += n
	}
}
