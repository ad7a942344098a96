package nuget

import (
	"os"
	"testing"

	"pakhus/internal/pgtest"
	"pakhus/internal/worldtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// databases are those that lists and searches run on.
var databases = map[string]func(testing.TB) string{"sqlite": worldtest.SQLite, "postgres": pgtest.New}

// onEach runs a test for answers that the database makes, with an empty one of
// each kind.
func onEach(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	for name, open := range databases {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}
