package store

import (
	"time"

	"gorm.io/gorm"
)

// useStarted is the key under which a statement remembers when it began.
const useStarted = "pakhus:started"

// reportUse makes db tell how long each statement took, by what it does.
func reportUse(db *gorm.DB, onUse func(operation string, took time.Duration)) error {
	begin := func(tx *gorm.DB) { tx.InstanceSet(useStarted, time.Now()) }
	end := func(operation string) func(*gorm.DB) {
		return func(tx *gorm.DB) {
			if began, ok := tx.InstanceGet(useStarted); ok {
				if at, ok := began.(time.Time); ok {
					onUse(operation, time.Since(at))
				}
			}
		}
	}
	callbacks := db.Callback()
	for _, register := range []func() error{
		func() error { return callbacks.Query().Before("*").Register("use:query", begin) },
		func() error { return callbacks.Query().After("*").Register("use:queried", end("query")) },
		func() error { return callbacks.Row().Before("*").Register("use:row", begin) },
		func() error { return callbacks.Row().After("*").Register("use:rowed", end("query")) },
		func() error { return callbacks.Raw().Before("*").Register("use:raw", begin) },
		func() error { return callbacks.Raw().After("*").Register("use:rawed", end("exec")) },
		func() error { return callbacks.Create().Before("*").Register("use:create", begin) },
		func() error { return callbacks.Create().After("*").Register("use:created", end("insert")) },
		func() error { return callbacks.Update().Before("*").Register("use:update", begin) },
		func() error { return callbacks.Update().After("*").Register("use:updated", end("update")) },
		func() error { return callbacks.Delete().Before("*").Register("use:delete", begin) },
		func() error { return callbacks.Delete().After("*").Register("use:deleted", end("delete")) },
	} {
		if err := register(); err != nil {
			return err
		}
	}
	return nil
}
