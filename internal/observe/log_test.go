package observe

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// sink is a writer that tests read while it is written to.
type sink struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *sink) lines() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.b.String(), "\n")
}

func TestLoggerBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &sink{}
		log, err := NewLogger(out, LogOptions{})
		if err != nil {
			t.Fatal(err)
		}
		log.Info("one")
		log.With("a", 1).WithGroup("g").Info("two")
		if got := out.lines(); got != 0 {
			t.Errorf("%d lines were written at once", got)
		}
		time.Sleep(logDelay)
		synctest.Wait()
		if got := out.lines(); got != 2 {
			t.Errorf("%d lines after the delay, want 2", got)
		}
		log.Info("three")
		log.Warn("four")
		if got := out.lines(); got != 4 {
			t.Errorf("%d lines after a warning, want 4: it does not wait", got)
		}
		log.Info("five")
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		log.Info("six")
		if got := out.lines(); got != 6 {
			t.Errorf("%d lines after the end, want 6", got)
		}
	})
}

func TestLoggerOptions(t *testing.T) {
	tests := []struct {
		name    string
		options LogOptions
		want    string // beginning of the line at level info
		wantErr string
	}{
		{name: "default", want: `{"time":`},
		{name: "text", options: LogOptions{Format: "text"}, want: "time="},
		{name: "quiet", options: LogOptions{Level: "warn"}},
		{name: "bad level", options: LogOptions{Level: "loud"}, wantErr: `log level "loud"`},
		{name: "bad format", options: LogOptions{Format: "xml"}, wantErr: `log format "xml"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			log, err := NewLogger(&out, tt.options)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Errorf("got %v, want %s", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			log.Info("version published")
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			if got := out.String(); !strings.HasPrefix(got, tt.want) || (tt.want == "") != (got == "") {
				t.Errorf("got %q, want it to begin with %q", got, tt.want)
			}
		})
	}
}
