package store

import (
	"math"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"pakhus/internal/registry"
)

// micros is an instant as stored. The zero time is "never", which only nullable
// columns can hold: see optionalMicros.
func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

// optionalMicros stores the zero time as NULL. Storing it as 0 would turn an
// expiry at the start of 1970 into none.
func optionalMicros(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	us := micros(t)
	return &us
}

func fromOptionalMicros(us *int64) time.Time {
	if us == nil {
		return time.Time{}
	}
	return fromMicros(*us)
}

// optionalID stores an id of 0 as NULL.
func optionalID(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

func fromOptionalID(id *int64) int64 {
	if id == nil {
		return 0
	}
	return *id
}

// ancestorPath stores ids from the root down as /1/5/, so that all below a
// group are one range: from its path up to, not including, pathEnd.
func ancestorPath(ids []int64) string {
	var b strings.Builder
	b.WriteByte('/')
	for _, id := range ids {
		b.WriteString(strconv.FormatInt(id, 10))
		b.WriteByte('/')
	}
	return b.String()
}

// parseAncestors reads an ancestorPath; the database holds only what it wrote.
func parseAncestors(path string) ([]int64, error) {
	path = strings.Trim(path, "/")
	if path == "" {
		return nil, nil
	}
	parts := strings.Split(path, "/")
	ids := make([]int64, len(parts))
	for i, part := range parts {
		id, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return nil, registry.Wrapf(registry.Internal, err, "ancestors %q", path)
		}
		ids[i] = id
	}
	return ids, nil
}

// maxChosenID bounds ids that are chosen: JSON readers keep whole numbers only
// up to 2^53, and the sequence must be able to go on after it.
const maxChosenID = 1 << 52

func checkChosenID(id int64) error {
	if id < 0 || id > maxChosenID {
		return registry.Errorf(registry.Invalid, "id %d is not between 1 and %d", id, int64(maxChosenID))
	}
	return nil
}

// paged limits a query to a page. A page beyond every row is empty, whatever
// its number.
func paged(db *gorm.DB, page registry.Page) *gorm.DB {
	size := max(page.Size, 1)
	number := max(page.Number, 1)
	if number-1 > math.MaxInt32/size {
		return db.Limit(0)
	}
	return db.Limit(size).Offset((number - 1) * size)
}

// list reads one page, and how many rows there are on all pages.
func list[Row any](db *gorm.DB, page registry.Page, order string) (rows []Row, total int64, err error) {
	db = db.Session(&gorm.Session{})
	if err := db.Model(new(Row)).Count(&total).Error; err != nil || total == 0 {
		return nil, 0, err
	}
	err = paged(db, page).Order(order).Find(&rows).Error
	return rows, total, err
}

// mapped converts rows.
func mapped[Row, T any](rows []Row, convert func(Row) T) []T {
	out := make([]T, len(rows))
	for i, row := range rows {
		out[i] = convert(row)
	}
	return out
}
