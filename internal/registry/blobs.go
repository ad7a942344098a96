package registry

import (
	"context"
	"encoding/hex"
	"io"
	"os"
	"time"
)

// Digests are the checksums of a body, all computed in the one pass that
// spooled it. The SHA-256 is our key for the bytes; the others are values that
// the protocols carry.
type Digests struct {
	SHA256 [32]byte
	SHA512 [64]byte
	SHA1   [20]byte
	MD5    [16]byte
	Size   int64 // bytes
}

// Digest gives the SHA-256 in lower-case hex, the key of the blobs table.
func (d Digests) Digest() string { return hex.EncodeToString(d.SHA256[:]) }

// Blob is a body that is stored in the bucket.
type Blob struct {
	Digests
	// Key is the blob's name in the bucket. No key is ever used twice, so
	// deleting one can never hit bytes that somebody is publishing again.
	Key       string
	CreatedAt time.Time
}

// Content is an open blob. Close it. Seeking lets one function serve ranges,
// HEAD and conditional requests in all formats.
type Content interface {
	io.ReadSeekCloser
	Size() int64 // bytes
}

// LocalContent is Content that lies in a local file.
type LocalContent interface {
	Content
	// File is the open file; it is closed by Close.
	File() *os.File
}

// MemoryContent is Content that lies in memory.
type MemoryContent interface {
	Content
	// Bytes is all of it, shared with others: do not change it.
	Bytes() []byte
}

// BlobInfo is what listing a bucket tells of one blob.
type BlobInfo struct {
	Key      string
	Size     int64 // bytes
	Modified time.Time
}

// Blobs keeps bodies by key. Implementations are safe for concurrent use.
//
// Every failure is Unavailable, a deadline that passed included, except those
// named at the method, and except that a context that was cancelled is Canceled
// and that a key which is not of our form is Internal.
type Blobs interface {
	// Write stores the size bytes of body under a key that was never used
	// before. When it returns nil the bytes survive a crash of the process and
	// of the machine. On any failure, a short or long body included, nothing
	// is visible under the key.
	Write(ctx context.Context, key string, body io.Reader, size int64) error
	// Open opens a blob for reading; an absent key is NotFound. For a local
	// folder the Content is also a LocalContent, which can reach the socket by
	// sendfile.
	Open(ctx context.Context, key string) (Content, error)
	// Delete removes a blob; an absent key is no error.
	Delete(ctx context.Context, key string) error
	// List calls each for every blob whose key begins with prefix, in no
	// particular order, until it fails. Stores may list eventually: nothing
	// but garbage collection may depend on it.
	List(ctx context.Context, prefix string, each func(BlobInfo) error) error
	// SignedURL gives an address where a client may GET the blob without
	// credentials for the given time; Unsupported when the bucket cannot.
	SignedURL(ctx context.Context, key string, life time.Duration) (string, error)
	// Check really asks the bucket whether it answers.
	Check(ctx context.Context) error
	// Close ends the connection to the bucket.
	Close() error
}
