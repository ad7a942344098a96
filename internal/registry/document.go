package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// DocumentKey names a prepared document. The revisions are part of the name, so
// a cached document is never stale: after a change another one is asked for.
type DocumentKey struct {
	Kind     string // the format's word: which document, in which form
	Of       string // packages with their revisions; see Revisions
	Base     string // prefix of the absolute URLs in the document
	Encoding string // content coding; empty for none
}

// Revisions names the state of some packages, for DocumentKey.Of.
func Revisions(heads []Package) string {
	b := make([]byte, 0, 192) // on the stack for the few packages that there usually are
	for _, p := range heads {
		b = append(strconv.AppendInt(b, p.ID, 10), '.')
		b = append(strconv.AppendInt(b, p.Revision, 10), '.')
		b = append(strconv.AppendInt(b, p.UpdatedAt.UnixMilli(), 10), '/')
	}
	return string(b)
}

// ETag is a strong validator of the document's bytes, with quotes.
func (k DocumentKey) ETag() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{k.Kind, k.Of, k.Base, k.Encoding}, "\x00")))
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

// Document is a prepared document, ready to be sent.
type Document struct {
	Body     []byte
	ETag     string
	Modified time.Time
	// Digests are those of Body, where the format serves checksums of documents.
	Digests Digests
	// Expires is when time alone makes it outdated; never when zero.
	Expires time.Time
}

func weighDocument(k DocumentKey, d *Document) uint32 {
	return uint32(len(d.Body)) + uint32(len(k.Of)+len(k.Base)+len(k.Kind)) + 256
}

// Prepared gives a document that its format makes whole, building it at most
// once at a time. One that has expired is built anew.
func (s *Service) Prepared(ctx context.Context, key DocumentKey, build func(context.Context) (*Document, error)) (*Document, error) {
	d, err := s.documents.Get(ctx, key, build)
	if err != nil || d.Expires.IsZero() || d.Expires.After(s.Now()) {
		return d, err
	}
	s.documents.Forget(key)
	return s.documents.Get(ctx, key, build)
}

// Document gives a prepared document, building it at most once at a time.
func (s *Service) Document(ctx context.Context, key DocumentKey, modified time.Time, build func(context.Context) ([]byte, error)) (*Document, error) {
	if doc, ok := s.documents.Kept(key); ok {
		return doc, nil
	}
	return s.documents.Get(ctx, key, func(ctx context.Context) (*Document, error) {
		body, err := build(ctx)
		if err != nil {
			return nil, err
		}
		return &Document{Body: body, ETag: key.ETag(), Modified: modified}, nil
	})
}
