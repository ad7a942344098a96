package store_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"pakhus/internal/registry"
	"pakhus/internal/store"
)

// bound is what the operators are promised: a change of another process is
// forgotten within a second.
const bound = time.Second

// ear is a listener that tells what it hears.
type ear struct {
	mu    sync.Mutex
	heard []registry.Change
	live  []bool
	news  chan struct{} // gets a token with every call
}

func newEar() *ear { return &ear{news: make(chan struct{}, 1000)} }

func (e *ear) Forget(changes []registry.Change) {
	e.mu.Lock()
	e.heard = append(e.heard, changes...)
	e.mu.Unlock()
	e.news <- struct{}{}
}

func (e *ear) SetLive(live bool) {
	e.mu.Lock()
	e.live = append(e.live, live)
	e.mu.Unlock()
	e.news <- struct{}{}
}

// await returns how long it took until test held.
func (e *ear) await(t *testing.T, what string, within time.Duration, test func(*ear) bool) time.Duration {
	t.Helper()
	began := time.Now()
	deadline := time.After(within)
	for {
		e.mu.Lock()
		done := test(e)
		e.mu.Unlock()
		if done {
			return time.Since(began)
		}
		select {
		case <-e.news:
		case <-deadline:
			t.Fatalf("%s: not within %v", what, within)
		}
	}
}

func (e *ear) count(c registry.Change) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, have := range e.heard {
		if have == c {
			n++
		}
	}
	return n
}

func isLive(e *ear) bool { return len(e.live) > 0 && e.live[len(e.live)-1] }

func heard(c registry.Change) func(*ear) bool {
	return func(e *ear) bool { return slices.Contains(e.heard, c) }
}

// follow opens the database once more and follows it.
func follow(t *testing.T, databaseURL string) (*store.Store, *ear) {
	t.Helper()
	s, e := open(t, store.Options{URL: databaseURL}), newEar()
	s.Subscribe(e)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Follow(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Follow: %v", err)
		}
		if isLive(e) {
			t.Error("live after Follow has ended")
		}
	})
	e.await(t, "live", 5*time.Second, isLive)
	return s, e
}

var command = registry.Actor{Kind: "command", Name: "test"}

func createGroup(t *testing.T, s *store.Store, path string) registry.Group {
	t.Helper()
	g, err := s.CreateGroup(t.Context(), registry.Group{Name: path, Path: path, Visibility: registry.Private}, command)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

var namespace = registry.Change{Topic: registry.TopicNamespace}

func TestFollow(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			databaseURL := db.make(t)
			here, mine := follow(t, databaseURL)
			there, others := follow(t, databaseURL)
			createGroup(t, here, "first")
			if mine.count(namespace) != 1 {
				t.Error("the writer has not forgotten when its call returns")
			}
			took := others.await(t, "change of another process", bound, heard(namespace))
			t.Logf("forgotten after %v", took)

			createGroup(t, there, "second")
			mine.await(t, "change of the other", bound, func(e *ear) bool { return len(e.heard) == 2 })
			if got := others.count(namespace); got != 2 {
				t.Errorf("the second heard %d changes, want 2: each once, its own not again", got)
			}
		})
	}
}

// TestFollowCommand: a command writes and ends at once.
func TestFollowCommand(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			databaseURL := db.make(t)
			_, e := follow(t, databaseURL)
			brief, err := store.Open(t.Context(), store.Options{URL: databaseURL})
			if err != nil {
				t.Fatal(err)
			}
			createGroup(t, brief, "first")
			if err := brief.Close(); err != nil {
				t.Fatal(err)
			}
			e.await(t, "change of a command", bound, heard(namespace))
		})
	}
}

// TestFollowLateCommit: a transaction that began before others and commits
// after them is heard of all the same, though its change has the lowest id.
func TestFollowLateCommit(t *testing.T) {
	databaseURL := newPostgres(t)
	_, e := follow(t, databaseURL)
	writer := open(t, store.Options{URL: databaseURL})
	late := writer.Writer().Begin()
	insert := "INSERT INTO changes (origin, topic, key, created_at) VALUES (1, 'package', 'npm/late', 0)"
	if err := late.Exec(insert).Error; err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"a", "b", "c"} {
		createGroup(t, writer, path)
		e.await(t, path, bound, heard(namespace))
	}
	if n := e.count(registry.PackageChange(registry.NPM, "late")); n != 0 {
		t.Fatal("heard before the commit")
	}
	if err := late.Commit().Error; err != nil {
		t.Fatal(err)
	}
	e.await(t, "late commit, without a notification", bound, heard(registry.PackageChange(registry.NPM, "late")))
	createGroup(t, writer, "d")
	e.await(t, "all", bound, func(e *ear) bool { return len(e.heard) == 5 })
	if n := e.count(registry.PackageChange(registry.NPM, "late")); n != 1 {
		t.Errorf("the late change was heard %d times, want once", n)
	}
}

// TestFollowLostConnection: without the connection nobody may trust a cache;
// when it is back, all is forgotten by SetLive.
func TestFollowLostConnection(t *testing.T) {
	databaseURL := newPostgres(t)
	_, e := follow(t, databaseURL)
	writer := open(t, store.Options{URL: databaseURL})
	err := writer.Writer().Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_snapshot_xmin%' AND datname = current_database() AND pid <> pg_backend_pid()").Error
	if err != nil {
		t.Fatal(err)
	}
	e.await(t, "not live", bound, func(e *ear) bool { return slices.Contains(e.live, false) })
	e.await(t, "live again", 5*time.Second, isLive)
	createGroup(t, writer, "after")
	e.await(t, "change after the connection came back", bound, heard(namespace))
}

// TestFollowSlowDatabase: a poll that takes too long is as good as none.
func TestFollowSlowDatabase(t *testing.T) {
	databaseURL := newPostgres(t)
	_, e := follow(t, databaseURL)
	writer := open(t, store.Options{URL: databaseURL})
	lock := writer.Writer().Begin()
	if err := lock.Exec("LOCK TABLE changes IN ACCESS EXCLUSIVE MODE").Error; err != nil {
		t.Fatal(err)
	}
	e.await(t, "not live", bound, func(e *ear) bool { return slices.Contains(e.live, false) })
	if err := lock.Rollback().Error; err != nil {
		t.Fatal(err)
	}
	e.await(t, "live again", 10*time.Second, isLive)
}

func TestPruneChanges(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			databaseURL := db.make(t)
			now := time.Now()
			s := open(t, store.Options{URL: databaseURL, Clock: func() time.Time { return now }})
			count := func() (n int64) {
				t.Helper()
				if err := s.Writer().Raw("SELECT COUNT(*) FROM changes").Scan(&n).Error; err != nil {
					t.Fatal(err)
				}
				return n
			}
			createGroup(t, s, "old")
			now = now.Add(59 * time.Minute)
			createGroup(t, s, "new")
			for _, step := range []struct {
				later time.Duration
				want  int64
			}{{0, 2}, {2 * time.Minute, 1}} {
				now = now.Add(step.later)
				if err := s.PruneChanges(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := count(); got != step.want {
					t.Errorf("%d changes after %v more, want %d", got, step.later, step.want)
				}
			}
		})
	}
}

// TestTwoProcessesWrite: the command line writes while a server does.
func TestTwoProcessesWrite(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			databaseURL := db.make(t)
			var wg sync.WaitGroup
			for process := range 3 {
				s := open(t, store.Options{URL: databaseURL})
				wg.Go(func() {
					for i := range 20 {
						path := string(rune('a'+process)) + string(rune('a'+i))
						_, err := s.CreateGroup(context.Background(), registry.Group{Name: path, Path: path, Visibility: registry.Private}, command)
						if err != nil {
							t.Errorf("process %d: %v", process, err)
						}
					}
				})
			}
			wg.Wait()
			s := open(t, store.Options{URL: databaseURL})
			_, total, err := s.ListGroups(t.Context(), registry.GroupFilter{Readers: registry.Readers{All: true}}, registry.Page{Number: 1, Size: 1})
			if err != nil || total != 60 {
				t.Errorf("%d groups, %v, want 60", total, err)
			}
		})
	}
}

// TestClashIsTriedAgain: when the database ends one of two transactions that
// are in each other's way, the caller does not notice.
func TestClashIsTriedAgain(t *testing.T) {
	s := open(t, store.Options{URL: newPostgres(t)})
	for _, code := range []string{"40001", "40P01"} {
		tries := 0
		clash := func(until int) error {
			tries = 0
			return s.Write(t.Context(), func(db *gorm.DB) error {
				if tries++; tries < until {
					return db.Exec("DO $$ BEGIN RAISE EXCEPTION 'clash' USING ERRCODE = '" + code + "'; END $$").Error
				}
				return nil
			})
		}
		if err := clash(3); err != nil || tries != 3 {
			t.Errorf("%s: %v after %d tries, want success after 3", code, err, tries)
		}
		if err := clash(1000); registry.KindOf(err) != registry.Unavailable || tries > 10 {
			t.Errorf("%s for ever: %v after %d tries, want Unavailable after a few", code, err, tries)
		}
	}
}
