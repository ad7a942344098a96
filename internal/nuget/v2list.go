package nuget

import (
	"context"
	"slices"

	"pakhus/internal/registry"
)

// v2Batch is how many packages are listed at a time.
const v2Batch = 200

// pastAllKeys comes after every key of a package.
const pastAllKeys = "\U0010FFFF"

// v2List is a list of the feed, as one request sees it.
type v2List struct {
	// ids are the only packages that can be in it, by key, when named is set.
	ids   []string
	named bool
	// next gives the keys of further packages, ascending, from one key on.
	next func(ctx context.Context, from string) ([]string, error)
	// pick takes what the list has of a package's versions, which are in ascending
	// order; all of them when nil.
	pick func(idKey string, entries []*v2Entry) []*v2Entry
}

// listV2 decides which packages a list can have.
func (h *Handler) listV2(req *request, q *v2Query) (*v2List, error) {
	switch req.path.List {
	case v2FindByID:
		return newV2FindByID(q)
	case v2GetUpdates:
		return newV2Updates(q)
	case v2Search:
		return h.newV2Search(req, q)
	}
	return h.newV2Packages(req, q), nil
}

// newV2FindByID is the list of one package's versions. An id that no package can
// have finds nothing: PowerShellGet asks for one that it made up.
func newV2FindByID(q *v2Query) (*v2List, error) {
	if !q.has("id") {
		return nil, registry.Errorf(registry.Invalid, "FindPackagesById needs id='..'")
	}
	id, err := ParseID(q.text("id"))
	if err != nil {
		return &v2List{named: true}, nil
	}
	return &v2List{ids: []string{id.Key()}, named: true}, nil
}

// newV2Packages is the list of everything. A filter that names ids or their
// beginning is answered by looking at no other packages.
func (h *Handler) newV2Packages(req *request, q *v2Query) *v2List {
	l := &v2List{}
	if l.ids, l.named = odataIDs(q.filter); l.named {
		return l
	}
	prefix := odataPrefix(q.filter)
	filter := registry.PackageFilter{Readers: req.identity.Readers(), Span: req.span(), Format: registry.NuGet}
	l.next = func(ctx context.Context, from string) ([]string, error) {
		return h.packages.PackageKeys(ctx, filter, max(from, prefix), prefix+pastAllKeys, v2Batch)
	}
	return l
}

// readV2List reads a page of a list.
func (h *Handler) readV2List(ctx context.Context, req *request, q *v2Query, l *v2List, cost *v2Cost) (*v2Page, error) {
	c, err := newV2Collector(q, l.named)
	if err != nil {
		return nil, err
	}
	ids, from := l.ids, q.after.from()
	if q.mustSeeAll() {
		from = ""
	}
	for {
		if l.next != nil {
			if ids, err = l.next(ctx, from); err != nil {
				return nil, err
			}
		}
		for _, id := range ids {
			stop, err := h.readV2Package(ctx, req, c, l, cost, id)
			if err != nil || stop {
				return c.finish(), err
			}
		}
		if l.next == nil || len(ids) == 0 {
			return c.finish(), nil
		}
		from = v2Mark{id: ids[len(ids)-1]}.from()
	}
}

// readV2Package takes one package into the list and tells whether that was the
// last one to look at.
func (h *Handler) readV2Package(ctx context.Context, req *request, c *v2Collector, l *v2List, cost *v2Cost, idKey string) (stop bool, err error) {
	entries, size, err := h.v2Entries(ctx, req, idKey, c.q.semVer2)
	if err != nil {
		return true, err
	}
	if l.pick != nil {
		entries = l.pick(idKey, entries)
	}
	c.add(entries)
	if c.done() {
		return true, nil
	}
	if cost.add(size) || l.named {
		return false, nil
	}
	if c.q.mustSeeAll() {
		return true, registry.Errorf(registry.Invalid,
			"too many packages must be looked at for this: ask for an id, for the beginning of one, or for a searchTerm; or without a total and with $orderby=Id")
	}
	c.cut = &v2Mark{id: idKey}
	return true, nil
}

// v2Cost bounds what one request looks at. A query that only wants its page is
// answered with what was found by then and a link to go on; one that must see
// everything is refused.
type v2Cost struct {
	packages  int
	work      int64 // bytes of entries, once for each function of the filter
	functions int64
}

// Bounds of v2Cost, without and with everything to be seen.
const (
	maxV2PagePackages = 1000
	maxV2Packages     = 20_000
	maxV2PageWork     = 64 << 20
	maxV2Work         = 1 << 30
)

func newV2Cost(q *v2Query) *v2Cost {
	cost := &v2Cost{packages: maxV2PagePackages, work: maxV2PageWork, functions: 1 + odataCalls(q.filter)}
	if q.mustSeeAll() {
		cost.packages, cost.work = maxV2Packages, maxV2Work
	}
	return cost
}

// add takes a package into account and tells whether another one may be read.
func (cost *v2Cost) add(size int64) bool {
	cost.packages--
	cost.work -= size * cost.functions
	return cost.packages > 0 && cost.work > 0
}

// v2Entries gives the versions of a package that the feed tells of, in ascending
// order, and the size of what was read for them. A package that is not there has
// none.
func (h *Handler) v2Entries(ctx context.Context, req *request, idKey string, semVer2 bool) (entries []*v2Entry, size int64, err error) {
	id, err := ParseID(idKey)
	if err != nil {
		return nil, 0, nil
	}
	all, err := h.find(ctx, req, id)
	if registry.KindOf(err) == registry.NotFound {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	versions, err := h.load(ctx, id, all)
	if registry.KindOf(err) == registry.NotFound {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	fragments, err := h.v2Fragments(ctx, all)
	if err != nil {
		return nil, 0, err
	}
	for i := range versions {
		fragment, ok := fragments[versions[i].ID]
		if !ok { // deleted meanwhile
			continue
		}
		size += int64(len(fragment))
		e, err := newV2Entry(req.base, id.Key(), &versions[i], fragment)
		if err != nil {
			return nil, 0, err
		}
		if semVer2 || !e.SemVer2 {
			entries = append(entries, e)
		}
	}
	markLatest(entries)
	return slices.Clip(entries), size, nil
}

func (h *Handler) v2Fragments(ctx context.Context, all []found) (map[int64][]byte, error) {
	fragments := map[int64][]byte{}
	for _, f := range all {
		list, err := h.packages.Fragments(ctx, f.head.ID, entryFragment)
		if err != nil {
			return nil, err
		}
		for _, fragment := range list {
			fragments[fragment.VersionID] = fragment.Data
		}
	}
	return fragments, nil
}
