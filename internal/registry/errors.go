package registry

import (
	"context"
	"errors"
	"fmt"
)

// Kind says what a caller can do about a failure. The zero value is Internal:
// a failure nobody classified is ours.
type Kind int

// The kinds of failure. internal/httpapi maps each of them to one status.
const (
	Internal        Kind = iota // our fault or unknown; the client sees no detail
	Invalid                     // malformed path, body, manifest; checksum mismatch
	Unauthenticated             // no valid credential; the answer may carry a challenge
	Forbidden                   // known identity, may see the project, may not do this
	NotFound                    // no such thing, or none this identity may know of
	Conflict                    // exists and is immutable, or the revision is stale
	TooLarge                    // over a configured limit
	Unsupported                 // a method or coding this resource does not have
	RateLimited                 // slow down
	UpstreamFailed              // the remote registry misbehaved
	UpstreamTimeout             // the remote registry was too slow
	Unavailable                 // draining, or the database or bucket is down
	Canceled                    // the client left before the answer
)

var kindNames = [...]string{
	"internal", "invalid", "unauthenticated", "forbidden", "not found", "conflict", "too large",
	"unsupported", "rate limited", "upstream failed", "upstream timeout", "unavailable", "canceled",
}

// Kinds lists every kind, for tests that prove tables complete.
func Kinds() []Kind {
	kinds := make([]Kind, len(kindNames))
	for i := range kinds {
		kinds[i] = Kind(i)
	}
	return kinds
}

// String gives the kind's name as used in logs and metrics.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "unknown"
	}
	return kindNames[k]
}

// failure is an error with a kind, a text that the client may read, and a
// cause that only the log sees.
type failure struct {
	kind  Kind
	text  string
	cause error
}

func (f *failure) Error() string {
	if f.cause == nil {
		return f.text
	}
	return f.text + ": " + f.cause.Error()
}

func (f *failure) Unwrap() error { return f.cause }

// Errorf makes an error of the given kind whose text the client may read:
// never put a secret, a file path or a driver's message into it.
func Errorf(kind Kind, format string, args ...any) error {
	return &failure{kind: kind, text: fmt.Sprintf(format, args...)}
}

// Wrapf makes an error of the given kind with a cause that only the log sees.
func Wrapf(kind Kind, cause error, format string, args ...any) error {
	return &failure{kind: kind, text: fmt.Sprintf(format, args...), cause: cause}
}

// KindOf tells the kind of the outermost classified error in err's chain.
// A context that ended is Canceled; an unclassified error is Internal.
func KindOf(err error) Kind {
	if err == nil {
		return Internal
	}
	var f *failure
	if errors.As(err, &f) {
		return f.kind
	}
	if errors.Is(err, context.Canceled) {
		return Canceled
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return Unavailable
	}
	return Internal
}

// Message gives the text that the client may read: the outermost classified
// error's own text, or nothing for Internal.
func Message(err error) string {
	var f *failure
	if errors.As(err, &f) && f.kind != Internal {
		return f.text
	}
	return ""
}
