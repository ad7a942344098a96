package serve

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"pakhus/internal/registry"
)

// Coding is a content coding; the zero value is none.
type Coding string

// The codings that documents are prepared in.
const (
	Identity Coding = ""
	Gzip     Coding = "gzip"
	Zstd     Coding = "zstd"
)

// Negotiate chooses the coding for a request by the q-values of its
// Accept-Encoding. Between equals gzip wins: one more prepared copy of each
// document costs more memory than zstd saves bytes. Nothing is ever refused:
// bun sends "gzip/deflate", which names no coding at all.
func Negotiate(r *http.Request) Coding {
	values := r.Header["Accept-Encoding"]
	if len(values) == 0 {
		return Identity
	}
	q := weights{any: -1, gzip: -1, zstd: -1, identity: -1}
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			q.add(part)
		}
	}
	gz, zs, id := q.of(q.gzip), q.of(q.zstd), q.identity
	if id < 0 {
		id = 0.0001 // acceptable, but anything named is wanted more
	}
	switch {
	case gz > 0 && gz >= zs && gz >= id:
		return Gzip
	case zs > 0 && zs >= id:
		return Zstd
	}
	return Identity
}

// weights are q-values in 0 to 1; negative: not named.
type weights struct{ any, gzip, zstd, identity float64 }

func (q *weights) of(named float64) float64 {
	if named < 0 {
		return q.any
	}
	return named
}

func (q *weights) add(part string) {
	name, parameters, _ := strings.Cut(part, ";")
	weight := 1.0
	if value, ok := strings.CutPrefix(strings.TrimSpace(parameters), "q="); ok {
		parsed, err := strconv.ParseFloat(value, 64)
		if err != nil || !(parsed >= 0 && parsed <= 1) { // NaN as well
			parsed = 0
		}
		weight = parsed
	}
	switch name = strings.TrimSpace(name); {
	case name == "*":
		q.any = weight
	case strings.EqualFold(name, "gzip"), strings.EqualFold(name, "x-gzip"):
		q.gzip = weight
	case strings.EqualFold(name, "zstd"):
		q.zstd = weight
	case strings.EqualFold(name, "identity"):
		q.identity = weight
	}
}

// Writers are kept for the next document: a fresh one for gzip takes most of a
// megabyte.
var gzipWriters, zstdEncoders sync.Pool

func gzipWriter(out *bytes.Buffer) (*gzip.Writer, error) {
	if w, ok := gzipWriters.Get().(*gzip.Writer); ok {
		w.Reset(out)
		return w, nil
	}
	// One above the fastest: clearly smaller on packuments, still far faster than
	// most networks.
	return gzip.NewWriterLevel(out, gzip.BestSpeed+1)
}

func zstdEncoder() (*zstd.Encoder, error) {
	if e, ok := zstdEncoders.Get().(*zstd.Encoder); ok {
		return e, nil
	}
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(1<<20))
}

// Compress gives the bytes in a coding; for Identity the bytes themselves.
func Compress(coding Coding, body []byte) ([]byte, error) {
	switch coding {
	case Identity:
		return body, nil
	case Gzip:
		return compressGzip(body)
	case Zstd:
		e, err := zstdEncoder()
		if err != nil {
			return nil, registry.Wrapf(registry.Internal, err, "zstd")
		}
		defer zstdEncoders.Put(e)
		return e.EncodeAll(body, make([]byte, 0, len(body)/8+64)), nil
	}
	return nil, registry.Errorf(registry.Internal, "coding %q is not known", string(coding))
}

func compressGzip(body []byte) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(len(body)/6 + 64)
	w, err := gzipWriter(&out)
	if err != nil {
		return nil, registry.Wrapf(registry.Internal, err, "gzip")
	}
	if _, err := w.Write(body); err != nil {
		return nil, registry.Wrapf(registry.Internal, err, "gzip")
	}
	if err := w.Close(); err != nil {
		return nil, registry.Wrapf(registry.Internal, err, "gzip")
	}
	gzipWriters.Put(w)
	return out.Bytes(), nil
}
