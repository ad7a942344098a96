package store

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Models are all row types, to be compared with the migrated schema.
func Models() []any {
	return []any{
		&groupRow{}, &projectRow{}, &routeRow{}, &settingRow{}, &userRow{}, &personalTokenRow{}, &membershipRow{},
		&deployTokenRow{}, &packageRow{}, &listingRow{}, &termRow{}, &versionRow{}, &fragmentRow{}, &blobRow{},
		&fileRow{}, &tagRow{}, &starRow{}, &eventRow{}, &changeRow{},
	}
}

// Writer gives tests the connection that writes.
func (s *Store) Writer() *gorm.DB { return s.writer }

// Trace makes every statement's text go to each.
func (s *Store) Trace(each func(sql string)) {
	s.writer.Logger, s.reader.Logger = tracer{Interface: logger.Discard, each: each}, tracer{Interface: logger.Discard, each: each}
}

type tracer struct {
	logger.Interface
	each func(sql string)
}

func (t tracer) Trace(_ context.Context, _ time.Time, statement func() (string, int64), _ error) {
	sql, _ := statement()
	t.each(sql)
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
