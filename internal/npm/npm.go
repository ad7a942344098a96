package npm

import (
	"net/http"
	"net/url"
	"strconv"

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
	Tarballs    TarballForm // canonical when empty
	// MaxUpload bounds a tarball, in bytes; 500 MiB when 0.
	MaxUpload int64
	// RedirectMin sends clients to the bucket for tarballs of at least this many
	// bytes, when the bucket can sign addresses; 0 never does.
	RedirectMin int64
	// Confusion says what happens to manifests that differ from their tarball.
	Confusion ConfusionMode
	// Hosts are the registries with a host name of their own.
	Hosts []Host
	// Signer signs published versions; none are signed when nil.
	Signer *Signer
}

// Handler serves the npm registry protocol at project, group and instance
// level.
type Handler struct {
	packages *registry.Service
	tokens   *auth.Service
	opts     Options
	routes   map[routeKey]route
	hosts    map[string]string // host name to escaped prefix
	// pathPrefix is the path of the external URL, which old clients double along
	// with the rest of a registry's address.
	pathPrefix string
}

// level is where in the namespace tree a registry address lies.
type level int

const (
	projectLevel level = iota
	groupLevel
	instanceLevel
)

// levels are the addresses of gitlab.md 3.1. A group address covers all projects
// below the group, the instance address those below the group that is called
// like the package's scope.
var levels = []struct {
	level  level
	prefix string
}{
	{projectLevel, "/projects/:project/packages/npm"},
	{groupLevel, "/groups/:group/-/packages/npm"},
	{instanceLevel, "/packages/npm"},
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
	base     string // the registry's address as requested, without a final slash
	path     Path
	action   auth.Action
	identity *auth.Identity
	project  registry.Project // at project level, decided by the gate
	group    registry.Group   // at group level
}

// New makes a Handler; a route without an action is an error.
func New(packages *registry.Service, tokens *auth.Service, o Options) (*Handler, error) {
	if o.MaxUpload == 0 {
		o.MaxUpload = 500 << 20
	}
	h := &Handler{packages: packages, tokens: tokens, opts: o, routes: routeTable(), hosts: map[string]string{}}
	if external, err := url.Parse(o.ExternalURL); err == nil {
		h.pathPrefix = external.EscapedPath()
	}
	for _, host := range o.Hosts {
		h.hosts[host.Name] = host.prefix()
	}
	return h, auth.CheckRoutes(h.Routes())
}

// routeTable is every route below a registry's address. GET answers HEAD too.
func routeTable() map[routeKey]route {
	const get, put, post, del = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete
	return map[routeKey]route{
		{get, KindRoot}:          {auth.Open, (*Handler).getRoot},
		{get, KindPing}:          {auth.Open, (*Handler).getPing},
		{get, KindWhoami}:        {auth.SignedIn, (*Handler).getWhoami},
		{get, KindProfile}:       {auth.SignedIn, (*Handler).getProfile},
		{post, KindProfile}:      {auth.SignedIn, (*Handler).refuseAccountChange},
		{get, KindTokens}:        {auth.SignedIn, (*Handler).listTokens},
		{post, KindTokens}:       {auth.SignedIn, (*Handler).refuseAccountChange},
		{del, KindToken}:         {auth.SignedIn, (*Handler).refuseAccountChange},
		{del, KindLogout}:        {auth.SignedIn, (*Handler).deleteSession},
		{put, KindUser}:          {auth.Open, (*Handler).putUser},
		{put, KindUserRev}:       {auth.Open, (*Handler).putUser},
		{get, KindUser}:          {auth.SignedIn, (*Handler).getUser},
		{get, KindKeys}:          {auth.Open, (*Handler).getKeys},
		{post, KindAuditBulk}:    {auth.Read, (*Handler).postBulkAudit},
		{post, KindAuditQuick}:   {auth.Read, (*Handler).postAudit},
		{post, KindAudits}:       {auth.Read, (*Handler).postAudit},
		{get, KindSearch}:        {auth.Read, (*Handler).getSearch},
		{get, KindStarred}:       {auth.Read, (*Handler).getStarred},
		{get, KindStar}:          {auth.Read, (*Handler).getStar},
		{put, KindStar}:          {auth.Read, (*Handler).putStar},
		{del, KindStar}:          {auth.Read, (*Handler).putStar},
		{get, KindOrgPackages}:   {auth.Read, (*Handler).getOrgPackages},
		{get, KindUserPackages}:  {auth.Read, (*Handler).getUserPackages},
		{get, KindVisibility}:    {auth.Read, (*Handler).getVisibility},
		{get, KindCollaborators}: {auth.Read, (*Handler).getCollaborators},
		{post, KindAccess}:       {auth.Read, (*Handler).refuseAccess},

		{get, KindPackument}:    {auth.Read, (*Handler).getPackument},
		{get, KindVersion}:      {auth.Read, (*Handler).getVersion},
		{get, KindTarball}:      {auth.Read, (*Handler).getTarball},
		{get, KindDistTags}:     {auth.Read, (*Handler).getDistTags},
		{put, KindDistTag}:      {auth.Tag, (*Handler).putDistTag},
		{post, KindDistTag}:     {auth.Tag, (*Handler).putDistTag},
		{del, KindDistTag}:      {auth.Deprecate, (*Handler).deleteDistTag},
		{put, KindPackument}:    {auth.Publish, (*Handler).putPackument},
		{put, KindPackumentRev}: {auth.Publish, (*Handler).putPackument},
		{del, KindPackumentRev}: {auth.Delete, (*Handler).deletePackage},
		{del, KindPackument}:    {auth.Delete, (*Handler).deletePackage},
		{del, KindTarball}:      {auth.Delete, (*Handler).deleteTarball},
		{del, KindTarballRev}:   {auth.Delete, (*Handler).deleteTarball},
		{put, KindBatchPublish}: {auth.Publish, (*Handler).putBatch},
	}
}

// Format is npm.
func (h *Handler) Format() registry.Format { return registry.NPM }

// Routes lists every route with its action, at every level.
func (h *Handler) Routes() []auth.Route {
	var all []auth.Route
	for _, l := range levels {
		for key, r := range h.routes {
			all = append(all, auth.Route{Method: key.method, Pattern: l.prefix + key.kind.Pattern(), Action: r.action})
		}
	}
	return all
}

// Mount registers the registry's addresses. What lies below them is not matched
// by echo but parsed once, from the escaped path: a scope's slash may be escaped
// or not, and a router that decodes would merge the two.
func (h *Handler) Mount(api *echo.Group) {
	for _, l := range levels {
		var patterns [kindCount]string
		for kind := range patterns {
			patterns[kind] = "/api/v4" + l.prefix + Kind(kind).Pattern()
		}
		serve := func(c echo.Context) error { return h.serve(c, l.level, &patterns) }
		api.Any(l.prefix, serve)
		api.Any(l.prefix+"/*", serve)
	}
}

// serve is the one way in: parse, find the route, ask the gate, answer.
// patterns are the labels of what may be asked for, by kind.
func (h *Handler) serve(c echo.Context, l level, patterns *[kindCount]string) error {
	r := c.Request()
	prefix, rest, err := serve.SplitAddress(r.URL, "/packages/npm")
	if err != nil {
		return err
	}
	path, err := ParsePath(h.pathPrefix+prefix, rest)
	if err != nil {
		return err
	}
	c.SetPath(patterns[path.Kind])
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	route, ok := h.routes[routeKey{method, path.Kind}]
	if !ok {
		return registry.Errorf(registry.NotFound, "%s is not supported here", r.Method)
	}
	req := &request{level: l, base: h.base(r.Context(), prefix), path: path, action: route.action}
	if err := h.admit(c, req); err != nil {
		return err
	}
	return route.handle(h, c, req)
}

// admit is the gate: it finds who asks and where, and lets the request through
// or not. What reads at group or instance level meets the gate again for each
// project that has the package: see find.
func (h *Handler) admit(c echo.Context, req *request) error {
	var err error
	if req.identity, err = auth.Require(c, req.action); err != nil {
		return err
	}
	if req.action == auth.Open || req.action == auth.SignedIn {
		return nil
	}
	switch req.level {
	case projectLevel:
		return h.admitProject(c, req)
	case groupLevel:
		if err := h.admitGroup(c, req); err != nil {
			return err
		}
	}
	return h.admitChange(c, req)
}

// admitChange decides about changes at group and instance level, before the body
// is read: by the project that has the package.
func (h *Handler) admitChange(c echo.Context, req *request) error {
	if req.action == auth.Read {
		return nil
	}
	if req.identity.IsAnonymous() {
		return auth.ErrCredentialNeeded()
	}
	if req.path.Name.IsZero() {
		return h.errPublishHere()
	}
	_, err := h.target(c.Request().Context(), req, req.action)
	if registry.KindOf(err) == registry.NotFound && req.action == auth.Publish {
		return h.errPublishHere()
	}
	return err
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
	err = auth.Allow(req.identity, req.action, req.project)
	if err != nil && h.maySendMetadata(c, req) {
		return nil
	}
	return err
}

func (h *Handler) admitGroup(c echo.Context, req *request) error {
	ref, err := serve.DecodeRef(c.Param("group"))
	if err != nil {
		return err
	}
	req.group, err = h.packages.Group(c.Request().Context(), ref)
	return auth.Hide(req.identity, err)
}

// WriteError writes npm's error document: npm prints error or message, yarn 1
// tries error first, and neither is sent a challenge, because npm would then
// hide the text behind one of its own (npm.md 1.6).
func (h *Handler) WriteError(c echo.Context, status int, message string) error {
	if message == "" {
		message = http.StatusText(status)
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(status, errorDocument{Error: message, Message: message})
}

func formatID(id int64) string { return strconv.FormatInt(id, 10) }
