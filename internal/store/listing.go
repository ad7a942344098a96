package store

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pakhus/internal/registry"
)

// listingRow is what listings and search show of a package. Its own time, not
// the package's, is indexed: so raising a revision touches no index.
type listingRow struct {
	PackageID  int64 `gorm:"primaryKey;autoIncrement:false"`
	VersionKey string
	UpdatedAt  int64 `gorm:"autoUpdateTime:false"`
	Terms      string
	Summary    []byte
}

func (listingRow) TableName() string { return "listings" }

type termRow struct {
	Term      string `gorm:"primaryKey"`
	PackageID int64  `gorm:"primaryKey;autoIncrement:false"`
	ProjectID int64
	Format    string
	Facets    uint32
}

func (termRow) TableName() string { return "package_terms" }

// relist sets the listing that a publication brings, or that it makes from the
// one that is there. The package's row is locked, so none is lost.
func (t *tx) relist(pkg packageRow, p registry.Publication) error {
	if p.Relist == nil {
		return t.setListing(pkg, p.Listing)
	}
	var before []byte
	if pkg.Revision > 1 { // else made by this transaction: there is nothing to read
		if _, err := t.row("SELECT summary FROM listings WHERE package_id = ?", []any{pkg.ID}, &before); err != nil {
			return err
		}
	}
	listing, err := p.Relist(before)
	if err != nil {
		return err
	}
	if err := checkShown(nil, listing); err != nil {
		return err
	}
	return t.setListing(pkg, listing)
}

// facetsMark begins the line of a listing's terms that holds its facets: no term
// begins so.
const facetsMark = "\x01\x01"

// setListing replaces what search knows of the package; nil leaves it.
func (t *tx) setListing(pkg packageRow, l *registry.Listing) error {
	if l == nil {
		return nil
	}
	terms := slices.Clone(l.Terms)
	slices.Sort(terms)
	terms = slices.DeleteFunc(slices.Compact(terms), func(term string) bool { return term == "" })
	lines := strings.Join(terms, "\n")
	if l.Facets != 0 {
		lines = facetsMark + strconv.FormatUint(uint64(l.Facets), 10) + "\n" + lines
	}
	var before string
	found := false
	if pkg.Revision > 1 { // else made by this transaction: there is nothing to replace
		var err error
		if found, err = t.row("SELECT terms FROM listings WHERE package_id = ?", []any{pkg.ID}, &before); err != nil {
			return err
		}
	}
	err := t.later(nil, `INSERT INTO listings (package_id, version_key, updated_at, terms, summary) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (package_id) DO UPDATE SET version_key = excluded.version_key, updated_at = excluded.updated_at,
			terms = excluded.terms, summary = excluded.summary`,
		pkg.ID, l.VersionKey, pkg.UpdatedAt, lines, document(l.Summary))
	if err != nil || found && before == lines {
		return err // most versions have the words of the version before
	}
	return t.changeTerms(pkg, before, terms, l.Facets)
}

// changeTerms takes away the terms that are no more and adds the new ones: from
// one version to the next few words change.
func (t *tx) changeTerms(pkg packageRow, before string, terms []string, facets uint32) error {
	had, wanted := map[string]bool{}, map[string]bool{}
	if before != "" {
		for term := range strings.SplitSeq(before, "\n") {
			had[term] = true
		}
	}
	var added []string
	for _, term := range terms {
		wanted[term] = true
		if !had[term] {
			added = append(added, term)
		}
	}
	maps.DeleteFunc(had, func(term string, _ bool) bool { return wanted[term] })
	for gone := range slices.Chunk(slices.Sorted(maps.Keys(had)), insertBatch) {
		if err := t.Exec("DELETE FROM package_terms WHERE package_id = ? AND term IN ?", pkg.ID, gone).Error; err != nil {
			return err
		}
	}
	if before != "" {
		if err := t.later(nil, "UPDATE package_terms SET facets = ? WHERE package_id = ? AND facets <> ?", int64(facets), pkg.ID, int64(facets)); err != nil {
			return err
		}
	}
	if len(added) == 0 {
		return nil
	}
	return t.addTerms(pkg, added, facets)
}

// addTerms adds terms, whatever their number, by one statement that is always
// the same and so prepared.
func (t *tx) addTerms(pkg packageRow, terms []string, facets uint32) error {
	into := "INSERT INTO package_terms (project_id, format, package_id, facets, term) SELECT ?, ?, ?, ?, "
	args := []any{pkg.ProjectID, pkg.Format, pkg.ID, int64(facets)}
	if t.store.dialect == postgresDialect {
		return t.later(nil, into+"unnest(?::text[])", append(args, terms)...)
	}
	list, err := json.Marshal(terms)
	if err != nil {
		return err
	}
	return t.later(nil, into+"value FROM json_each(?)", append(args, string(list))...)
}

// dropListing takes a package out of listings and search.
func (t *tx) dropListing(packageID int64) error {
	if err := t.Exec("DELETE FROM package_terms WHERE package_id = ?", packageID).Error; err != nil {
		return err
	}
	return t.Exec("DELETE FROM listings WHERE package_id = ?", packageID).Error
}
