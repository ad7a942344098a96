package maven

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

// checkPlace refuses before the body is read: unmet conditions, and places where
// no file can be.
func (h *Handler) checkPlace(c echo.Context, req *request, at target) error {
	r := c.Request()
	if !conditionsHold(r.Header, at.file) {
		return errCondition()
	}
	if at.file.ID != 0 {
		return nil
	}
	if _, err := h.decide(r.Context(), req, at); err != nil {
		return err
	}
	return h.checkClash(r.Context(), req, at)
}

// errCondition is 412, for which the kinds of failure have none: no other format
// has it.
func errCondition() error { return echo.NewHTTPError(http.StatusPreconditionFailed) }

// isConditional tells whether a request has conditions.
func isConditional(header http.Header) bool {
	return header.Get("If-Match") != "" || header.Get("If-None-Match") != ""
}

// conditionsHold evaluates If-Match and If-None-Match, by which scripts compare
// and swap.
func conditionsHold(header http.Header, file registry.File) bool {
	etag := ""
	if file.ID != 0 {
		etag = serve.ETag(file.Blob.Digest())
	}
	if want := header.Get("If-Match"); want != "" && !listsTag(want, etag) {
		return false
	}
	if not := header.Get("If-None-Match"); not != "" && listsTag(not, etag) {
		return false
	}
	return true
}

func listsTag(list, etag string) bool {
	if etag == "" {
		return false
	}
	for tag := range strings.SplitSeq(list, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == etag {
			return true
		}
	}
	return false
}

// checkClash refuses a file where a directory is, and a directory where a file
// is: no file system could hold the repository.
func (h *Handler) checkClash(ctx context.Context, req *request, at target) error {
	path := req.path.String()
	below, err := h.packages.PackageKeys(ctx, h.ownFilter(req), path, path+"0", 1) // "0" follows the slash
	if err != nil {
		return err
	}
	isDirectory := len(below) > 0 && (below[0] == path || strings.HasPrefix(below[0], path+"/"))
	if !isDirectory {
		if isDirectory, err = h.isVersion(ctx, req, req.path.Package+"/"+req.path.Version, req.path.File); err != nil {
			return err
		}
	}
	if isDirectory {
		return registry.Errorf(registry.Invalid, "%s is a directory that holds files", path)
	}
	if at.version.ID != 0 {
		return nil
	}
	return h.checkAbove(ctx, req)
}

// checkAbove refuses a new version below a file.
func (h *Handler) checkAbove(ctx context.Context, req *request) error {
	dirs := req.path.Segments[:len(req.path.Segments)-1]
	for n := 4; n <= len(dirs); n++ {
		head, err := h.packages.Package(ctx, req.project.ID, registry.Maven, strings.Join(dirs[:n-2], "/"))
		if err == nil {
			_, err = h.packages.VersionFile(ctx, head, dirs[n-2], dirs[n-1])
		}
		if err == nil {
			return registry.Errorf(registry.Invalid, "%s is a file: nothing can lie below it", strings.Join(dirs[:n], "/"))
		}
		if registry.KindOf(err) != registry.NotFound {
			return err
		}
	}
	return nil
}

// isVersion tells whether the project has files in a version's directory.
func (h *Handler) isVersion(ctx context.Context, req *request, name, version string) (bool, error) {
	head, err := h.packages.Package(ctx, req.project.ID, registry.Maven, name)
	if err == nil {
		var v registry.Version
		v, err = h.packages.Version(ctx, head.ID, version)
		if err == nil {
			return v.Status != registry.Deleted, nil
		}
	}
	if registry.KindOf(err) == registry.NotFound {
		return false, nil
	}
	return false, err
}

// ownFilter selects the packages of the project itself, which the gate opened.
func (h *Handler) ownFilter(req *request) registry.PackageFilter {
	return registry.PackageFilter{Readers: registry.Readers{Projects: []int64{req.project.ID}}, Span: registry.Span{ProjectID: req.project.ID}, Format: registry.Maven}
}
