package nuget

import (
	"context"
	"strings"

	"pakhus/internal/registry"
)

// newV2Search is the list of listed versions of the packages that a search text
// finds; an empty one finds all. Prereleases are in it when the client says so,
// or asks for the latest whether or not it is one.
func (h *Handler) newV2Search(req *request, q *v2Query) (*v2List, error) {
	prerelease, sent, err := q.truth("includePrerelease")
	if err != nil {
		return nil, err
	}
	if !sent {
		prerelease, _ = v2Latest(q.filter)
	}
	text := q.text("searchTerm")
	if len(text) > maxQuery {
		return nil, registry.Errorf(registry.Invalid, "searchTerm is longer than %d bytes", maxQuery)
	}
	l := &v2List{}
	if strings.TrimSpace(text) == "" {
		l = h.newV2Packages(req, q)
	} else {
		search := h.v2SearchQuery(req, q, prerelease)
		l.next = func(ctx context.Context, from string) ([]string, error) { return h.v2SearchKeys(ctx, search, from) }
	}
	l.pick = func(_ string, entries []*v2Entry) []*v2Entry {
		var shown []*v2Entry
		for _, e := range entries {
			if e.listed && (prerelease || !e.version.IsPrerelease()) {
				shown = append(shown, e)
			}
		}
		return shown
	}
	return l, nil
}

// v2SearchQuery asks the search index for packages that have a listed version to
// show.
func (h *Handler) v2SearchQuery(req *request, q *v2Query, prerelease bool) registry.SearchQuery {
	text := ParseQuery(strings.ToValidUTF8(q.text("searchTerm"), "\uFFFD"))
	search := newSearchQuery(req, text, newView(prerelease, q.semVer2), "")
	search.ByKey = true
	return search
}

// v2SearchKeys gives the keys of some packages that a search finds.
func (h *Handler) v2SearchKeys(ctx context.Context, search registry.SearchQuery, from string) ([]string, error) {
	search.From, search.Limit, search.NoTotal = from, v2Batch, true
	hits, _, err := h.packages.Search(ctx, search)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(hits))
	for i, hit := range hits {
		keys[i] = hit.Package.Key
	}
	return keys, nil
}

// v2Latest tells whether a filter asks for the latest version of each package and
// nothing else, and whether that may be a prerelease.
func v2Latest(filter odataExpr) (prerelease, ok bool) {
	if c, isComparison := filter.(*odataComparison); isComparison && c.operator == "eq" {
		if literal, isLiteral := c.right.(*odataLiteral); isLiteral && literal.value.isTrue() {
			filter = c.left
		}
	}
	property, isProperty := filter.(*odataProperty)
	if !isProperty {
		return false, false
	}
	switch property.column.name {
	case "IsLatestVersion":
		return false, true
	case "IsAbsoluteLatestVersion":
		return true, true
	}
	return false, false
}

// isV2Latest tells whether a list has one version of each package, in the order
// of ids: what clients show when they list or search. Then the index has the
// answer, and nothing but the page is read.
func isV2Latest(req *request, q *v2Query) bool {
	if req.path.List != v2Search && req.path.List != v2Packages || !q.isNatural() {
		return false
	}
	prerelease, ok := v2Latest(q.filter)
	if !ok || req.path.List == v2Packages {
		return ok
	}
	included, sent, err := q.truth("includePrerelease")
	return err == nil && (!sent || included || !prerelease)
}

// readV2Latest reads a page of a list of latest versions.
func (h *Handler) readV2Latest(ctx context.Context, req *request, q *v2Query) (*v2Page, error) {
	prerelease, _ := v2Latest(q.filter)
	search := h.v2SearchQuery(req, q, prerelease)
	if req.path.List == v2Packages {
		search.Terms, search.Having = nil, []string{everyTerm}
	}
	page := &v2Page{}
	if q.total {
		var err error
		search.Limit = -1
		if _, page.total, err = h.packages.Search(ctx, search); err != nil {
			return nil, err
		}
	}
	size := q.pageSize()
	search.Offset, search.Limit, search.NoTotal = q.skip, size+1, true
	search.From = q.after.from()
	hits, _, err := h.packages.Search(ctx, search)
	if err != nil {
		return nil, err
	}
	for i := range hits[:min(size, len(hits))] {
		e, err := h.v2BestEntry(ctx, req, &hits[i], newView(prerelease, q.semVer2))
		if err != nil {
			return nil, err
		}
		if e != nil {
			page.entries = append(page.entries, e)
		}
	}
	if top, left := q.left(size); left && len(hits) > size {
		mark := v2Mark{id: hits[size-1].Package.Key}
		page.next = []v2Option{{name: "$skip"}, top, {"$skiptoken", mark.String()}}
	}
	return page, nil
}

// v2BestEntry reads the version that represents a package in a view; nil when
// there is none any more.
func (h *Handler) v2BestEntry(ctx context.Context, req *request, hit *registry.Found, v view) (*v2Entry, error) {
	shown, err := h.show(ctx, req, hit)
	if err != nil {
		return nil, err
	}
	s := shown.summary
	i := s.find(v)
	if i < 0 {
		return nil, nil
	}
	version, err := ParseVersion(s.Best[i].Key)
	if err != nil {
		return nil, registry.Wrapf(registry.Internal, err, "listing of package %d", hit.Package.ID)
	}
	row, err := h.version(ctx, shown.id, version, shown.all)
	var fragment []byte
	if err == nil {
		fragment, err = h.packages.Fragment(ctx, row.ID, entryFragment)
	}
	if registry.KindOf(err) == registry.NotFound { // deleted meanwhile
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	e, err := newV2Entry(req.base, hit.Package.Key, &row, fragment)
	if err != nil {
		return nil, err
	}
	stable := s.find(v &^ 1) // the same view without prereleases
	e.latest, e.absoluteLatest = stable >= 0 && s.Best[stable].Key == row.Key, false
	if absolute := s.find(v | 1); absolute >= 0 {
		e.absoluteLatest = s.Best[absolute].Key == row.Key
	}
	return e, nil
}
