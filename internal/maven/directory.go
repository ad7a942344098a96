package maven

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// keysAtOnce is how many package keys are read at a time.
const keysAtOnce = 500

// lastRune ends the range of all keys.
const lastRune = "\U0010FFFF"

// filter selects the packages that the address covers and the caller may read.
// At project level the gate has decided already.
func (h *Handler) filter(req *request) registry.PackageFilter {
	if req.level == projectLevel {
		return h.ownFilter(req)
	}
	return registry.PackageFilter{Readers: req.identity.Readers(), Span: req.span(), Format: registry.Maven}
}

// childNamesIn gives the names right below a directory, the empty one being the
// root, or, with a depth above 1, the paths of so many segments. It reads a few
// keys for each name, however many packages lie below it.
func (h *Handler) childNamesIn(ctx context.Context, f registry.PackageFilter, dir string, depth, limit int) (names []string, truncated bool, err error) {
	from, to := "", lastRune
	if dir != "" {
		from, to = dir+"/", dir+"0" // "0" follows the slash
	}
	base := len(from)
	seen := map[string]bool{}
	for {
		keys, err := h.packages.PackageKeys(ctx, f, from, to, keysAtOnce)
		if err != nil {
			return nil, false, err
		}
		for _, key := range keys {
			name := firstSegments(key[base:], depth)
			if seen[name] {
				continue
			}
			if len(names) == limit {
				return names, true, nil
			}
			seen[name] = true
			names = append(names, name)
		}
		if len(keys) < keysAtOnce {
			return names, false, nil
		}
		last := keys[len(keys)-1]
		if from = last + " "; len(last) > base+len(firstSegments(last[base:], depth)) { // below the name: skip the rest
			from = last[:base] + firstSegments(last[base:], depth) + "0"
		}
	}
}

// firstSegments is the beginning of a path, at most n segments.
func firstSegments(path string, n int) string {
	end := 0
	for ; n > 0; n-- {
		i := strings.IndexByte(path[end:], '/')
		if i < 0 {
			return path
		}
		end += i + 1
	}
	return path[:end-1]
}

// isDirectory tells whether anything that the caller may read lies below a path.
func (h *Handler) isDirectory(ctx context.Context, req *request) (bool, error) {
	segments := req.path.Segments
	path := strings.Join(segments, "/")
	keys, err := h.packages.PackageKeys(ctx, h.filter(req), path, path+"0", 1)
	if err != nil {
		return false, err
	}
	if len(keys) > 0 && (keys[0] == path || strings.HasPrefix(keys[0], path+"/")) {
		return true, nil
	}
	if len(keys) > 0 { // path-x sorts between path and path/
		keys, err = h.packages.PackageKeys(ctx, h.filter(req), path+"/", path+"0", 1)
		if err != nil || len(keys) > 0 {
			return len(keys) > 0, err
		}
	}
	if len(segments) < 3 {
		return false, nil
	}
	all, err := h.find(ctx, req, strings.Join(segments[:len(segments)-1], "/"))
	if err != nil {
		return false, err
	}
	for _, f := range all {
		v, err := h.packages.Version(ctx, f.head.ID, segments[len(segments)-1])
		if err == nil && v.Status != registry.Deleted {
			seen, err := h.sees(ctx, req, f, v.Version, "")
			if err != nil || seen {
				return seen, err
			}
		}
		if unlessNotFound(err) != nil {
			return false, err
		}
	}
	return false, nil
}

// getShort answers GET of a path that is too short for a file: a directory whose
// slash was left away.
func (h *Handler) getShort(c echo.Context, req *request) error {
	if req.path.Checksum != "" {
		return req.errAbsent()
	}
	is, err := h.hasListings(c.Request().Context(), req)
	if err == nil && is {
		is, err = h.isDirectory(c.Request().Context(), req)
	}
	if err != nil || !is {
		return cmp.Or(err, req.errAbsent())
	}
	// Relative, so that it holds behind every proxy.
	c.Response().Header().Set("Cache-Control", "no-store")
	c.Response().Header().Set("Location", "./"+escapeSegment(req.path.File)+"/")
	return c.NoContent(http.StatusMovedPermanently)
}

// mayBeDirectory tells whether an absent file could be a directory that was asked
// for without its slash. Clients look for many files in vain, and this saves
// them the time to find out.
func mayBeDirectory(name string) bool {
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "jar", "pom", "xml", "module", "asc", "war", "aar", "zip", "gz":
		return false
	}
	return true
}
