package httpapi

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/observe"
	"pakhus/internal/registry"
)

// format is a protocol whose one route does what a test wants.
type format struct {
	name   registry.Format
	handle echo.HandlerFunc
}

func (f format) Format() registry.Format { return f.name }

func (f format) Mount(api *echo.Group) {
	pattern := "/projects/:project/packages/" + string(f.name) + "/*"
	api.GET(pattern, f.handle)
	api.PUT(pattern, f.handle)
}

func (f format) Routes() []auth.Route {
	return []auth.Route{{Method: http.MethodGet, Pattern: "/projects/:project/packages/" + string(f.name) + "/*", Action: auth.Read}}
}

func (f format) WriteError(c echo.Context, status int, message string) error {
	return c.String(status, string(f.name)+": "+message)
}

const npmPath = "/api/v4/projects/7/packages/npm/"

// world is a server with what it logged.
type world struct {
	*Server
	logged *bytes.Buffer
}

func newWorld(handle echo.HandlerFunc, change ...func(*Options)) world {
	logged := &bytes.Buffer{}
	o := Options{
		Log: slog.New(slog.NewJSONHandler(logged, nil)), Metrics: observe.NewMetrics(),
		Protocols: []Protocol{format{registry.NPM, handle}, format{registry.Maven, handle}},
	}
	for _, f := range change {
		f(&o)
	}
	return world{New(o), logged}
}

func (w world) call(method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	recorded := httptest.NewRecorder()
	w.ServeHTTP(recorded, r)
	return recorded
}

func (w world) lastLine(t *testing.T) map[string]any {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(w.logged.String()), "\n")
	line := map[string]any{}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &line); err != nil {
		t.Fatalf("%v in %q", err, lines)
	}
	return line
}

func (w world) metricsText(t *testing.T) string {
	t.Helper()
	recorded := httptest.NewRecorder()
	w.opts.Metrics.Handler().ServeHTTP(recorded, httptest.NewRequest("GET", "/metrics", nil))
	return recorded.Body.String()
}

func ok(c echo.Context) error { return c.String(http.StatusOK, c.Param("*")) }

func TestParametersStayEscaped(t *testing.T) {
	tests := []struct{ name, target, want string }{
		{"plain", "demo", "demo"},
		{"encoded slash", "@acme%2fdemo", "@acme%2fdemo"},
		{"encoded slash in capitals", "@acme%2Fdemo/-/x.tgz", "@acme%2Fdemo/-/x.tgz"},
		{"raw slash", "@acme/demo", "@acme/demo"},
		{"encoded at", "%40acme%2fdemo", "%40acme%2fdemo"},
		{"blank, for which net/http keeps no raw path", "a%20b", "a%20b"},
		{"letter", "%61", "%61"},
		{"umlaut", "%C3%A4", "%C3%A4"},
		{"trailing slash", "demo/", "demo/"},
	}
	for _, prefix := range []string{"", "/tools/registry"} {
		external, err := url.Parse("https://example.test" + prefix + "/")
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(ok, func(o *Options) { o.ExternalURL = external })
		for _, tt := range tests {
			t.Run(prefix+" "+tt.name, func(t *testing.T) {
				if got := w.call("GET", prefix+npmPath+tt.target); got.Code != 200 || got.Body.String() != tt.want {
					t.Errorf("got %d %q, want %q", got.Code, got.Body, tt.want)
				}
			})
		}
	}
}

func TestPrefix(t *testing.T) {
	external, err := url.Parse("https://example.test/tools")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(ok, func(o *Options) { o.ExternalURL = external })
	tests := []struct {
		name, target string
		status       int
	}{
		{"with the prefix", "/tools" + npmPath + "x", 200},
		{"taken off by the proxy", npmPath + "x", 200},
		{"another path that begins alike", "/toolshed" + npmPath + "x", 404},
		{"twice", "/tools/tools" + npmPath + "x", 404},
		{"in another spelling", "/%74ools" + npmPath + "x", 404},
		{"health below it", "/tools/-/health", 200},
		{"nothing but the prefix", "/tools", 404},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := w.call("GET", tt.target).Code; got != tt.status {
				t.Errorf("got %d, want %d", got, tt.status)
			}
		})
	}
}

// Every GET route answers HEAD; headers that override the method are ignored.
func TestMethods(t *testing.T) {
	w := newWorld(func(c echo.Context) error { return c.String(200, c.Request().Method) })
	tests := []struct {
		name, method string
		header       []string
		status       int
		body         string
	}{
		{name: "get", method: "GET", status: 200, body: "GET"},
		{name: "head", method: "HEAD", status: 200, body: "HEAD"},
		{name: "no such method", method: "DELETE", status: 405, body: "npm: "},
		{name: "unknown method", method: "BREW", status: 405, body: "npm: "},
		{name: "override", method: "GET", header: []string{"X-HTTP-Method-Override", "PUT", "X-Method-Override", "PUT"}, status: 200, body: "GET"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := w.call(tt.method, npmPath+"x?_method=PUT", tt.header...)
			if got.Code != tt.status || got.Body.String() != tt.body {
				t.Errorf("got %d %q, want %d %q", got.Code, got.Body, tt.status, tt.body)
			}
		})
	}
	if got := w.call("DELETE", npmPath+"x").Header().Get("Allow"); !strings.Contains(got, "GET") || !strings.Contains(got, "PUT") {
		t.Errorf("Allow: %q", got)
	}
}

func TestRequestID(t *testing.T) {
	w := newWorld(ok)
	tests := []struct {
		name, given string
		kept        bool
	}{
		{"none", "", false},
		{"a proxy's", "6f3a-1.b_C", true},
		{"with a line break", "a\nb", false},
		{"with a quote", `a"b`, false},
		{"long", strings.Repeat("a", 65), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := w.call("GET", npmPath+"x", "X-Request-Id", tt.given).Header().Get("X-Request-Id")
			if (got == tt.given) != tt.kept || got == "" {
				t.Errorf("got %q for %q", got, tt.given)
			}
			if line := w.lastLine(t); line["request_id"] != got {
				t.Errorf("log has %v, want %s", line["request_id"], got)
			}
		})
	}
}

// The log has the route and who it was, and nothing that may hold a secret
// (threats.md T19, O1).
func TestAccessLog(t *testing.T) {
	w := newWorld(ok, func(o *Options) {
		o.Authenticate = func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				id := &auth.Identity{Kind: auth.DeployTokenIdentity, Name: "ci", TokenID: 12}
				c.SetRequest(c.Request().WithContext(auth.With(c.Request().Context(), id)))
				return next(c)
			}
		}
	})
	w.call("GET", npmPath+"canary?token=canary", "Authorization", "Bearer canary", "X-Request-Id", "r1", "Referer", "canary", "User-Agent", "canary")
	line := w.lastLine(t)
	delete(line, "time")
	delete(line, "duration_us")
	want := map[string]any{
		"level": "INFO", "msg": "request", "method": "GET", "route": "/api/v4/projects/:project/packages/npm/*", "status": 200.0,
		"received_bytes": 0.0, "sent_bytes": 6.0, "client": "192.0.2.1", "request_id": "r1", "user": "ci", "credential": "deploy_token:12",
	}
	if diff := cmp.Diff(line, want); diff != "" {
		t.Error(diff)
	}
	w.call("GET", "/canary/"+npmPath+"?canary")
	w.call("CANARY", "/api/v4/canary")
	if strings.Contains(strings.ToLower(w.logged.String()+w.metricsText(t)), "canary") {
		t.Errorf("a client's text is in the log or the metrics:\n%s", w.logged)
	}
	if line := w.lastLine(t); line["method"] != "other" || line["route"] != "/api/v4/*" {
		t.Errorf("got %v", line)
	}
}

func TestPanic(t *testing.T) {
	w := newWorld(func(c echo.Context) error {
		if c.Param("*") == "bad" {
			panic("a bug with canary")
		}
		return ok(c)
	})
	got := w.call("GET", npmPath+"bad", "X-Request-Id", "r1")
	if got.Code != 500 || got.Body.String() != "npm: internal error; the server's log tells more under request r1" {
		t.Errorf("got %d %q", got.Code, got.Body)
	}
	if !strings.Contains(w.logged.String(), "a bug with canary") || !strings.Contains(w.metricsText(t), "registry_http_panics_total 1\n") {
		t.Errorf("the panic was not noted: %s", w.logged)
	}
	if got := w.call("GET", npmPath+"good"); got.Code != 200 {
		t.Errorf("the next request got %d", got.Code)
	}
}

func TestTwoProtocolsOfOneFormat(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the second one was accepted")
		}
	}()
	newWorld(ok, func(o *Options) { o.Protocols = append(o.Protocols, format{registry.NPM, ok}) })
}

func TestWeb(t *testing.T) {
	w := newWorld(ok, func(o *Options) {
		o.Web = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("page " + r.URL.Path)) })
	})
	if got := w.call("GET", "/acme/demo"); got.Code != 200 || got.Body.String() != "page /acme/demo" {
		t.Errorf("got %d %q", got.Code, got.Body)
	}
	if got := w.call("GET", "/api/v4/nothing"); got.Code != 404 || !strings.Contains(got.Body.String(), `"message":"404 Not Found"`) {
		t.Errorf("the API answered with a page: %d %q", got.Code, got.Body)
	}
}

// BenchmarkChain measures what this package and echo's routing cost a hot read.
func BenchmarkChain(b *testing.B) {
	body := []byte("{}")
	handle := func(c echo.Context) error {
		c.Response().Committed = true
		_, err := c.Response().Writer.Write(body)
		return err
	}
	for _, logs := range []struct {
		name  string
		level slog.Level
	}{{"quiet", slog.LevelWarn}, {"access log", slog.LevelInfo}} {
		b.Run(logs.name, func(b *testing.B) {
			w := newWorld(handle, func(o *Options) {
				o.Log = slog.New(slog.NewJSONHandler(discard{}, &slog.HandlerOptions{Level: logs.level}))
			})
			r := httptest.NewRequest("GET", npmPath+"@acme%2fdemo", nil)
			answer := &nullAnswer{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(answer.header)
				w.ServeHTTP(answer, r)
			}
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

type nullAnswer struct{ header http.Header }

func (n *nullAnswer) Header() http.Header         { return n.header }
func (n *nullAnswer) WriteHeader(int)             {}
func (n *nullAnswer) Write(p []byte) (int, error) { return len(p), nil }

// A route that declares no action must end the start (threats.md P3).
func TestRouteWithoutAction(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the server started")
		}
	}()
	New(Options{Protocols: []Protocol{unguarded{format{name: registry.NPM}}}})
}

type unguarded struct{ format }

func (unguarded) Routes() []auth.Route { return []auth.Route{{Method: http.MethodGet, Pattern: "/x"}} }
