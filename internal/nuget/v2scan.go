package nuget

import (
	"slices"
	"strconv"

	"pakhus/internal/registry"
)

// maxV2Sorted is how many entries of any packages are sorted at a time.
const maxV2Sorted = 2000

// v2Page is a page of a list.
type v2Page struct {
	entries []*v2Entry
	total   int64 // matches on all pages, if it was asked for
	// next has the options of the query of the next page; none when this is the
	// last one.
	next []v2Option
}

// v2Collector takes the entries of a list one package after the other, and keeps
// those of one page.
type v2Collector struct {
	q       *v2Query
	size    int // of the page
	skip    int // that are still to be skipped
	natural bool
	matched int64
	page    []*v2Entry
	sorted  []v2Sorted
	more    bool
	// cut is where the search for matches ended early.
	cut *v2Mark
}

type v2Sorted struct {
	entry *v2Entry
	by    []odataValue
}

// newV2Collector makes a collector for some packages that are named, or for all.
func newV2Collector(q *v2Query, named bool) (*v2Collector, error) {
	c := &v2Collector{q: q, size: q.pageSize(), skip: q.skip, natural: q.isNatural()}
	if !c.natural && !named && q.skip+c.size > maxV2Sorted {
		return nil, registry.Errorf(registry.Invalid, "in this order only the first %d entries can be asked for", maxV2Sorted)
	}
	return c, nil
}

// done tells whether nothing that follows can change the page.
func (c *v2Collector) done() bool { return c.more && !c.q.mustSeeAll() }

// add takes the entries of one package, in ascending order.
func (c *v2Collector) add(entries []*v2Entry) {
	for _, e := range entries {
		if c.q.filter != nil && !c.q.filter.eval(v2Row{e}).isTrue() {
			continue
		}
		c.matched++
		if c.natural {
			c.addNatural(e)
		} else {
			c.sorted = append(c.sorted, v2Sorted{e, c.q.order.valuesOf(v2Row{e})})
		}
	}
	if limit := c.q.skip + c.size; len(c.sorted) > 2*limit+v2PageSize {
		c.sort()
		c.sorted = slices.Clip(c.sorted[:limit])
	}
}

func (c *v2Collector) addNatural(e *v2Entry) {
	switch {
	case c.more || !c.q.after.before(e):
	case c.skip > 0:
		c.skip--
	case len(c.page) < c.size:
		c.page = append(c.page, e)
	default:
		c.more = true
	}
}

// sort orders the entries as the client asked, and those that are equal by id and
// version: pages never repeat one.
func (c *v2Collector) sort() {
	slices.SortStableFunc(c.sorted, func(a, b v2Sorted) int { return c.q.order.compare(a.by, b.by) })
}

// finish makes the page.
func (c *v2Collector) finish() *v2Page {
	p := &v2Page{entries: c.page, total: c.matched}
	if c.natural {
		p.next = c.nextNatural()
		return p
	}
	c.sort()
	end := min(c.q.skip+c.size, len(c.sorted))
	for _, s := range c.sorted[min(c.q.skip, end):end] {
		p.entries = append(p.entries, s.entry)
	}
	if top, left := c.q.left(len(p.entries)); left && c.matched > int64(end) {
		p.next = []v2Option{{"$skip", strconv.Itoa(end)}, top}
	}
	return p
}

// nextNatural goes on behind the last entry, or behind the last package that was
// looked at.
func (c *v2Collector) nextNatural() []v2Option {
	top, left := c.q.left(len(c.page))
	if !left || !c.more && c.cut == nil {
		return nil
	}
	mark := c.cut
	if c.more {
		last := c.page[len(c.page)-1]
		mark = &v2Mark{id: last.at.id, version: last.version}
	}
	skip := v2Option{name: "$skip"}
	if c.skip > 0 {
		skip.value = strconv.Itoa(c.skip)
	}
	return []v2Option{skip, top, {"$skiptoken", mark.String()}}
}
