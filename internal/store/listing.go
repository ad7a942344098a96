package store

import (
	"slices"
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
	var before []string
	isNew := pkg.Revision == 1 // made by this transaction: there is nothing to replace
	if !isNew {
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
	if !isNew {
		if err := t.Exec("DELETE FROM package_terms WHERE package_id = ?", pkg.ID).Error; err != nil {
			return err
		}
	}
	return t.addTerms(pkg, terms)
}

func (t *tx) addTerms(pkg packageRow, terms []string) error {
	if len(terms) == 0 {
		return nil
	}
	rows := make([]termRow, len(terms))
	for i, term := range terms {
		rows[i] = termRow{Term: term, PackageID: pkg.ID, ProjectID: pkg.ProjectID, Format: pkg.Format}
	}
	return t.CreateInBatches(rows, insertBatch).Error
}

// dropListing takes a package out of listings and search.
func (t *tx) dropListing(packageID int64) error {
	if err := t.Exec("DELETE FROM package_terms WHERE package_id = ?", packageID).Error; err != nil {
		return err
	}
	return t.Exec("DELETE FROM listings WHERE package_id = ?", packageID).Error
}
