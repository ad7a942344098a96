package nuget

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

// Registrations hold all versions in the index itself as long as there are fewer
// than inlineBelow; from there on the pages are documents of their own
// (nuget.md 5.1).
const (
	pageSize    = 64
	inlineBelow = 128
)

// send answers with a prepared document about packages, built when it was not
// asked for since they changed.
func (h *Handler) send(c echo.Context, req *request, all []found, kind string, build func(context.Context) ([]byte, error)) error {
	key := registry.DocumentKey{Kind: kind, Of: revisions(all), Base: req.base}
	return serve.Prepared(c, h.packages, key, modified(all), serve.DocumentMeta{
		ContentType: jsonType, CacheControl: documentCaching(c, all), Vary: "Accept-Encoding, Authorization",
	}, build)
}

// getRegistration answers GET /metadata/:id/index.json.
func (h *Handler) getRegistration(c echo.Context, req *request) error {
	all, err := h.find(c.Request().Context(), req, req.path.ID)
	if err != nil {
		return err
	}
	return h.send(c, req, all, "nuget/registration", func(ctx context.Context) ([]byte, error) {
		versions, err := h.load(ctx, req.path.ID, all)
		if err != nil {
			return nil, err
		}
		fragments := map[int64][]byte{}
		if len(versions) < inlineBelow {
			if fragments, err = h.fragments(ctx, all, leafFragment); err != nil {
				return nil, err
			}
		}
		return appendRegistration(nil, req.base, req.path.ID.Key(), versions, fragments, modified(all))
	})
}

// fragments reads one kind of fragment of all versions, by version id.
func (h *Handler) fragments(ctx context.Context, all []found, kind registry.FragmentKind) (map[int64][]byte, error) {
	byVersion := map[int64][]byte{}
	for _, f := range all {
		list, err := h.packages.Fragments(ctx, f.head.ID, kind)
		if err != nil {
			return nil, err
		}
		for _, fragment := range list {
			byVersion[fragment.VersionID] = fragment.Data
		}
	}
	return byVersion, nil
}

// appendRegistration writes the index. Pages without leaves leave items out: an
// empty list would mean that there are no versions.
func appendRegistration(b []byte, base, idKey string, versions []registry.Version, fragments map[int64][]byte, at time.Time) ([]byte, error) {
	self := base + registrationPath(idKey)
	pages := (len(versions) + pageSize - 1) / pageSize
	w := jsonWriter{b: append(b, `{"@id":`...)}
	w.b = serve.AppendJSON(w.b, self)
	w.texts("@type", []string{"catalog:CatalogRoot", "PackageRegistration", "catalog:Permalink"})
	w.text("commitTimeStamp", formatTime(at))
	w.number("count", int64(pages))
	w.b = append(w.b, `,"items":[`...)
	var err error
	for i := range pages {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		part := versions[i*pageSize : min((i+1)*pageSize, len(versions))]
		lower, upper := part[0].Key, part[len(part)-1].Key
		p := page{base: base, idKey: idKey, lower: lower, upper: upper, versions: part}
		if len(versions) < inlineBelow {
			p.id = self + "#page/" + lower + "/" + upper
			w.b, err = p.append(w.b, fragments)
		} else {
			p.id = base + pagePath(idKey, lower, upper)
			w.b, err = p.appendHead(w.b), nil
			w.b = append(w.b, '}')
		}
		if err != nil {
			return nil, err
		}
	}
	return append(w.b, `]}`...), nil
}

// getRegistrationLeaf answers GET /metadata/:id/:version.json.
func (h *Handler) getRegistrationLeaf(c echo.Context, req *request) error {
	all, err := h.find(c.Request().Context(), req, req.path.ID)
	if err != nil {
		return err
	}
	id, version := req.path.ID, req.path.Version
	return h.send(c, req, all, "nuget/leaf/"+version.Key(), func(ctx context.Context) ([]byte, error) {
		v, err := h.version(ctx, id, version, all)
		if err != nil {
			return nil, err
		}
		at := place{id.Key(), v.Key}
		leaf := req.base + at.leaf()
		w := jsonWriter{b: append([]byte(nil), `{"@id":`...)}
		w.b = serve.AppendJSON(w.b, leaf)
		w.texts("@type", []string{"Package", "catalog:Permalink"})
		w.text("catalogEntry", leaf)
		w.flag("listed", v.Status == registry.Listed)
		w.text("packageContent", req.base+at.nupkg())
		w.text("published", published(&v))
		w.text("registration", req.base+registrationPath(at.id))
		return append(w.b, '}'), nil
	})
}

// version finds a living version in the packages: see load for which one counts
// when several have it.
func (h *Handler) version(ctx context.Context, id ID, version Version, all []found) (registry.Version, error) {
	var first registry.Version
	for _, f := range all {
		v, err := h.packages.Version(ctx, f.head.ID, version.Key())
		if registry.KindOf(err) == registry.NotFound || err == nil && v.Status == registry.Deleted {
			continue
		}
		if err != nil {
			return registry.Version{}, err
		}
		if first.ID == 0 || v.ID < first.ID {
			first = v
		}
	}
	if first.ID == 0 {
		return registry.Version{}, errNoVersion(id, version)
	}
	return first, nil
}
