package store

import (
	"context"
	"errors"

	"gorm.io/gorm"
)

// Models are all row types, to be compared with the migrated schema.
func Models() []any {
	return []any{
		&groupRow{}, &projectRow{}, &routeRow{}, &settingRow{}, &userRow{}, &personalTokenRow{}, &membershipRow{},
		&deployTokenRow{}, &packageRow{}, &listingRow{}, &termRow{}, &versionRow{}, &fragmentRow{}, &blobRow{},
		&fileRow{}, &tagRow{}, &starRow{}, &eventRow{}, &changeRow{}, &noteRow{},
	}
}

// Writer gives tests the connection that writes.
func (s *Store) Writer() *gorm.DB { return s.writer }

// Trace makes every statement from now on go to each.
func (s *Store) Trace(each func(sql string, args []any)) error {
	var errs []error
	for _, db := range []*gorm.DB{s.writer, s.reader} {
		trace := func(db *gorm.DB) { each(db.Statement.SQL.String(), db.Statement.Vars) }
		calls := db.Callback()
		if calls.Raw().Get("trace") != nil { // both are one pool on PostgreSQL
			continue
		}
		errs = append(errs,
			calls.Create().After("gorm:create").Register("trace", trace),
			calls.Query().After("gorm:query").Register("trace", trace),
			calls.Update().After("gorm:update").Register("trace", trace),
			calls.Delete().After("gorm:delete").Register("trace", trace),
			calls.Row().After("gorm:row").Register("trace", trace),
			calls.Raw().After("gorm:raw").Register("trace", trace),
		)
	}
	return errors.Join(errs...)
}

// Write runs work as one of the store's transactions.
func (s *Store) Write(ctx context.Context, work func(db *gorm.DB) error) error {
	return s.write(ctx, func(t *tx) error { return work(t.DB) })
}

// BreachName gives the class of a driver error.
func BreachName(err error) string {
	return map[breach]string{
		unknownBreach: "unknown", duplicate: "duplicate", dangling: "dangling", unstorable: "unstorable",
		clash: "clash", unavailable: "unavailable", interrupted: "interrupted",
	}[breachOf(err)]
}
