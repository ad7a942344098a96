package store

import (
	"context"
	"slices"

	"pakhus/internal/registry"
)

// A search for terms reads one of them, the driver, in the order of the index on
// terms, and asks of each package whether it has the others too. Within the
// terms that begin with a word the word itself comes first, so the index gives
// the best packages first and reading ends with the page. Only the total looks
// at all that match.

// lastRune ends the range of all words that begin with a prefix: words are
// compared by bytes, and no character has higher ones.
const lastRune = "\U0010FFFF"

// fewRows is up to how many rows of a term count as few: they may be sorted.
const fewRows = 1000

// termMatch is what a term must be.
type termMatch struct {
	term  string
	whole bool // or begin with it
}

func prefixOf(term string) termMatch { return termMatch{term: term} }

// on is the condition for the column of a table known as alias.
func (m termMatch) on(alias string) condition {
	if m.whole {
		return condition{sql: alias + ".term = ?", args: []any{m.term}}
	}
	return condition{sql: alias + ".term >= ? AND " + alias + ".term < ?", args: []any{m.term, m.term + lastRune}}
}

// hasTerm is the condition that the package whose id is given has such a term.
func hasTerm(packageID string, m termMatch) condition {
	c := m.on("x")
	return condition{sql: "EXISTS (SELECT 1 FROM package_terms x WHERE x.package_id = " + packageID + " AND " + c.sql + ")", args: c.args}
}

// termSearch is a search with its driver chosen.
type termSearch struct {
	*Store
	q      registry.SearchQuery
	driver termMatch
	rows   int // of the driver, up to fewRows
	others []termMatch
	reach  condition // on t.project_id
}

// searchTerms finds packages by at least one term.
func (s *Store) searchTerms(ctx context.Context, q registry.SearchQuery) ([]registry.Found, int64, error) {
	t := &termSearch{Store: s, q: q}
	if nothing, err := t.prepare(ctx); err != nil || nothing {
		return nil, 0, err
	}
	var total int64
	if !q.NoTotal {
		var err error
		if total, err = t.count(ctx); err != nil || total == 0 {
			return nil, 0, err
		}
	}
	if q.Limit <= 0 {
		return nil, total, nil
	}
	ids, err := t.page(ctx)
	if err != nil {
		return nil, 0, err
	}
	found, err := t.loadFound(ctx, ids)
	return found, total, err
}

// prepare chooses the driver and finds out what may be read.
func (t *termSearch) prepare(ctx context.Context) (nothing bool, err error) {
	if t.q.Readers.All && t.q.Span == (registry.Span{}) {
		t.reach = condition{sql: "1 = 1"}
		return false, t.choose(ctx)
	}
	reads, lies := readable(t.q.Readers, "pr"), within(t.q.Span, "pr")
	of := condition{sql: "SELECT pr.id FROM projects pr WHERE " + reads.sql + " AND " + lies.sql, args: slices.Concat(reads.args, lies.args)}
	t.reach = condition{sql: "t.project_id IN (" + of.sql + ")", args: of.args}
	if t.q.Span.ProjectID != 0 {
		var ids []int64
		if err := t.read(ctx).Raw(of.sql, of.args...).Scan(&ids).Error; err != nil {
			return false, t.fail(ctx, err, "")
		}
		if len(ids) == 0 {
			return true, nil
		}
		t.reach = condition{sql: "t.project_id = ?", args: []any{ids[0]}}
	}
	return false, t.choose(ctx)
}

// choose takes the first term for the driver, which decides what comes first,
// unless another one has far fewer packages.
func (t *termSearch) choose(ctx context.Context) error {
	for _, term := range t.q.Terms {
		t.others = append(t.others, prefixOf(term))
	}
	for _, term := range t.q.Having {
		t.others = append(t.others, termMatch{term, true})
	}
	best := 0
	for i, m := range t.others {
		c := m.on("t")
		var rows []int64
		err := t.read(ctx).Raw("SELECT t.package_id FROM package_terms t WHERE "+c.sql+" LIMIT ?", append(c.args, fewRows)...).Scan(&rows).Error
		if err != nil {
			return t.fail(ctx, err, "")
		}
		if i == 0 || len(rows)*4 < t.rows {
			best, t.rows = i, len(rows)
		}
	}
	t.driver = t.others[best]
	t.others = slices.Delete(t.others, best, best+1)
	return nil
}

// where is the condition on rows t of the driver.
func (t *termSearch) where() condition {
	c := t.driver.on("t")
	add := func(sql string, args ...any) {
		c.sql, c.args = c.sql+" AND "+sql, append(c.args, args...)
	}
	if t.q.Format != "" {
		add("t.format = ?", t.q.Format)
	}
	add(t.reach.sql, t.reach.args...)
	if t.q.Facets != 0 {
		add("(t.facets & ?) <> 0", t.q.Facets)
	}
	for _, m := range t.others {
		has := hasTerm("t.package_id", m)
		add(has.sql, has.args...)
	}
	for _, term := range t.q.Not {
		has := hasTerm("t.package_id", prefixOf(term))
		add("NOT "+has.sql, has.args...)
	}
	return c
}

const fromTerms = " FROM package_terms t JOIN packages p ON p.id = t.package_id WHERE "

// count counts all packages that match, or all keys. Only a word's beginning can
// match several terms of one package.
func (t *termSearch) count(ctx context.Context) (total int64, err error) {
	c := t.where()
	from := " FROM package_terms t WHERE "
	if t.q.From != "" || t.q.OncePerKey {
		from = fromTerms
	}
	if t.q.From != "" {
		c.sql, c.args = c.sql+" AND p.name_key >= ?", append(c.args, t.q.From)
	}
	what := "COUNT(DISTINCT t.package_id)"
	switch {
	case t.q.OncePerKey:
		what = "COUNT(DISTINCT p.name_key)"
	case t.driver.whole:
		what = "COUNT(*)"
	}
	if err := t.read(ctx).Raw("SELECT "+what+from+c.sql, c.args...).Scan(&total).Error; err != nil {
		return 0, t.fail(ctx, err, "")
	}
	return total, nil
}

// page gives the ids of the packages of a page.
func (t *termSearch) page(ctx context.Context) ([]int64, error) {
	switch {
	case t.q.ByKey && t.rows < fewRows:
		return t.sortedByKey(ctx)
	case t.q.ByKey:
		return t.readByKey(ctx)
	}
	exact, err := t.exact(ctx)
	if err != nil {
		return nil, err
	}
	need := t.q.Offset + t.q.Limit
	ids, err := t.best(ctx, exact, need)
	if err != nil || len(ids) <= t.q.Offset {
		return nil, err
	}
	return ids[t.q.Offset:min(need, len(ids))], nil
}

// exact gives the packages of the exact key that match.
func (t *termSearch) exact(ctx context.Context) ([]int64, error) {
	if t.q.Exact == "" {
		return nil, nil
	}
	c := t.where()
	var ids []int64
	err := t.read(ctx).Raw("SELECT DISTINCT p.id"+fromTerms+c.sql+" AND p.name_key = ? AND p.format = t.format ORDER BY p.id",
		append(c.args, t.q.Exact)...).Scan(&ids).Error
	if err != nil {
		return nil, t.fail(ctx, err, "")
	}
	if t.q.OncePerKey && len(ids) > 1 {
		ids = ids[:1]
	}
	return ids, nil
}

// best reads the driver until it has so many packages, each once, behind those
// in first. Without a word to be good at, the newest packages are the best.
func (t *termSearch) best(ctx context.Context, first []int64, need int) ([]int64, error) {
	ids := slices.Clone(first)
	seen, seenKeys := make(map[int64]bool, need), map[string]bool{}
	for _, id := range ids {
		seen[id] = true
		seenKeys[t.q.Exact] = true
	}
	base := t.where()
	order := "t.term, t.package_id"
	if len(t.q.Terms) == 0 {
		order = "t.package_id DESC"
	}
	var last bestRow
	for chunk := need - len(ids) + 16; len(ids) < need; {
		c := condition{sql: base.sql, args: slices.Clone(base.args)}
		if last.PackageID != 0 {
			c = t.after(c, last)
		}
		read := "SELECT t.term, t.package_id FROM package_terms t WHERE " + c.sql + " ORDER BY " + order + " LIMIT ?"
		if t.q.OncePerKey { // the keys of these rows alone: the index still gives the order
			read = "SELECT t.term, t.package_id, p.name_key FROM (" + read + ") t JOIN packages p ON p.id = t.package_id ORDER BY " + order
		}
		var rows []bestRow
		if err := t.read(ctx).Raw(read, append(c.args, chunk)...).Scan(&rows).Error; err != nil {
			return nil, t.fail(ctx, err, "")
		}
		for _, row := range rows {
			if seen[row.PackageID] || seenKeys[row.NameKey] {
				continue
			}
			seen[row.PackageID] = true
			if t.q.OncePerKey {
				seenKeys[row.NameKey] = true
			}
			ids = append(ids, row.PackageID)
		}
		if len(rows) < chunk {
			break
		}
		last = rows[len(rows)-1]
	}
	return ids, nil
}

// bestRow is a row of the driver, with the key of its package if that matters.
type bestRow struct {
	Term      string
	PackageID int64
	NameKey   string
}

// after adds the condition that a row comes after another one in the order of
// best.
func (t *termSearch) after(c condition, last bestRow) condition {
	if len(t.q.Terms) == 0 {
		c.sql, c.args = c.sql+" AND t.package_id < ?", append(c.args, last.PackageID)
		return c
	}
	c.sql, c.args = c.sql+" AND (t.term, t.package_id) > (?, ?)", append(c.args, last.Term, last.PackageID)
	return c
}

// sortedByKey sorts the few packages that the driver can have.
func (t *termSearch) sortedByKey(ctx context.Context) ([]int64, error) {
	c := t.where()
	what, group, order := "DISTINCT p.id, p.name_key", "", "p.name_key, p.id"
	if t.q.OncePerKey {
		what, group, order = "MIN(p.id) AS id, p.name_key", " GROUP BY p.name_key", "p.name_key"
	}
	var rows []packageRow
	err := t.read(ctx).Raw("SELECT "+what+fromTerms+c.sql+" AND p.name_key >= ?"+group+" ORDER BY "+order+" LIMIT ? OFFSET ?",
		append(c.args, t.q.From, t.q.Limit, t.q.Offset)...).Scan(&rows).Error
	if err != nil {
		return nil, t.fail(ctx, err, "")
	}
	return mapped(rows, func(r packageRow) int64 { return r.ID }), nil
}

// readByKey reads packages in the order of their keys until the page is full: a
// driver of many packages has one in most places.
func (t *termSearch) readByKey(ctx context.Context) ([]int64, error) {
	c := t.where()
	where := condition{sql: "p.name_key >= ?", args: []any{t.q.From}}
	if t.q.Format != "" {
		where = condition{sql: where.sql + " AND p.format = ?", args: append(where.args, t.q.Format)}
	}
	if t.q.Span.ProjectID != 0 { // said once more, for the index on packages
		where = condition{sql: where.sql + " AND p.project_id = ?", args: append(where.args, t.q.Span.ProjectID)}
	}
	what, order := "p.id", " ORDER BY p.name_key, p.id"
	if t.q.OncePerKey {
		what, order = "MIN(p.id)", " GROUP BY p.name_key ORDER BY p.name_key"
	}
	var ids []int64
	err := t.read(ctx).Raw("SELECT "+what+" FROM packages p WHERE "+where.sql+" AND EXISTS (SELECT 1 FROM package_terms t WHERE t.package_id = p.id AND "+
		c.sql+")"+order+" LIMIT ? OFFSET ?",
		slices.Concat(where.args, c.args, []any{t.q.Limit, t.q.Offset})...).Scan(&ids).Error
	if err != nil {
		return nil, t.fail(ctx, err, "")
	}
	return ids, nil
}

// loadFound reads packages with their summaries, in the order of ids. One that
// is gone by now is left out.
func (t *termSearch) loadFound(ctx context.Context, ids []int64) ([]registry.Found, error) {
	byID, columns := make(map[int64]registry.Found, len(ids)), selectFound
	if t.q.OncePerKey {
		columns += selectShared
	}
	for part := range slices.Chunk(ids, insertBatch) {
		var rows []foundRow
		err := t.read(ctx).Table("packages").Joins("JOIN listings l ON l.package_id = packages.id").
			Where("packages.id IN ? AND packages.living > 0", part).Select(columns).Scan(&rows).Error
		if err != nil {
			return nil, t.fail(ctx, err, "")
		}
		for _, r := range rows {
			byID[r.Package.ID] = r.found()
		}
	}
	found := make([]registry.Found, 0, len(ids))
	for _, id := range ids {
		if f, ok := byID[id]; ok {
			found = append(found, f)
		}
	}
	return found, nil
}
