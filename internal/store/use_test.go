package store

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pakhus/internal/registry"
)

func TestOnUse(t *testing.T) {
	var mu sync.Mutex
	uses := map[string]int{}
	s, err := Open(t.Context(), Options{URL: "sqlite://" + filepath.Join(t.TempDir(), "registry.db"), OnUse: func(operation string, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if took < 0 {
			t.Errorf("%s took %v", operation, took)
		}
		uses[operation]++
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateGroup(t.Context(), registry.Group{Name: "a", Path: "a", FullPath: "a", Visibility: registry.Private}, registry.Actor{Kind: "command"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.FindGroupByPath(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, operation := range []string{"query", "insert", "transaction"} {
		if uses[operation] == 0 {
			t.Errorf("%s was not reported: %v", operation, uses)
		}
	}
}
