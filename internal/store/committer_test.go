package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"gorm.io/gorm"
)

// openNotes opens a database with a table that jobs write into.
func openNotes(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{URL: "sqlite://" + filepath.Join(t.TempDir(), "registry.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.writer.Exec("CREATE TABLE jobs (name TEXT PRIMARY KEY)").Error; err != nil {
		t.Fatal(err)
	}
	return s
}

func insertJob(name string) func(*gorm.DB) error {
	return func(tx *gorm.DB) error { return tx.Exec("INSERT INTO jobs VALUES (?)", name).Error }
}

func written(t *testing.T, s *Store) []string {
	t.Helper()
	var names []string
	if err := s.read(t.Context()).Raw("SELECT name FROM jobs ORDER BY name").Scan(&names).Error; err != nil {
		t.Fatal(err)
	}
	return names
}

func newJob(ctx context.Context, work func(*gorm.DB) error) *job {
	return &job{ctx: ctx, work: work, done: make(chan struct{}), lead: make(chan struct{})}
}

// One that fails takes back what it did, and nothing else.
func TestGroupKeepsTheOthersWork(t *testing.T) {
	s := openNotes(t)
	refused := errors.New("refused")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	group := []*job{
		newJob(t.Context(), insertJob("a")),
		newJob(t.Context(), func(tx *gorm.DB) error { return errors.Join(insertJob("b")(tx), refused) }),
		newJob(gone, insertJob("c")),
		newJob(t.Context(), insertJob("a")), // breaks the key
		newJob(t.Context(), func(tx *gorm.DB) error {
			if err := insertJob("d")(tx); err != nil {
				return err
			}
			panic("a bug")
		}),
		newJob(t.Context(), insertJob("e")),
	}
	commitGroup(s.writer, group)
	for i, j := range group {
		<-j.done
		if failed := j.err != nil; failed != (i >= 1 && i <= 4) {
			t.Errorf("job %d: %v", i, j.err)
		}
	}
	if !errors.Is(group[1].err, refused) || !errors.Is(group[2].err, context.Canceled) || breachOf(group[3].err) != duplicate {
		t.Errorf("causes: %v, %v, %v", group[1].err, group[2].err, group[3].err)
	}
	if got, want := written(t, s), []string{"a", "e"}; !slices.Equal(got, want) {
		t.Errorf("written: %v, want %v", got, want)
	}
}

// When the whole transaction is lost, those who did nothing wrong get what they
// asked for.
func TestLostGroupRunsAgain(t *testing.T) {
	s := openNotes(t)
	group := []*job{
		newJob(t.Context(), insertJob("a")),
		newJob(t.Context(), func(tx *gorm.DB) error {
			return errors.Join(tx.Exec("ROLLBACK").Error, errors.New("the disk is full")) // as SQLite does by itself
		}),
		newJob(t.Context(), insertJob("c")),
	}
	commitGroup(s.writer, group)
	if group[0].err != nil || group[1].err == nil || group[2].err != nil {
		t.Errorf("got %v, %v, %v", group[0].err, group[1].err, group[2].err)
	}
	if got, want := written(t, s), []string{"a", "c"}; !slices.Equal(got, want) {
		t.Errorf("written: %v, want %v", got, want)
	}
}

func TestCommitterServesAll(t *testing.T) {
	s := openNotes(t)
	var wait sync.WaitGroup
	const writers, each = 16, 20
	for w := range writers {
		wait.Go(func() {
			for i := range each {
				if err := s.committer.run(t.Context(), s.writer, insertJob(fmt.Sprintf("%d/%d", w, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if got := len(written(t, s)); got != writers*each {
		t.Errorf("%d written, want %d", got, writers*each)
	}
	if s.committer.busy || len(s.committer.queue) > 0 {
		t.Error("the committer believes that somebody still writes")
	}
}

// A panic ends its caller, as everywhere, but not the ones behind it.
func TestCommitterOutlivesPanic(t *testing.T) {
	s := openNotes(t)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = s.committer.run(t.Context(), s.writer, func(*gorm.DB) error { panic("a bug") })
	}()
	if err := s.committer.run(t.Context(), s.writer, insertJob("a")); err != nil {
		t.Error(err)
	}
}
