package nuget

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

// v2Base is the address of the V2 feed, without a final slash.
func (req *request) v2Base() string { return req.base + "/v2" }

// getV2Service answers GET /v2: the service document, which clients recognise a
// V2 feed by. It tells nothing, but NuGet 2.8 shows its credential later only if
// this first request was refused: it must be a read like all others.
func (h *Handler) getV2Service(c echo.Context, req *request) error {
	return h.sendV2Fixed(c, req, "nuget/v2/service", "private", appendV2Service(nil, req.v2Base()))
}

// getV2Metadata answers GET /v2/$metadata, which is the same for everybody.
func (h *Handler) getV2Metadata(c echo.Context, req *request) error {
	return h.sendV2Fixed(c, req, "nuget/v2/metadata", "public", appendV2Metadata(nil))
}

// sendV2Fixed sends a document that is about no package.
func (h *Handler) sendV2Fixed(c echo.Context, req *request, kind, caching string, body []byte) error {
	key := registry.DocumentKey{Kind: kind, Base: req.base}
	setV2Version(c)
	return serve.Document(c, &registry.Document{Body: body, ETag: key.ETag()}, serve.DocumentMeta{
		ContentType: v2ServiceType, CacheControl: caching + ", max-age=0, must-revalidate",
	})
}

// setV2Version says which version of OData the answer is in; clients from 2.x on
// read it.
func setV2Version(c echo.Context) { c.Response().Header().Set("Dataserviceversion", "2.0;") }

// getV2Entry answers GET /v2/Packages(Id='..',Version='..'), with any spelling of
// both, also of unlisted versions and of those that lists hide.
func (h *Handler) getV2Entry(c echo.Context, req *request) error {
	q, err := parseV2Query(c.Request().URL.RawQuery)
	if err != nil {
		return err
	}
	all, err := h.find(c.Request().Context(), req, req.path.ID)
	if err != nil {
		return err
	}
	kind := "nuget/v2/entry/" + req.path.Version.Key()
	if q.semVer2 {
		kind += "/2"
	}
	return h.sendV2(c, req, all, v2EntryType, kind, func(ctx context.Context) ([]byte, error) {
		e, err := h.findV2Entry(ctx, req, q.semVer2)
		if err != nil {
			return nil, err
		}
		return appendV2EntryDocument(nil, e, req.v2Base()), nil
	})
}

// findV2Entry finds a version by its address. One that the client's lists hide
// is there, but never the latest.
func (h *Handler) findV2Entry(ctx context.Context, req *request, semVer2 bool) (*v2Entry, error) {
	for _, all := range []bool{semVer2, true} {
		entries, _, err := h.v2Entries(ctx, req, req.path.ID.Key(), all)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.at.version == req.path.Version.Key() {
				e.latest, e.absoluteLatest = e.latest && all == semVer2, e.absoluteLatest && all == semVer2
				return e, nil
			}
		}
	}
	return nil, errNoVersion(req.path.ID, req.path.Version)
}

// sendV2 answers with a prepared document about packages.
func (h *Handler) sendV2(c echo.Context, req *request, all []found, contentType, kind string, build func(context.Context) ([]byte, error)) error {
	key := registry.DocumentKey{Kind: kind, Of: revisions(all), Base: req.base}
	setV2Version(c)
	return serve.Prepared(c, h.packages, key, modified(all), serve.DocumentMeta{
		ContentType: contentType, CacheControl: documentCaching(c, all), Vary: "Accept-Encoding, Authorization",
	}, build)
}

// isV2 tells whether a request is for a document of the V2 feed, whose errors are
// documents too. Pushes get a text, as everywhere.
func isV2(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	_, rest, err := serve.SplitAddress(r.URL, mark)
	rest = strings.ToLower(strings.TrimLeft(rest, "/"))
	return err == nil && (rest == "v2" || strings.HasPrefix(rest, "v2/"))
}

// writeV2Error writes OData's error document.
func writeV2Error(c echo.Context, status int, message string) error {
	setV2Version(c)
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.Blob(status, v2ServiceType, appendV2Error(nil, message))
}
