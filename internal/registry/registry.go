package registry

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"strings"
	"sync/atomic"
	"time"

	"pakhus/internal/coherent"
)

// Options set a Service up; the zero value works.
type Options struct {
	Clock func() time.Time // time.Now when nil
	// SpoolDir holds bodies on their way in that are too large for memory; the
	// system's temporary folder when empty.
	SpoolDir string
	// CacheSize bounds all caches of the Service together, in bytes; 256 MiB when 0.
	CacheSize uint64
	// OnLookup is told of hits and misses by cache: "document", "package",
	// "namespace", "file", "content". May be nil.
	OnLookup func(cache string, hit bool)
	// OnPublish and OnDownload are told of each version published and each file
	// handed out. May be nil.
	OnPublish  func(Format)
	OnDownload func(Format)
	// SpoolBytes counts the bytes of spool files in use. May be nil.
	SpoolBytes *atomic.Int64
}

// Service has the rules of the domain over a Store and Blobs. It is a Listener:
// tell it of changes, or it answers from what it remembers.
type Service struct {
	store Store
	blobs Blobs
	opts  Options

	namespace *coherent.Cache[string, namespaceEntry]
	heads     *coherent.Cache[string, []Package]
	files     *coherent.Cache[fileKey, File]
	documents *coherent.Cache[DocumentKey, *Document]
	contents  *coherent.Cache[[32]byte, []byte] // by digest; never out of date
	downloads downloads
	listeners []Listener
	ahead     chan struct{} // one token for each body that is written ahead
}

// New makes a Service.
func New(store Store, blobs Blobs, o Options) *Service {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.CacheSize == 0 {
		o.CacheSize = 256 << 20
	}
	if o.OnLookup == nil {
		o.OnLookup = func(string, bool) {}
	}
	if o.OnPublish == nil {
		o.OnPublish = func(Format) {}
	}
	if o.OnDownload == nil {
		o.OnDownload = func(Format) {}
	}
	s := &Service{store: store, blobs: blobs, opts: o, ahead: make(chan struct{}, maxAhead)}
	lookup := func(name string) func(bool) { return func(hit bool) { o.OnLookup(name, hit) } }
	// One eighth of the memory is for rows, in which a hot read finds what the
	// database would tell, a quarter for small files; the rest is for prepared
	// documents.
	rows, contents := o.CacheSize/8, o.CacheSize/4
	s.namespace = coherent.New(coherent.Options[string, namespaceEntry]{
		MaxWeight: rows / 4, Weigh: func(k string, _ namespaceEntry) uint32 { return uint32(len(k)) + 512 }, OnLookup: lookup("namespace"),
		Keep: func(namespaceEntry) time.Duration { return time.Hour },
	})
	s.heads = coherent.New(coherent.Options[string, []Package]{
		MaxWeight: rows / 2, Weigh: weighHeads, OnLookup: lookup("package"),
		Keep: func([]Package) time.Duration { return time.Hour },
	})
	s.files = coherent.New(coherent.Options[fileKey, File]{
		MaxWeight: rows / 4, Weigh: func(k fileKey, _ File) uint32 { return uint32(len(k.version)+len(k.name)) + 512 }, OnLookup: lookup("file"),
	})
	s.documents = coherent.New(coherent.Options[DocumentKey, *Document]{
		MaxWeight: o.CacheSize - rows - contents, Weigh: weighDocument, OnLookup: lookup("document"),
	})
	s.contents = coherent.New(coherent.Options[[32]byte, []byte]{
		MaxWeight: contents, Weigh: func(_ [32]byte, body []byte) uint32 { return uint32(len(body)) + 256 }, OnLookup: lookup("content"),
	})
	return s
}

// Subscribe makes l hear of all that the Service hears of, and of what it finds
// out by itself, after its own caches have forgotten it. Call it before anything
// else uses the Service.
func (s *Service) Subscribe(l Listener) { s.listeners = append(s.listeners, l) }

// Forget drops what changed from the caches. Documents and files are kept under
// the revision of their package, so they never need to be forgotten.
func (s *Service) Forget(changes []Change) {
	for _, c := range changes {
		switch c.Topic {
		case TopicPackage:
			s.heads.Forget(c.Key)
		case TopicNamespace:
			s.namespace.ForgetAll()
			s.heads.ForgetAll() // a deleted project takes its packages along
		}
	}
	for _, l := range s.listeners {
		l.Forget(changes)
	}
}

// SetLive bypasses the caches while changes of others are not heard of.
func (s *Service) SetLive(live bool) {
	s.namespace.SetLive(live)
	s.heads.SetLive(live)
	for _, l := range s.listeners {
		l.SetLive(live)
	}
}

// Now is the service's clock, in UTC.
func (s *Service) Now() time.Time { return s.opts.Clock().UTC() }

// Spool makes a spool for a body of at most limit bytes. Close it.
func (s *Service) Spool(limit int64) *Spool {
	spool := NewSpool(s.opts.SpoolDir, limit)
	if s.opts.SpoolBytes != nil {
		spool.CountInto(s.opts.SpoolBytes)
	}
	return spool
}

// Check asks database and bucket whether they answer.
func (s *Service) Check(ctx context.Context) error {
	if err := s.store.Check(ctx); err != nil {
		return err
	}
	return s.blobs.Check(ctx)
}

// Packages gives every project's package of this name; none is an empty slice.
// The slice is shared: do not change it.
func (s *Service) Packages(ctx context.Context, format Format, key string) ([]Package, error) {
	name := PackageChange(format, key).Key
	if heads, ok := s.heads.Kept(name); ok {
		return heads, nil
	}
	return s.heads.Get(ctx, name, func(ctx context.Context) ([]Package, error) {
		return s.store.FindPackages(ctx, format, key)
	})
}

func weighHeads(key string, heads []Package) uint32 {
	w := len(key) + 128
	for _, p := range heads {
		w += 160 + len(p.Name) + len(p.Key)
	}
	return uint32(w)
}

// Package gives the package of one project; NotFound when there is none.
func (s *Service) Package(ctx context.Context, projectID int64, format Format, key string) (Package, error) {
	all, err := s.Packages(ctx, format, key)
	if err != nil {
		return Package{}, err
	}
	for _, p := range all {
		if p.ProjectID == projectID {
			return p, nil
		}
	}
	return Package{}, Errorf(NotFound, "package not found")
}

// newBlobKey makes the bucket's name for new bytes. The random end makes sure
// that no key is ever used twice: see Blob.Key.
func newBlobKey(digest string) (string, error) {
	random := make([]byte, 10)
	if _, err := rand.Read(random); err != nil {
		return "", Wrapf(Internal, err, "random source")
	}
	suffix := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random))
	return "sha256/" + digest[:2] + "/" + digest + "-" + suffix, nil
}
