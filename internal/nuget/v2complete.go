package nuget

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// getV2Newest answers GET /v2/package/:id with the newest release, or where there
// is none, with the newest prerelease.
func (h *Handler) getV2Newest(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	all, err := h.find(ctx, req, req.path.ID)
	if err != nil {
		return err
	}
	versions, err := h.load(ctx, req.path.ID, all)
	if err != nil {
		return err
	}
	var newest Version
	for _, row := range versions {
		v, err := ParseVersion(row.Version)
		if err != nil || row.Status != registry.Listed {
			continue
		}
		if newest.Original() == "" || newest.IsPrerelease() || !v.IsPrerelease() {
			newest = v
		}
	}
	if newest.Original() == "" {
		return errNoPackage(req.path.ID)
	}
	req.path.Version = newest
	return h.sendStored(c, req, all, packageFile(req.path.ID.Key(), newest.Key()))
}

// getV2Versions answers GET /v2/package-versions/:id with a JSON array, which the
// console of Visual Studio completes versions from.
func (h *Handler) getV2Versions(c echo.Context, req *request) error {
	q, prerelease, err := parseV2Completion(c)
	if err != nil {
		return err
	}
	entries, _, err := h.v2Entries(c.Request().Context(), req, req.path.ID.Key(), q.semVer2)
	if err != nil {
		return err
	}
	versions := []string{}
	for _, e := range entries {
		if e.listed && (prerelease || !e.version.IsPrerelease()) {
			versions = append(versions, e.version.Full())
		}
	}
	return c.JSON(http.StatusOK, versions)
}

// maxV2Completions bounds the ids that are offered.
const maxV2Completions = 30

// getV2IDs answers GET /v2/package-ids with a JSON array of ids that begin as
// partialId does.
func (h *Handler) getV2IDs(c echo.Context, req *request) error {
	q, prerelease, err := parseV2Completion(c)
	if err != nil {
		return err
	}
	q.top = maxV2Completions
	l := h.newV2Packages(req, &v2Query{filter: v2StartsWith(q.text("partialId"))})
	l.pick = func(_ string, entries []*v2Entry) []*v2Entry {
		for _, e := range entries {
			if prerelease && e.absoluteLatest || !prerelease && e.latest {
				return []*v2Entry{e}
			}
		}
		return nil
	}
	page, err := h.readV2List(c.Request().Context(), req, q, l, newV2Cost(q))
	if err != nil {
		return err
	}
	ids := []string{}
	for _, e := range page.entries {
		ids = append(ids, e.ID)
	}
	return c.JSON(http.StatusOK, ids)
}

// v2StartsWith is the filter for ids that begin with a text.
func v2StartsWith(text string) odataExpr {
	id := &odataProperty{v2Schema["id"]}
	return &odataCall{name: "startswith", function: odataFunctions["startswith"], arguments: []odataExpr{id, newODataText(text)}}
}

func parseV2Completion(c echo.Context) (q *v2Query, prerelease bool, err error) {
	if q, err = parseV2Query(c.Request().URL.RawQuery); err != nil {
		return nil, false, err
	}
	prerelease, _, err = q.truth("includePrerelease")
	return q, prerelease, err
}
