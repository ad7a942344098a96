package npm

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"pakhus/internal/registry"
)

// Host is a registry that has a host name of its own, so that its address has no
// path: several clients treat those best (npm.md 2.3).
type Host struct {
	Name  string // as clients send it in Host, with the port unless it is the scheme's own
	Group bool   // a group's registry; else a project's
	Path  string // full path of the group or project
}

// ParseHosts reads NAME=projects/FULL/PATH and NAME=groups/FULL/PATH, separated
// by commas or blanks. Anything else is Invalid.
func ParseHosts(text string) ([]Host, error) {
	var hosts []Host
	for _, item := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
		name, target, ok := strings.Cut(item, "=")
		kind, path, slash := strings.Cut(target, "/")
		if !ok || !slash || name == "" || path == "" || strings.ContainsAny(name, "/@?#") || (kind != "projects" && kind != "groups") {
			return nil, registry.Errorf(registry.Invalid, "%q is not HOST=projects/FULL/PATH or HOST=groups/FULL/PATH", item)
		}
		hosts = append(hosts, Host{Name: strings.ToLower(name), Group: kind == "groups", Path: path})
	}
	return hosts, nil
}

// prefix is the escaped path that the host stands for.
func (t Host) prefix() string {
	if t.Group {
		return "/api/v4/groups/" + url.PathEscape(t.Path) + "/-/packages/npm"
	}
	return "/api/v4/projects/" + url.PathEscape(t.Path) + "/packages/npm"
}

// ownHost is the context key of the base address of a registry with a host name
// of its own.
type ownHost struct{}

// Rewrite sends a request for one of the hosts to the registry that the host
// stands for. The name comes from the settings, not from the client: a Host
// header only chooses among them. All other requests stay as they are.
func (h *Handler) Rewrite(r *http.Request) *http.Request {
	prefix, ok := h.hosts[strings.ToLower(r.Host)]
	if !ok {
		return r
	}
	raw := prefix + r.URL.EscapedPath()
	path, err := url.PathUnescape(raw)
	if err != nil { // net/http has parsed it already
		return r
	}
	base := h.scheme() + "://" + strings.ToLower(r.Host)
	r = r.WithContext(context.WithValue(r.Context(), ownHost{}, base))
	address := *r.URL
	address.Path, address.RawPath = path, raw
	r.URL = &address
	return r
}

func (h *Handler) scheme() string {
	scheme, _, _ := strings.Cut(h.opts.ExternalURL, "://")
	return scheme
}

// base is the registry address that a request used, without a final slash. The
// prefix is the client's own spelling of the project (an id or an escaped
// path), because clients compare addresses byte for byte; scheme and host are
// configured ones, never a header's.
func (h *Handler) base(ctx context.Context, escapedPrefix string) string {
	if own, ok := ctx.Value(ownHost{}).(string); ok {
		return own
	}
	return h.opts.ExternalURL + escapedPrefix
}
