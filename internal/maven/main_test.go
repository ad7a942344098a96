package maven_test

import (
	"os"
	"testing"

	"pakhus/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
