package registry_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"pakhus/internal/registry"
)

// What waits to be written is written once more when the server stops, although
// the context has ended by then.
func TestRepeatRunsOnceMoreAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var alive, calls int
		done := make(chan struct{})
		go func() {
			defer close(done)
			registry.Repeat(ctx, 10*time.Second, func(ctx context.Context) {
				calls++
				if ctx.Err() == nil {
					alive++
				}
			})
		}()
		time.Sleep(25 * time.Second)
		synctest.Wait()
		if calls != 2 {
			t.Errorf("%d calls in 25 s", calls)
		}
		stop()
		<-done
		if calls != 3 || alive != 3 {
			t.Errorf("%d calls, %d with a context that lives", calls, alive)
		}
	})
}
