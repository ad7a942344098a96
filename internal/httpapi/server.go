package httpapi

import (
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/observe"
	"pakhus/internal/registry"
)

// apiRoot is where GitLab has its API, and so where every client looks for it.
const apiRoot = "/api/v4"

// Options set a Server up. Log is required; the rest of the zero value works.
type Options struct {
	Log     *slog.Logger
	Metrics *observe.Metrics // none are counted when nil
	// ExternalURL is where clients reach the server. Its path is taken off the
	// paths of requests that have it.
	ExternalURL *url.URL
	// TrustedProxies may tell the client's address in X-Forwarded-For. No other
	// forwarding header is ever believed.
	TrustedProxies []netip.Prefix
	// Rewrite may send a request elsewhere before anything looks at it, such as by
	// its host name; requests stay as they are when nil.
	Rewrite func(*http.Request) *http.Request
	// Authenticate puts the verified identity into the request's context. It runs
	// for the API and for /metrics, whether a route is found or not.
	Authenticate echo.MiddlewareFunc
	// Used is told of each use of an identity that Authenticate does not see,
	// because an answer is given again. May be nil.
	Used func(*auth.Identity)
	// AnswerCache bounds the memory of such answers, in bytes; 8 MiB when 0.
	AnswerCache uint64
	// Management is the management API; its form answers errors of paths that
	// belong to no format.
	Management API
	Protocols  []Protocol
	// Web serves GET and HEAD of all paths that nothing else has; 404 when nil.
	Web http.Handler
	// Checks tell by name whether what the server needs does answer.
	Checks map[string]Check
	// MetricsAside says that a listener of its own serves the metrics: see
	// MetricsHandler. Else /metrics answers loopback callers and administrators.
	MetricsAside bool
	// StopTimeout bounds how long requests may go on after the stop; 30 s when 0.
	StopTimeout time.Duration
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Server answers HTTP for all formats. It is an http.Handler; Run serves it on
// listeners.
type Server struct {
	opts      Options
	external  string // the external URL, without final slash
	prefix    string // its path
	echo      *echo.Echo
	protocols map[registry.Format]Protocol
	fallback  API
	routes    map[string]bool // patterns that may be labels
	readiness readiness
	drains    drains
	repeats   *repeats
	draining  atomic.Bool
}

// New makes a Server and mounts all routes. It panics on two protocols of one
// format and on a route without an action, which are programmer's mistakes.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.StopTimeout == 0 {
		o.StopTimeout = 30 * time.Second
	}
	if o.AnswerCache == 0 {
		o.AnswerCache = 8 << 20
	}
	if o.ExternalURL == nil {
		o.ExternalURL = &url.URL{}
	}
	if o.Authenticate == nil {
		o.Authenticate = func(next echo.HandlerFunc) echo.HandlerFunc { return next }
	}
	s := &Server{
		opts: o, external: strings.TrimRight(o.ExternalURL.String(), "/"), prefix: strings.TrimRight(o.ExternalURL.EscapedPath(), "/"), echo: echo.New(),
		protocols: map[registry.Format]Protocol{}, routes: map[string]bool{}, fallback: o.Management,
	}
	if s.fallback == nil {
		s.fallback = plain{}
	}
	s.repeats = newRepeats(o.AnswerCache)
	s.readiness = readiness{checks: o.Checks, now: o.Now}
	s.echo.HTTPErrorHandler = s.handleError
	s.echo.IPExtractor = func(r *http.Request) string {
		return clientIP(r.RemoteAddr, r.Header[headerForwarded], o.TrustedProxies)
	}
	s.echo.Use(s.note)
	s.mount()
	return s
}

// Listener hears of changes. Subscribe it after everything that handlers read
// from: see repeats. While it is told nothing, no answer is given again.
func (s *Server) Listener() registry.Listener { return s.repeats }

// mountAPI mounts an API and makes the patterns of its routes labels. A route
// that declares no action ends the start: nothing would guard it.
func (s *Server) mountAPI(group *echo.Group, api API) {
	routes := api.Routes()
	if err := auth.CheckRoutes(routes); err != nil {
		panic("httpapi: " + err.Error())
	}
	for _, r := range routes {
		s.routes[apiRoot+r.Pattern] = true
	}
	api.Mount(group)
}

// addedRoute is a route as it was registered, to register it for HEAD too.
type addedRoute struct {
	path       string
	handler    echo.HandlerFunc
	middleware []echo.MiddlewareFunc
}

func (s *Server) mount() {
	heads, gets := map[string]bool{}, []addedRoute{}
	s.echo.OnAddRouteHandler = func(_ string, route echo.Route, h echo.HandlerFunc, m []echo.MiddlewareFunc) {
		s.routes[route.Path] = true
		switch route.Method {
		case http.MethodHead:
			heads[route.Path] = true
		case http.MethodGet:
			gets = append(gets, addedRoute{route.Path, h, m})
		}
	}
	s.mountHealth()
	api := s.echo.Group(apiRoot)
	api.Use(s.opts.Authenticate)
	s.mountAPI(api, s.fallback)
	for _, p := range s.opts.Protocols {
		if s.protocols[p.Format()] != nil {
			panic("httpapi: two protocols for " + string(p.Format()))
		}
		s.protocols[p.Format()] = p
		s.mountAPI(api, p)
	}
	if s.opts.Web != nil {
		s.echo.GET("/*", echo.WrapHandler(s.opts.Web))
	}
	// Clients send HEAD wherever they send GET. net/http leaves the body out.
	for _, route := range gets {
		if !heads[route.path] {
			s.echo.Add(http.MethodHead, route.path, route.handler, route.middleware...)
		}
	}
}
