package observe

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// LogOptions set a Logger up; the zero value logs as text or JSON from level
// info.
type LogOptions struct {
	Format string // "json" or "text"; empty: text on a terminal, else json
	Level  string // "debug", "info", "warn" or "error"; empty: info
}

const (
	// logBuffer is how many bytes of log lines are written at once.
	logBuffer = 32 << 10
	// logDelay is how long a line may wait in the buffer. A crash of the machine
	// loses no more than that; warnings and errors do not wait.
	logDelay = 200 * time.Millisecond
)

// Logger is a slog.Logger that writes in batches. Close it to write the rest.
type Logger struct {
	*slog.Logger
	out *lineBuffer
}

// NewLogger makes a logger that writes to w. An unknown format or level is an
// error.
func NewLogger(w io.Writer, o LogOptions) (*Logger, error) {
	var level slog.Level
	if o.Level != "" {
		if err := level.UnmarshalText([]byte(o.Level)); err != nil {
			return nil, fmt.Errorf("log level %q is not one of debug, info, warn, error", o.Level)
		}
	}
	if o.Format == "" {
		o.Format = "json"
		if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			o.Format = "text"
		}
	}
	out := &lineBuffer{to: bufio.NewWriterSize(w, logBuffer)}
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler
	switch o.Format {
	case "json":
		handler = slog.NewJSONHandler(out, options)
	case "text":
		handler = slog.NewTextHandler(out, options)
	default:
		return nil, fmt.Errorf("log format %q is not one of json, text", o.Format)
	}
	return &Logger{Logger: slog.New(promptHandler{handler, out}), out: out}, nil
}

// Close writes what is buffered. Later lines are written at once.
func (l *Logger) Close() error { return l.out.close() }

// promptHandler does not let warnings and errors wait in the buffer.
type promptHandler struct {
	slog.Handler
	out *lineBuffer
}

func (h promptHandler) Handle(ctx context.Context, r slog.Record) error {
	err := h.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		return h.out.flush()
	}
	return err
}

func (h promptHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return promptHandler{h.Handler.WithAttrs(attrs), h.out}
}

func (h promptHandler) WithGroup(name string) slog.Handler {
	return promptHandler{h.Handler.WithGroup(name), h.out}
}

// lineBuffer collects lines. Nothing runs while no lines come: the first one in
// an empty buffer starts a timer.
type lineBuffer struct {
	mu      sync.Mutex
	to      *bufio.Writer
	waiting bool // a timer will flush
	closed  bool
}

func (b *lineBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, err := b.to.Write(line)
	switch {
	case err != nil:
		return n, err
	case b.closed:
		return n, b.to.Flush()
	case !b.waiting:
		b.waiting = true
		time.AfterFunc(logDelay, func() {
			// The next write reports what failed: bufio keeps its first error.
			_ = b.flush()
		})
	}
	return n, nil
}

func (b *lineBuffer) flush() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = false
	return b.to.Flush()
}

func (b *lineBuffer) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return b.to.Flush()
}
