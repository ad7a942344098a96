package nuget

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

// Options set a Handler up.
type Options struct {
	// ExternalURL is the base of every address that we emit, without a final
	// slash. It may hold a path prefix.
	ExternalURL string
	// MaxUpload bounds a package, in bytes; 500 MiB when 0.
	MaxUpload int64
}

// Handler serves NuGet feeds at project and group level.
type Handler struct {
	packages *registry.Service
	opts     Options
	routes   map[routeKey]route
}

// level is where in the namespace tree a feed lies.
type level int

const (
	projectLevel level = iota
	groupLevel
)

// levels are the addresses of gitlab.md 4.1. A group's feed covers all projects
// below the group.
var levels = []struct {
	level  level
	prefix string
}{
	{projectLevel, "/projects/:project/packages/nuget"},
	{groupLevel, "/groups/:group/-/packages/nuget"},
}

type routeKey struct {
	method string
	kind   Kind
}

// route is one row of the route table.
type route struct {
	action  auth.Action
	pattern string
	handle  func(*Handler, echo.Context, *request) error
}

// request is what a handler works on: everything the address said, typed, and
// who asks.
type request struct {
	level    level
	base     string // the feed's address as requested, without a final slash
	path     Path
	action   auth.Action
	identity *auth.Identity
	project  registry.Project // at project level, decided by the gate
	group    registry.Group   // at group level
}

// New makes a Handler; a route without an action is an error.
func New(packages *registry.Service, o Options) (*Handler, error) {
	if o.MaxUpload == 0 {
		o.MaxUpload = 500 << 20
	}
	h := &Handler{packages: packages, opts: o, routes: routeTable()}
	return h, auth.CheckRoutes(h.Routes())
}

// routeTable is every route below a feed's address. GET answers HEAD too. The
// index is open also where the feed is not: a client that has nothing but an API
// key reads it before it pushes (nuget.md 13.4).
func routeTable() map[routeKey]route {
	const get, put, post, del = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete
	return map[routeKey]route{
		{get, KindIndex}:            {auth.Open, "/index.json", (*Handler).getIndex},
		{get, KindRegistration}:     {auth.Read, "/metadata/:id/index.json", (*Handler).getRegistration},
		{get, KindRegistrationPage}: {auth.Read, "/metadata/:id/page/:lower/:upper", (*Handler).getRegistrationPage},
		{get, KindRegistrationLeaf}: {auth.Read, "/metadata/:id/:version", (*Handler).getRegistrationLeaf},
		{get, KindList}:             {auth.Read, "/download/:id/index.json", (*Handler).getList},
		{get, KindFile}:             {auth.Read, "/download/:id/:version/:nupkg", (*Handler).getFile},
		{get, KindSearch}:           {auth.Read, "/query", (*Handler).getSearch},
		{get, KindAutocomplete}:     {auth.Read, "/autocomplete", (*Handler).getAutocomplete},
		{del, KindVersion}:          {auth.Delete, "/:id/:version", (*Handler).deleteVersion},
		{post, KindVersion}:         {auth.Deprecate, "/:id/:version", (*Handler).postVersion},
		{put, KindDeprecations}:     {auth.Deprecate, "/:id/deprecations", (*Handler).putDeprecations},
		{put, KindPush}:             {auth.Publish, "", (*Handler).putPackage},
		{post, KindPush}:            {auth.Publish, "", (*Handler).putPackage},
		{put, KindSymbolPush}:       {auth.Publish, "/symbolpackage", (*Handler).putSymbols},
		{post, KindSymbolPush}:      {auth.Publish, "/symbolpackage", (*Handler).putSymbols},
		// Open to all, and decided for each file: see getSymbol.
		{get, KindSymbol}: {auth.Open, "/symbolfiles/:pdb/:key/:pdb", (*Handler).getSymbol},

		{get, KindV2Service}:  {auth.Read, "/v2", (*Handler).getV2Service},
		{get, KindV2Metadata}: {auth.Open, "/v2/$metadata", (*Handler).getV2Metadata},
		{get, KindV2Entry}:    {auth.Read, "/v2/Packages(Id=':id',Version=':version')", (*Handler).getV2Entry},
		{get, KindV2List}:     {auth.Read, "/v2/:list", (*Handler).getV2List},
		{get, KindV2Count}:    {auth.Read, "/v2/:list/$count", (*Handler).getV2Count},
		{get, KindV2Newest}:   {auth.Read, "/v2/package/:id", (*Handler).getV2Newest},
		{get, KindV2Download}: {auth.Read, "/v2/package/:id/:version", (*Handler).getFile},
		{get, KindV2IDs}:      {auth.Read, "/v2/package-ids", (*Handler).getV2IDs},
		{get, KindV2Versions}: {auth.Read, "/v2/package-versions/:id", (*Handler).getV2Versions},
	}
}

// Format is NuGet.
func (h *Handler) Format() registry.Format { return registry.NuGet }

// Routes lists every route with its action, at every level.
func (h *Handler) Routes() []auth.Route {
	var all []auth.Route
	for _, l := range levels {
		for key, r := range h.routes {
			all = append(all, auth.Route{Method: key.method, Pattern: l.prefix + r.pattern, Action: r.action})
		}
	}
	return all
}

// Mount registers the feed's addresses. What lies below them is not matched by
// echo but parsed once, from the escaped path: see ParsePath.
func (h *Handler) Mount(api *echo.Group) {
	for _, l := range levels {
		var labels [kindCount]string
		for key, r := range h.routes {
			labels[key.kind] = "/api/v4" + l.prefix + r.pattern
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
	// Addresses in documents begin with the client's own spelling: it sends its
	// credential at once only below the folder of the index that it was given
	// (nuget.md 1).
	prefix, rest, err := serve.SplitAddress(r.URL, mark)
	if err != nil {
		return err
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	path, err := ParsePath(method, rest)
	route, ok := h.routes[routeKey{method, path.Kind}]
	if err != nil || !ok {
		return errNoMethod(c, rest, err)
	}
	c.SetPath(labels[path.Kind])
	req := &request{level: l, base: h.opts.ExternalURL + prefix, path: path, action: route.action}
	if err := h.admit(c, req); err != nil {
		return err
	}
	return route.handle(h, c, req)
}

// errNoMethod is 405 for what another method would find, else NotFound.
func errNoMethod(c echo.Context, rest string, err error) error {
	if err == nil {
		err = errNoRoute
	}
	allowed := allowedMethods(rest)
	if registry.KindOf(err) != registry.NotFound || len(allowed) == 0 {
		return err
	}
	c.Response().Header().Set("Allow", strings.Join(allowed, ", "))
	return echo.NewHTTPError(http.StatusMethodNotAllowed)
}

// admit is the gate: it finds who asks and where, and lets the request through
// or not. What reads at group level meets the gate again for each project that
// has the package: see find.
func (h *Handler) admit(c echo.Context, req *request) error {
	var err error
	if req.identity, err = auth.RequireNamed(c, req.action); err != nil {
		return err
	}
	if req.level == groupLevel {
		return h.admitGroup(c, req)
	}
	ref, err := serve.DecodeRef(c.Param("project"))
	if err != nil {
		return err
	}
	req.project, err = h.packages.Project(c.Request().Context(), ref)
	if req.action == auth.Open {
		return err
	}
	if err != nil {
		return auth.Hide(req.identity, err)
	}
	return auth.Allow(req.identity, req.action, req.project)
}

// admitGroup finds the group of a feed. Who asks without a credential is asked
// for one, even where all is public: a client that never sees a challenge never
// sends its credential, and private members would stay hidden from it
// (nuget.md 13.1).
func (h *Handler) admitGroup(c echo.Context, req *request) error {
	if req.action != auth.Open && req.identity.IsAnonymous() {
		return auth.ErrCredentialNeeded()
	}
	ref, err := serve.DecodeRef(c.Param("group"))
	if err != nil {
		return err
	}
	if req.group, err = h.packages.Group(c.Request().Context(), ref); err != nil {
		return err
	}
	if req.action != auth.Open && req.action != auth.Read {
		return registry.Errorf(registry.Forbidden,
			"403 Forbidden - packages are changed at the address of a project, %s/api/v4/projects/<id>/packages/nuget/index.json, not of a group", h.opts.ExternalURL)
	}
	return nil
}

// WriteError writes a short text. Clients print the status line and not the
// body, so refused changes carry the text in a warning as well, which is printed
// (nuget.md 7.1). A request for credentials that the client answers by itself is
// nothing to warn of, and a missing package is the daily bread of restores.
func (h *Handler) WriteError(c echo.Context, status int, message string) error {
	if message == "" {
		message = http.StatusText(status)
	}
	header := c.Response().Header()
	if status == http.StatusUnauthorized {
		header.Set("Www-Authenticate", auth.Challenge)
	}
	r := c.Request()
	if isV2(r) {
		return writeV2Error(c, status, message)
	}
	asked := status == http.StatusUnauthorized && r.Header.Get("Authorization") == "" && r.Header.Get("X-Nuget-Apikey") == ""
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !asked {
		warn(header, message)
	}
	return c.String(status, message+"\n")
}
