package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// connections is how many clients read at once.
const connections = 32

// target is an address with the headers that a client sends.
type target struct {
	url    string
	header http.Header
	varied bool // no two requests are the same: one more header counts
}

// loaded is what one run of wrk counted.
type loaded struct {
	Requests int64
	Bytes    int64
	Micros   int64
	// Errors of connections, and answers with a status above 399.
	Connect, Read, Write, Timeout, Status int64
}

func (l loaded) perSecond() float64 { return float64(l.Requests) / (float64(l.Micros) / 1e6) }

func (l loaded) bytesPerSecond() float64 { return float64(l.Bytes) / (float64(l.Micros) / 1e6) }

// check is an error unless every request succeeded.
func (l loaded) check() error {
	if l.Micros == 0 || l.Connect+l.Read+l.Write+l.Timeout+l.Status > 0 {
		return fmt.Errorf("the load failed: %+v", l)
	}
	return nil
}

const marker = "LOADED "

// wrkScript hands the headers to wrk, so that no token shows in a list of
// processes, and prints exact numbers instead of rounded ones.
func wrkScript(t target) string {
	var b strings.Builder
	for name, values := range t.header {
		fmt.Fprintf(&b, "wrk.headers[%q] = %q\n", name, strings.Join(values, ", "))
	}
	if t.varied {
		b.WriteString("local n = 0\nrequest = function()\n  n = n + 1\n  wrk.headers['X-Run'] = n\n  return wrk.format()\nend\n")
	}
	b.WriteString(`done = function(s)
  io.write(string.format('` + marker + `{"Requests":%d,"Bytes":%d,"Micros":%d,"Connect":%d,"Read":%d,"Write":%d,"Timeout":%d,"Status":%d}\n',
    s.requests, s.bytes, s.duration, s.errors.connect, s.errors.read, s.errors.write, s.errors.timeout, s.errors.status))
end
`)
	return b.String()
}

// load reads an address from all connections for some time.
func (b *bench) load(ctx context.Context, t target, d time.Duration) (loaded, error) {
	script := filepath.Join(b.dir, "wrk.lua")
	if err := os.WriteFile(script, []byte(wrkScript(t)), 0o600); err != nil {
		return loaded{}, err
	}
	// wrk takes whole seconds only, so it is stopped: it then reports as always.
	cmd := exec.CommandContext(ctx, b.tools.wrk, "-t1", fmt.Sprintf("-c%d", connections), "-d60s", "--timeout", "60s", "-s", script, t.url)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return loaded{}, err
	}
	interrupt := time.AfterFunc(d, func() { _ = cmd.Process.Signal(os.Interrupt) }) // one that ended needs none
	defer interrupt.Stop()
	if err := cmd.Wait(); err != nil {
		return loaded{}, fmt.Errorf("wrk: %w\n%s", err, out.Bytes())
	}
	l, err := parseLoaded(out.String())
	return l, errors.Join(err, l.check())
}

func parseLoaded(output string) (loaded, error) {
	var l loaded
	_, line, ok := strings.Cut(output, marker)
	if !ok {
		return l, fmt.Errorf("wrk printed no result:\n%s", output)
	}
	line, _, _ = strings.Cut(line, "\n")
	return l, json.Unmarshal([]byte(line), &l)
}
