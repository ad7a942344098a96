package coherent

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

func TestGetLoadsOnce(t *testing.T) {
	c := New(Options[string, int]{MaxWeight: 100})
	var loads atomic.Int32
	release := make(chan struct{})
	load := func(context.Context) (int, error) {
		loads.Add(1)
		<-release
		return 7, nil
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if v, err := c.Get(t.Context(), "k", load); v != 7 || err != nil {
				t.Errorf("Get = %d, %v; want 7", v, err)
			}
		})
	}
	close(release)
	wg.Wait()
	if _, err := c.Get(t.Context(), "k", load); err != nil {
		t.Fatal(err)
	}
	if got := loads.Load(); got != 1 {
		t.Errorf("loads = %d, want 1", got)
	}
}

// A value read before a change and arriving after it must neither be kept nor
// be given to somebody who asked after the change.
func TestForgetDuringLoad(t *testing.T) {
	for name, forget := range map[string]func(*Cache[string, string]){
		"one key": func(c *Cache[string, string]) { c.Forget("k") },
		"all":     func(c *Cache[string, string]) { c.ForgetAll() },
	} {
		t.Run(name, func(t *testing.T) {
			c := New(Options[string, string]{MaxWeight: 100})
			started, release := make(chan struct{}), make(chan struct{})
			old := make(chan string, 1)
			go func() {
				v, err := c.Get(context.Background(), "k", func(context.Context) (string, error) {
					close(started)
					<-release
					return "old", nil
				})
				if err != nil {
					v = err.Error()
				}
				old <- v
			}()
			<-started
			forget(c)
			fresh := func(context.Context) (string, error) { return "new", nil }
			if got, _ := c.Get(t.Context(), "k", fresh); got != "new" {
				t.Errorf("after the change: %q, want new", got)
			}
			close(release)
			if got := <-old; got != "old" {
				t.Errorf("before the change: %q, want old", got)
			}
			never := func(context.Context) (string, error) { return "loaded again", nil }
			if got, _ := c.Get(t.Context(), "k", never); got != "new" {
				t.Errorf("kept: %q, want new", got)
			}
		})
	}
}

func TestErrorsAreNotKept(t *testing.T) {
	c := New(Options[int, int]{MaxWeight: 100})
	boom := errors.New("boom")
	if _, err := c.Get(t.Context(), 1, func(context.Context) (int, error) { return 0, boom }); !errors.Is(err, boom) {
		t.Fatalf("err = %v, want boom", err)
	}
	if v, err := c.Get(t.Context(), 1, func(context.Context) (int, error) { return 5, nil }); v != 5 || err != nil {
		t.Errorf("Get = %d, %v; want 5", v, err)
	}
}

func TestCallerLeavesLoadGoesOn(t *testing.T) {
	c := New(Options[int, int]{MaxWeight: 100})
	ctx, cancel := context.WithCancel(t.Context())
	started, release := make(chan struct{}), make(chan struct{})
	load := func(ctx context.Context) (int, error) {
		close(started)
		<-release
		return 3, ctx.Err()
	}
	left := make(chan error, 1)
	go func() { _, err := c.Get(ctx, 1, load); left <- err }()
	<-started
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want canceled", err)
	}
	close(release)
	if v, err := c.Get(t.Context(), 1, func(context.Context) (int, error) { return 3, nil }); v != 3 || err != nil {
		t.Errorf("Get = %d, %v; want 3", v, err)
	}
}

func TestNotLiveBypasses(t *testing.T) {
	c := New(Options[int, int]{MaxWeight: 100})
	n := 0
	load := func(context.Context) (int, error) { n++; return n, nil }
	get := func() int { v, _ := c.Get(t.Context(), 1, load); return v }
	get()
	c.SetLive(false)
	if a, b := get(), get(); a != 2 || b != 3 {
		t.Errorf("not live: %d, %d; want 2, 3", a, b)
	}
	c.SetLive(true)
	if a, b := get(), get(); a != 4 || b != 4 {
		t.Errorf("live again: %d, %d; want 4, 4", a, b)
	}
}

func TestPanicIsAnError(t *testing.T) {
	c := New(Options[int, int]{MaxWeight: 100})
	_, err := c.Get(t.Context(), 1, func(context.Context) (int, error) { panic("boom") })
	if err == nil {
		t.Fatal("no error")
	}
}
