package store

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm/clause"

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
	var before [][]byte
	if pkg.Revision > 1 {
		if err := t.Model(&listingRow{}).Where("package_id = ?", pkg.ID).Pluck("summary", &before).Error; err != nil {
			return err
		}
	}
	if len(before) == 0 {
		before = [][]byte{nil}
	}
	listing, err := p.Relist(before[0])
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
	row := listingRow{
		PackageID: pkg.ID, VersionKey: l.VersionKey, UpdatedAt: pkg.UpdatedAt,
		Terms: strings.Join(terms, "\n"), Summary: document(l.Summary),
	}
	if l.Facets != 0 {
		row.Terms = facetsMark + strconv.FormatUint(uint64(l.Facets), 10) + "\n" + row.Terms
	}
	var before []string
	if pkg.Revision > 1 { // else made by this transaction: there is nothing to replace
		if err := t.Model(&listingRow{}).Where("package_id = ?", pkg.ID).Pluck("terms", &before).Error; err != nil {
			return err
		}
	}
	err := t.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "package_id"}},
		DoUpdates: clause.AssignmentColumns([]string{"version_key", "updated_at", "terms", "summary"}),
	}).Create(&row).Error
	if err != nil || len(before) == 1 && before[0] == row.Terms {
		return err // most versions have the words of the version before
	}
	return t.changeTerms(pkg, strings.Join(before, ""), terms, l.Facets)
}

// changeTerms takes away the terms that are no more and adds the new ones: from
// one version to the next few words change.
func (t *tx) changeTerms(pkg packageRow, before string, terms []string, facets uint32) error {
	had, wanted := map[string]bool{}, map[string]bool{}
	for term := range strings.SplitSeq(before, "\n") {
		had[term] = true
	}
	var added []termRow
	for _, term := range terms {
		wanted[term] = true
		if !had[term] {
			added = append(added, termRow{Term: term, PackageID: pkg.ID, ProjectID: pkg.ProjectID, Format: pkg.Format, Facets: facets})
		}
	}
	maps.DeleteFunc(had, func(term string, _ bool) bool { return wanted[term] })
	for gone := range slices.Chunk(slices.Sorted(maps.Keys(had)), insertBatch) {
		if err := t.Exec("DELETE FROM package_terms WHERE package_id = ? AND term IN ?", pkg.ID, gone).Error; err != nil {
			return err
		}
	}
	if before != "" {
		if err := t.Exec("UPDATE package_terms SET facets = ? WHERE package_id = ? AND facets <> ?", facets, pkg.ID, facets).Error; err != nil {
			return err
		}
	}
	if len(added) == 0 {
		return nil
	}
	return t.CreateInBatches(added, insertBatch).Error
}

// dropListing takes a package out of listings and search.
func (t *tx) dropListing(packageID int64) error {
	if err := t.Exec("DELETE FROM package_terms WHERE package_id = ?", packageID).Error; err != nil {
		return err
	}
	return t.Exec("DELETE FROM listings WHERE package_id = ?", packageID).Error
}
