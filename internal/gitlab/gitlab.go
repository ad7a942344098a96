package gitlab

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// Options set a Handler up.
type Options struct {
	// ExternalURL is the base of every URL in answers, without a slash at its
	// end; it may hold a path prefix.
	ExternalURL string
	// Version of this program; it is shown in the API's revision.
	Version string
}

// Handler answers the management API.
type Handler struct {
	packages *registry.Service
	tokens   *auth.Service
	links    links
	version  string
}

// New makes a Handler.
func New(svc *registry.Service, tokens *auth.Service, o Options) *Handler {
	return &Handler{packages: svc, tokens: tokens, links: links{base: strings.TrimRight(o.ExternalURL, "/")}, version: o.Version}
}

// handlerFunc answers a call of an identity that passed the route's gate.
type handlerFunc func(h *Handler, c echo.Context, id *auth.Identity) error

// route is a row of the table. Guests are anonymous callers: where they may
// enter, the handler shows them what is public, and hides the rest like what
// does not exist.
type route struct {
	auth.Route
	guests bool
	handle handlerFunc
}

const (
	userOnly = false
	guests   = true
)

func row(method, pattern string, action auth.Action, admitsGuests bool, handle handlerFunc) route {
	return route{auth.Route{Method: method, Pattern: pattern, Action: action}, admitsGuests, handle}
}

// table is every route of the API.
var table = []route{
	row(http.MethodGet, "/version", auth.ReadAPI, userOnly, (*Handler).getVersion),
	row(http.MethodGet, "/metadata", auth.ReadAPI, userOnly, (*Handler).getMetadata),
	row(http.MethodGet, "/user", auth.ReadAPI, userOnly, (*Handler).getUser),

	row(http.MethodGet, "/personal_access_tokens/self", auth.ReadAPI, userOnly, (*Handler).getOwnToken),
	// A token may always end itself, whatever its scope, so that whoever finds
	// a leaked one can disarm it.
	row(http.MethodDelete, "/personal_access_tokens/self", auth.SignedIn, userOnly, (*Handler).deleteOwnToken),
	row(http.MethodPost, "/personal_access_tokens/self/rotate", auth.WriteAPI, userOnly, (*Handler).rotateOwnToken),

	row(http.MethodGet, "/deploy_tokens", auth.ReadAPI, userOnly, (*Handler).listAllTokens),
	row(http.MethodGet, "/projects/:project/deploy_tokens", auth.ReadAPI, guests, listTokens(ofProject)),
	row(http.MethodPost, "/projects/:project/deploy_tokens", auth.WriteAPI, guests, createToken(ofProject)),
	row(http.MethodGet, "/projects/:project/deploy_tokens/:token", auth.ReadAPI, guests, getToken(ofProject)),
	row(http.MethodDelete, "/projects/:project/deploy_tokens/:token", auth.WriteAPI, guests, deleteToken(ofProject)),
	row(http.MethodGet, "/groups/:group/deploy_tokens", auth.ReadAPI, guests, listTokens(ofGroup)),
	row(http.MethodPost, "/groups/:group/deploy_tokens", auth.WriteAPI, guests, createToken(ofGroup)),
	row(http.MethodGet, "/groups/:group/deploy_tokens/:token", auth.ReadAPI, guests, getToken(ofGroup)),
	row(http.MethodDelete, "/groups/:group/deploy_tokens/:token", auth.WriteAPI, guests, deleteToken(ofGroup)),

	row(http.MethodGet, "/projects", auth.ReadAPI, guests, (*Handler).listProjects),
	row(http.MethodPost, "/projects", auth.WriteAPI, userOnly, (*Handler).createProject),
	row(http.MethodGet, "/projects/:project", auth.ReadAPI, guests, (*Handler).getProject),
	row(http.MethodPut, "/projects/:project", auth.WriteAPI, guests, (*Handler).updateProject),
	row(http.MethodDelete, "/projects/:project", auth.WriteAPI, guests, (*Handler).deleteProject),

	row(http.MethodGet, "/groups", auth.ReadAPI, guests, (*Handler).listGroups),
	row(http.MethodPost, "/groups", auth.WriteAPI, userOnly, (*Handler).createGroup),
	row(http.MethodGet, "/groups/:group", auth.ReadAPI, guests, (*Handler).getGroup),
	row(http.MethodDelete, "/groups/:group", auth.WriteAPI, guests, (*Handler).deleteGroup),
	row(http.MethodGet, "/groups/:group/projects", auth.ReadAPI, guests, (*Handler).listGroupProjects),
	row(http.MethodGet, "/groups/:group/subgroups", auth.ReadAPI, guests, (*Handler).listSubgroups),
	row(http.MethodGet, "/namespaces/:group", auth.ReadAPI, userOnly, (*Handler).getNamespace),
}

// Routes lists every route with its action.
func (h *Handler) Routes() []auth.Route {
	routes := make([]auth.Route, len(table))
	for i, r := range table {
		routes[i] = r.Route
	}
	return routes
}

// Mount registers the routes below /api/v4.
func (h *Handler) Mount(api *echo.Group) {
	for _, r := range table {
		api.Add(r.Method, r.Pattern, h.gate(r))
	}
}

// gate lets a call in by the action that its route declares.
func (h *Handler) gate(r route) echo.HandlerFunc {
	return func(c echo.Context) error {
		id, err := auth.Require(c, r.Action)
		if err != nil {
			return refused(c, err)
		}
		if err := admit(id, r); err != nil {
			return err
		}
		return r.handle(h, c, id)
	}
}
