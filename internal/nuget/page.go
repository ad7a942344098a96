package nuget

import (
	"context"
	"net/url"
	"sort"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

// page is a run of versions of a registration.
type page struct {
	base, idKey, id string // id: the page's own address
	lower, upper    string // normalized versions
	parent          bool   // it is a document of its own
	versions        []registry.Version
}

func pagePath(idKey, lower, upper string) string {
	return "/metadata/" + url.PathEscape(idKey) + "/page/" + lower + "/" + upper + ".json"
}

// appendHead writes the page without its leaves and without the last brace.
func (p page) appendHead(b []byte) []byte {
	w := jsonWriter{b: append(b, `{"@id":`...)}
	w.b = serve.AppendJSON(w.b, p.id)
	w.text("@type", "catalog:CatalogPage")
	w.number("count", int64(len(p.versions)))
	w.text("lower", p.lower)
	w.text("upper", p.upper)
	if p.parent {
		w.text("parent", p.base+registrationPath(p.idKey))
	}
	return w.b
}

// append writes the page with its leaves. A version whose fragment is not there
// was pushed or deleted while the rows were read: another revision shows it.
func (p page) append(b []byte, fragments map[int64][]byte) ([]byte, error) {
	kept := p.versions[:0:0]
	for _, v := range p.versions {
		if fragments[v.ID] != nil {
			kept = append(kept, v)
		}
	}
	p.versions = kept
	b = append(p.appendHead(b), `,"items":[`...)
	var err error
	for i := range p.versions {
		if i > 0 {
			b = append(b, ',')
		}
		v := &p.versions[i]
		if b, err = appendLeaf(b, p.base, v, fragments[v.ID], place{p.idKey, v.Key}); err != nil {
			return nil, err
		}
	}
	return append(b, ']', '}'), nil
}

// getRegistrationPage answers GET /metadata/:id/page/:lower/:upper. Clients keep
// the index for half an hour, so they ask for bounds that were those of a page
// then: any pair of versions gets what lies between, be it nothing
// (nuget.md 5.1).
func (h *Handler) getRegistrationPage(c echo.Context, req *request) error {
	all, err := h.find(c.Request().Context(), req, req.path.ID)
	if err != nil {
		return err
	}
	lower, upper := req.path.Lower, req.path.Upper
	kind := "nuget/page/" + lower.Key() + "/" + upper.Key()
	return h.send(c, req, all, kind, func(ctx context.Context) ([]byte, error) {
		versions, err := h.load(ctx, req.path.ID, all)
		if err != nil {
			return nil, err
		}
		versions = between(versions, lower, upper)
		fragments, err := h.fragmentsOf(ctx, all, versions)
		if err != nil {
			return nil, err
		}
		idKey := req.path.ID.Key()
		p := page{
			base: req.base, idKey: idKey, id: req.base + pagePath(idKey, lower.Key(), upper.Key()),
			lower: lower.Key(), upper: upper.Key(), parent: true, versions: versions,
		}
		return p.append(nil, fragments)
	})
}

// between gives the versions from lower to upper, both included.
func between(versions []registry.Version, lower, upper Version) []registry.Version {
	low, high := lower.SortKey(), upper.SortKey()
	from := sort.Search(len(versions), func(i int) bool { return versions[i].SortKey >= low })
	to := sort.Search(len(versions), func(i int) bool { return versions[i].SortKey > high })
	return versions[from:max(from, to)]
}

// fewFragments is up to how many leaves are read one by one: a page must not
// cost what the whole package costs.
const fewFragments = 2 * pageSize

// fragmentsOf reads the leaves of some versions.
func (h *Handler) fragmentsOf(ctx context.Context, all []found, versions []registry.Version) (map[int64][]byte, error) {
	if len(versions) > fewFragments {
		return h.fragments(ctx, all, leafFragment)
	}
	byVersion := make(map[int64][]byte, len(versions))
	for _, v := range versions {
		data, err := h.packages.Fragment(ctx, v.ID, leafFragment)
		if registry.KindOf(err) == registry.NotFound { // deleted meanwhile
			continue
		}
		if err != nil {
			return nil, err
		}
		byVersion[v.ID] = data
	}
	return byVersion, nil
}
