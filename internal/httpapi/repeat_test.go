package httpapi

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

// repeating is a server on loopback whose handler counts how often it is asked.
type repeating struct {
	world
	t     *testing.T
	addr  string
	stop  func()
	asked atomic.Int64
}

func repeatingServer(t *testing.T, handle echo.HandlerFunc, change ...func(*Options)) *repeating {
	t.Helper()
	s := &repeating{t: t}
	s.world = newWorld(func(c echo.Context) error { s.asked.Add(1); return handle(c) }, change...)
	s.Listener().SetLive(true)
	addr, stop, done := start(t, s.world, nil)
	s.addr = addr
	s.stop = func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	return s
}

// get asks on a connection of its own, and gives the status, the header without
// what is never the same, and the body.
func (s *repeating) get(path string, header ...string) (int, http.Header, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.addr+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Header.Del("Date")
	resp.Header.Del(headerRequestID)
	return resp.StatusCode, resp.Header, string(body)
}

// checkAsked compares how often the handler was asked since the last time.
func (s *repeating) checkAsked(want int64) {
	s.t.Helper()
	if got := s.asked.Swap(0); got != want {
		s.t.Errorf("the handler was asked %d times, want %d", got, want)
	}
}

// document is an answer that may be repeated, made of what the request said.
func document(c echo.Context) error {
	serve.Repeatable(c, time.Time{}, nil)
	r := c.Request()
	body := fmt.Sprint(r.Host, r.URL, r.Header["Authorization"], r.Header["Accept"])
	return serve.Document(c, &registry.Document{Body: []byte(body), ETag: `"1"`}, serve.DocumentMeta{ContentType: "application/json"})
}

func TestRepeatedAnswersAreTheSame(t *testing.T) {
	s := repeatingServer(t, document)
	headers := map[string][]string{
		"plain":        nil,
		"not modified": {"If-None-Match", `"1"`},
		"other tag":    {"If-None-Match", `"2"`},
	}
	for name, header := range headers {
		status, first, body := s.get(npmPath+"demo", header...)
		s.checkAsked(1)
		for range 3 {
			againStatus, again, againBody := s.get(npmPath+"demo", header...)
			if diff := cmp.Diff([]any{status, first, body}, []any{againStatus, again, againBody}); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		s.checkAsked(0)
	}
}

// named takes every credential for that of the deploy token ci, but the word
// "refused" for nobody's.
func named(o *Options) {
	o.Authenticate = func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			for _, name := range credentialHeaders {
				if value := c.Request().Header.Get(name); value != "" && value != "refused" {
					id := &auth.Identity{Kind: auth.DeployTokenIdentity, Name: "ci", TokenID: 5, ExpiresAt: time.Unix(2_000_000_060, 0)}
					c.SetRequest(c.Request().WithContext(auth.With(c.Request().Context(), id)))
				}
			}
			return next(c)
		}
	}
}

// Nothing that a handler may look at is passed over. Were it, one caller would
// get the answer of another.
func TestOtherRequestsAreAskedFor(t *testing.T) {
	s := repeatingServer(t, document, named)
	variants := [][]string{
		{npmPath + "demo"},
		{npmPath + "demo2"},
		{npmPath + "demo?write=true"},
		{npmPath + "demo", "Authorization", "Bearer a"},
		{npmPath + "demo", "Authorization", "Bearer b"},
		{npmPath + "demo", "Deploy-Token", "a"},
		{npmPath + "demo", "Accept", "a"},
		{npmPath + "demo", "Accept", "a", "Accept", "b"},
		{npmPath + "demo", "Accept", "b", "Accept", "a"},
		{npmPath + "demo", "Accept-Encoding", "identity"},
		{npmPath + "demo", "X-Forwarded-For", "192.0.2.1"},
		{npmPath + "demo", "User-Agent", "Apache Ivy/2"},
		{npmPath + "demo", "Anything-Else", "a"},
	}
	for range 2 {
		bodies := map[string]bool{}
		for _, v := range variants {
			_, _, body := s.get(v[0], v[1:]...)
			bodies[body] = true
		}
		if len(bodies) != 8 { // of all that the body names
			t.Errorf("%d bodies: %v", len(bodies), bodies)
		}
	}
	s.checkAsked(int64(len(variants)))
}

// What changes with each run of a client does not matter, in any spelling.
func TestInertFieldsDoNotMatter(t *testing.T) {
	s := repeatingServer(t, document)
	for i, name := range append(inert, inert...) {
		if i >= len(inert) {
			name = strings.ToLower(name)
		}
		s.get(npmPath+"demo", name, fmt.Sprint(i))
	}
	s.checkAsked(1)
	c := dial(t, s.addr)
	fmt.Fprintf(c, "GET %sdemo HTTP/1.1\r\nHost: %s\r\nUser-Agent: Go-http-client/1.1\r\nNpm-Session: \x01\r\nAccept-Encoding: gzip\r\n\r\n", npmPath, s.addr)
	line := make([]byte, len("HTTP/1.1 400"))
	if _, err := io.ReadFull(c, line); err != nil || string(line) != "HTTP/1.1 400" {
		t.Errorf("a malformed field: %q, %v", line, err)
	}
}

// No handler looks at a field that is taken for inert.
func TestInertFieldsAreInNoSource(t *testing.T) {
	read := 0
	err := filepath.WalkDir("..", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || filepath.Base(path) == "repeat.go" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read++
		for _, name := range inert {
			if strings.Contains(strings.ToLower(string(text)), `"`+strings.ToLower(name)+`"`) {
				t.Errorf("%s looks at %s", path, name)
			}
		}
		return nil
	})
	if err != nil || read < 100 {
		t.Errorf("%d files read: %v", read, err)
	}
}

// A client's own id is in its answer.
func TestRequestIDsAreNotRepeated(t *testing.T) {
	s := repeatingServer(t, document)
	seen := map[string]bool{}
	c := dial(t, s.addr)
	for _, given := range []string{"", "", "mine", "mine2"} {
		field := ""
		if given != "" {
			field = "X-Request-ID: " + given + "\r\n"
		}
		fmt.Fprintf(c, "GET %sdemo HTTP/1.1\r\nHost: x\r\n%sConnection: keep-alive\r\n\r\n", npmPath, field)
		text := make([]byte, 1000)
		n, err := io.ReadAtLeast(c, text, 50)
		if err != nil {
			t.Fatal(err)
		}
		_, id, _ := strings.Cut(string(text[:n]), headerRequestID+": ")
		id, _, _ = strings.Cut(id, "\r\n")
		if id == "" || seen[id] || given != "" && id != given {
			t.Errorf("got the id %q for %q", id, given)
		}
		seen[id] = true
	}
	s.checkAsked(3)
}

func TestChangesEndRepeating(t *testing.T) {
	clock := atomic.Int64{}
	now := func() time.Time { return time.Unix(1_800_000_000+clock.Load(), 0) }
	var during atomic.Bool // a change comes while the answer is made
	change := func() {}
	handle := func(c echo.Context) error {
		if during.Load() {
			change()
		}
		until := time.Time{}
		if c.QueryParam("until") != "" {
			until = now().Add(10 * time.Second)
		}
		serve.Repeatable(c, until, nil)
		return serve.Document(c, &registry.Document{Body: []byte("x"), ETag: `"1"`}, serve.DocumentMeta{})
	}
	s := repeatingServer(t, handle, func(o *Options) { o.Now = now })
	l := s.Listener()
	change = func() { l.Forget([]registry.Change{{Topic: registry.TopicAccess}}) }
	tests := []struct {
		name   string
		query  string
		change func()
		asked  int64 // of three requests before and after the change each
	}{
		{"none", "", func() {}, 1},
		{"a package", "", func() { l.Forget([]registry.Change{{Topic: registry.TopicPackage, Key: "npm/other"}}) }, 2},
		{"a token", "", change, 2},
		{"changes are not heard of", "", func() { l.SetLive(false) }, 4},
		{"they are again", "", func() { l.SetLive(true) }, 4},
		{"they were not for a while", "", func() { l.SetLive(false); l.SetLive(true) }, 2},
		{"they still are", "", func() { l.SetLive(true) }, 2},
		{"time, before it is up", "?until=1", func() { clock.Add(9) }, 1},
		{"time is up", "?until=2", func() { clock.Add(10) }, 2},
		{"time passes that does not matter", "", func() { clock.Add(10_000) }, 1},
		{"while the answer is made", "?during=1", func() {
			during.Store(true)
			change()
		}, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.t = t
			path := npmPath + strings.ReplaceAll(tt.name, " ", "-") + tt.query
			for range 3 {
				s.get(path)
			}
			tt.change()
			for range 3 {
				s.get(path)
			}
			s.checkAsked(tt.asked)
		})
	}
}

// Of a credential that ends by itself no answer outlives it, and each use is
// told of.
func TestRepeatedAnswersAndIdentities(t *testing.T) {
	clock := atomic.Int64{}
	now := func() time.Time { return time.Unix(2_000_000_000+clock.Load(), 0) }
	var used atomic.Int64
	s := repeatingServer(t, document, named, func(o *Options) {
		o.Now = now
		o.Used = func(id *auth.Identity) { used.Add(id.TokenID) }
	})
	for range 3 {
		s.get(npmPath+"demo", "Authorization", "Bearer x")
		s.get(npmPath + "demo")
	}
	s.checkAsked(2)
	if got := used.Load(); got != 2*5 { // the first use is the middleware's to see
		t.Errorf("uses of token 5 that were told add up to %d", got)
	}
	clock.Store(59)
	s.get(npmPath+"demo", "Authorization", "Bearer x")
	s.checkAsked(0)
	clock.Store(60)
	s.get(npmPath+"demo", "Authorization", "Bearer x")
	s.checkAsked(1)
}

// Of two credentials each may end; a refused one is counted each time; and who
// wants to be hung up on does not get the answer of somebody who does not.
func TestRequestsWhoseAnswersAreNotKept(t *testing.T) {
	s := repeatingServer(t, document, named)
	for _, header := range [][]string{
		{"Authorization", "Basic eA==", "X-NuGet-ApiKey", "y"},
		{"Authorization", "refused"},
		{"Connection", "close"},
	} {
		for range 3 {
			s.get(npmPath+"demo", header...)
		}
		s.checkAsked(3)
	}
}

// Logs and metrics do not show which answers were repeated.
func TestRepeatedAnswersAreCounted(t *testing.T) {
	counted := atomic.Int64{}
	s := repeatingServer(t, func(c echo.Context) error {
		serve.CountDownload(c, func() { counted.Add(1) })
		return serve.Document(c, &registry.Document{Body: []byte("12345"), ETag: `"1"`}, serve.DocumentMeta{})
	})
	for range 3 {
		s.get(npmPath + "demo")
	}
	s.checkAsked(1)
	s.stop()
	if n := counted.Load(); n != 3 {
		t.Errorf("%d downloads were counted", n)
	}
	for _, want := range []string{
		`registry_http_requests_total{method="GET",route="/api/v4/projects/:project/packages/npm/*",status="200"} 3`,
		`registry_http_sent_bytes_total{route="/api/v4/projects/:project/packages/npm/*"} 15`,
		`registry_http_requests_in_flight 0`,
		`registry_cache_lookups_total{cache="answer",outcome="hit"} 2`,
		`registry_cache_lookups_total{cache="answer",outcome="miss"} 1`,
	} {
		if text := s.metricsText(t); !strings.Contains(text, want) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
	var first map[string]any
	for i, text := range strings.Split(strings.TrimSpace(s.logged.String()), "\n") {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"time", "duration_us", "request_id"} {
			if line[name] == nil {
				t.Errorf("line %d has no %s", i, name)
			}
			delete(line, name)
		}
		if first == nil {
			first = line
		}
		if diff := cmp.Diff(first, line); diff != "" {
			t.Errorf("line %d: %s", i, diff)
		}
	}
}

// What was not a whole, plain success is asked for each time.
func TestOtherAnswersAreNotRepeated(t *testing.T) {
	repeatable := func(handle echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			serve.Repeatable(c, time.Time{}, nil)
			return handle(c)
		}
	}
	sized := func(status, n int) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Header().Set("Content-Length", fmt.Sprint(n))
			return c.Blob(status, "text/plain", make([]byte, n))
		}
	}
	tests := []struct {
		name   string
		handle echo.HandlerFunc
		asked  int64
	}{
		{"a whole success", repeatable(sized(200, maxRepeated)), 1},
		{"not allowed by the handler", sized(200, 5), 3},
		{"larger", repeatable(sized(200, maxRepeated+1)), 3},
		{"a part", repeatable(sized(206, 5)), 3},
		{"an error's status", repeatable(sized(404, 5)), 3},
		{"an error", repeatable(func(echo.Context) error { return registry.Errorf(registry.NotFound, "x") }), 3},
		{"no declared length", repeatable(func(c echo.Context) error { return c.String(200, "x") }), 3},
		{"in two pieces", repeatable(func(c echo.Context) error {
			c.Response().Header().Set("Content-Length", "2")
			return c.Stream(200, "text/plain", io.MultiReader(strings.NewReader("a"), strings.NewReader("b")))
		}), 3},
		{"the connection's last", repeatable(func(c echo.Context) error {
			c.Response().Header().Set("Connection", "close")
			return sized(200, 5)(c)
		}), 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := repeatingServer(t, tt.handle)
			for range 3 {
				s.get(npmPath + "demo")
			}
			s.checkAsked(tt.asked)
		})
	}
}
