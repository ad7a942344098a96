package maven

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

// Options set a Handler up; the zero value works.
type Options struct {
	// MaxUpload bounds a file, in bytes; 3 GiB when 0.
	MaxUpload int64
	// RedirectMin sends clients to the bucket for files of at least this many
	// bytes, when the bucket can sign addresses; 0 never does.
	RedirectMin int64
}

// Handler serves Maven repositories at project, group and instance level.
type Handler struct {
	packages *registry.Service
	opts     Options
	routes   map[routeKey]route
	// confirmed remembers which checksums clients sent a moment ago.
	confirmed confirmations
}

// level is where in the namespace tree a repository lies.
type level int

const (
	projectLevel level = iota
	groupLevel
	instanceLevel
)

// levels are the addresses of gitlab.md 5.1. A group's repository is the union
// of the projects below it that the caller may read; at instance level a path
// leads to the project of the same path.
var levels = []struct {
	level  level
	prefix string
}{
	{projectLevel, "/projects/:project/packages/maven"},
	{groupLevel, "/groups/:group/-/packages/maven"},
	{instanceLevel, "/packages/maven"},
}

type routeKey struct {
	method string
	kind   Kind
}

// route is one row of the route table.
type route struct {
	action auth.Action
	handle func(*Handler, echo.Context, *request) error
}

// request is what a handler works on: everything the address said, typed, and
// who asks.
type request struct {
	level    level
	path     Path
	action   auth.Action
	identity *auth.Identity
	project  registry.Project // at project level, decided by the gate
	group    registry.Group   // at group level
	// lasting is for files that only an announced change can turn into others.
	lasting bool
}

// New makes a Handler; a route without an action is an error.
func New(packages *registry.Service, o Options) (*Handler, error) {
	if o.MaxUpload == 0 {
		o.MaxUpload = 3 << 30
	}
	h := &Handler{packages: packages, opts: o, routes: routeTable()}
	return h, auth.CheckRoutes(h.Routes())
}

// patterns are the paths of all kinds with placeholders, for labels of metrics.
var patterns = map[Kind]string{
	KindFile:             "/:package/:version/:artifact",
	KindArtifactMetadata: "/:package/maven-metadata.xml",
	KindGroupMetadata:    "/:toplevel/maven-metadata.xml",
	KindSnapshotMetadata: "/:package/:snapshot/maven-metadata.xml",
	KindRootMetadata:     "/maven-metadata.xml",
	KindListing:          "/:directory/",
	KindShort:            "/:short",
	KindArchetypeCatalog: "/archetype-catalog.xml",
	KindPrefixes:         "/.meta/prefixes.txt",
	KindReserved:         "/.:reserved",
}

// routeTable is every route below a repository's address. GET answers HEAD too.
// Kinds that nothing is stored under take a PUT as well: CheckWrite says why not.
func routeTable() map[routeKey]route {
	const get, put, del = http.MethodGet, http.MethodPut, http.MethodDelete
	table := map[routeKey]route{
		{get, KindFile}:             {auth.Read, (*Handler).getFile},
		{get, KindArtifactMetadata}: {auth.Read, (*Handler).getMetadata},
		{get, KindGroupMetadata}:    {auth.Read, (*Handler).getMetadata},
		{get, KindSnapshotMetadata}: {auth.Read, (*Handler).getMetadata},
		{get, KindRootMetadata}:     {auth.Read, (*Handler).getNothing},
		{get, KindListing}:          {auth.Read, (*Handler).getListing},
		{get, KindShort}:            {auth.Read, (*Handler).getShort},
		{get, KindArchetypeCatalog}: {auth.Read, (*Handler).getArchetypeCatalog},
		{get, KindPrefixes}:         {auth.Read, (*Handler).getPrefixes},
		{get, KindReserved}:         {auth.Read, (*Handler).getNothing},
		{del, KindFile}:             {auth.Delete, (*Handler).deleteFile},
		{del, KindListing}:          {auth.Delete, (*Handler).deleteDirectory},
		{del, KindShort}:            {auth.Delete, (*Handler).deleteDirectory},
	}
	for kind := range patterns {
		table[routeKey{put, kind}] = route{auth.Publish, (*Handler).put}
	}
	return table
}

// Format is Maven.
func (h *Handler) Format() registry.Format { return registry.Maven }

// Routes lists every route with its action, at every level.
func (h *Handler) Routes() []auth.Route {
	var all []auth.Route
	for _, l := range levels {
		for key, r := range h.routes {
			all = append(all, auth.Route{Method: key.method, Pattern: l.prefix + patterns[key.kind], Action: r.action})
		}
		for _, pattern := range patterns {
			all = append(all, auth.Route{Method: http.MethodOptions, Pattern: l.prefix + pattern, Action: auth.Open})
		}
	}
	return all
}

// Mount registers the repositories' addresses. What lies below them is not
// matched by echo but parsed once, from the escaped path.
func (h *Handler) Mount(api *echo.Group) {
	for _, l := range levels {
		var labels [kindCount]string
		for kind, pattern := range patterns {
			labels[kind] = "/api/v4" + l.prefix + pattern
		}
		serve := func(c echo.Context) error { return h.serve(c, l.level, &labels) }
		api.Any(l.prefix, serve)
		api.Any(l.prefix+"/*", serve)
	}
}

// serve is the one way in: parse, find the route, ask the gate, answer. labels
// are what metrics call the paths, by kind.
func (h *Handler) serve(c echo.Context, l level, labels *[kindCount]string) error {
	r := c.Request()
	_, rest, err := serve.SplitAddress(r.URL, "/packages/maven")
	if err != nil {
		return err
	}
	path, err := ParsePath(rest)
	if err != nil {
		return err
	}
	c.SetPath(labels[path.Kind])
	method := r.Method
	switch method {
	case http.MethodHead:
		method = http.MethodGet
	case http.MethodOptions:
		return h.answerOptions(c, l, path.Kind)
	}
	route, ok := h.routes[routeKey{method, path.Kind}]
	if !ok {
		return h.errMethod(c, l, path.Kind)
	}
	req := &request{level: l, path: path, action: route.action}
	if err := h.admit(c, req); err != nil {
		return err
	}
	return route.handle(h, c, req)
}

// answerOptions tells the methods, and with no DAV header that WebDAV is not
// spoken: the resolver looks for it (maven.md 5.1).
func (h *Handler) answerOptions(c echo.Context, l level, kind Kind) error {
	c.Response().Header().Set("Allow", h.allowed(l, kind))
	return c.NoContent(http.StatusNoContent)
}

// allowed are the methods of a kind of path, for the Allow header.
func (h *Handler) allowed(l level, kind Kind) string {
	methods := []string{http.MethodOptions}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		if _, ok := h.routes[routeKey{method, kind}]; !ok || (l != projectLevel && method != http.MethodGet) {
			continue
		}
		methods = append(methods, method)
		if method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	slices.Sort(methods)
	return strings.Join(methods, ", ")
}

// errMethod is 405: the kinds of failure have none for it, because for all other
// formats only the router knows of methods.
func (h *Handler) errMethod(c echo.Context, l level, kind Kind) error {
	c.Response().Header().Set("Allow", h.allowed(l, kind))
	return echo.NewHTTPError(http.StatusMethodNotAllowed)
}

// admit is the gate: it finds who asks and where, and lets the request through
// or not. What reads at group or instance level meets the gate again for each
// project that has the package: see find.
func (h *Handler) admit(c echo.Context, req *request) error {
	var err error
	if req.identity, err = auth.Require(c, req.action); err != nil {
		return err
	}
	switch req.level {
	case projectLevel:
		return h.admitProject(c, req)
	case groupLevel:
		if err := h.admitGroup(c, req); err != nil {
			return err
		}
	}
	if req.action == auth.Read {
		return nil
	}
	if req.identity.IsAnonymous() {
		return auth.ErrCredentialNeeded()
	}
	return h.errMethod(c, req.level, req.path.Kind)
}

func (h *Handler) admitProject(c echo.Context, req *request) error {
	ref, err := serve.DecodeRef(c.Param("project"))
	if err != nil {
		return err
	}
	req.project, err = h.packages.Project(c.Request().Context(), ref)
	if err != nil {
		return auth.Hide(req.identity, err)
	}
	return auth.Allow(req.identity, req.action, req.project)
}

func (h *Handler) admitGroup(c echo.Context, req *request) error {
	ref, err := serve.DecodeRef(c.Param("group"))
	if err != nil {
		return err
	}
	req.group, err = h.packages.Group(c.Request().Context(), ref)
	return auth.Hide(req.identity, err)
}
