// Package coherent has the one cache that the registry uses: bounded, with one
// load at a time for a key, and never older than the last change heard of.
//
// A value that was being loaded when its key was forgotten is given to those
// who asked before, but not kept, and nobody who asks afterwards joins that
// load. So whoever asks after a change was announced sees the change.
package coherent

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// loadTimeout bounds a load: it belongs to all who wait for it, so it must not
// end with the first caller's request.
const loadTimeout = 60 * time.Second

// Options bound a Cache.
type Options[K comparable, V any] struct {
	// MaxWeight bounds the sum of all weights, in bytes.
	MaxWeight uint64
	// Weigh gives an entry's weight in bytes; nil means 1 an entry.
	Weigh func(K, V) uint32
	// Keep bounds how long a value is kept after it was loaded; nil keeps it until
	// it is forgotten or pushed out.
	Keep func(V) time.Duration
	// OnLookup is told of hits and misses, for metrics; may be nil.
	OnLookup func(hit bool)
}

// Cache keeps loaded values. It is safe for concurrent use.
type Cache[K comparable, V any] struct {
	entries  *otter.Cache[K, V]
	onLookup func(hit bool)
	bypass   atomic.Bool

	mu      sync.Mutex
	flights map[K]*flight[V]
}

// flight is one load under way.
type flight[V any] struct {
	done  chan struct{}
	value V
	err   error
}

// New makes an empty cache.
func New[K comparable, V any](o Options[K, V]) *Cache[K, V] {
	oo := &otter.Options[K, V]{MaximumWeight: o.MaxWeight, Weigher: o.Weigh}
	if o.Weigh == nil {
		oo.Weigher = func(K, V) uint32 { return 1 }
	}
	if o.Keep != nil {
		oo.ExpiryCalculator = otter.ExpiryWritingFunc(func(e otter.Entry[K, V]) time.Duration { return o.Keep(e.Value) })
	}
	onLookup := o.OnLookup
	if onLookup == nil {
		onLookup = func(bool) {}
	}
	return &Cache[K, V]{entries: otter.Must(oo), onLookup: onLookup, flights: map[K]*flight[V]{}}
}

// Kept gives the value that is kept, if there is one. It is Get for callers to
// whom even making the load function costs too much.
func (c *Cache[K, V]) Kept(key K) (V, bool) {
	if !c.bypass.Load() {
		if v, ok := c.entries.GetIfPresent(key); ok {
			c.onLookup(true)
			return v, true
		}
	}
	var zero V
	return zero, false
}

// Get gives the kept value, or loads it. Errors of load are not kept. A caller
// whose context ends leaves; the load goes on for the others.
func (c *Cache[K, V]) Get(ctx context.Context, key K, load func(context.Context) (V, error)) (V, error) {
	if v, ok := c.Kept(key); ok {
		return v, nil
	}
	if c.bypass.Load() {
		return load(ctx)
	}
	c.onLookup(false)
	f := c.join(ctx, key, load)
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		var zero V
		return zero, ctx.Err()
	}
}

// join finds the load that is under way for the key, or starts one.
func (c *Cache[K, V]) join(ctx context.Context, key K, load func(context.Context) (V, error)) *flight[V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.flights[key]; ok {
		return f
	}
	f := &flight[V]{done: make(chan struct{})}
	if v, ok := c.entries.GetIfPresent(key); ok { // kept since the caller looked
		f.value = v
		close(f.done)
		return f
	}
	c.flights[key] = f
	go c.run(context.WithoutCancel(ctx), key, f, load)
	return f
}

// run loads, and keeps the value unless the key was forgotten meanwhile.
func (c *Cache[K, V]) run(ctx context.Context, key K, f *flight[V], load func(context.Context) (V, error)) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	defer close(f.done)
	f.value, f.err = guarded(ctx, load)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flights[key] != f {
		return
	}
	delete(c.flights, key)
	if f.err == nil {
		c.entries.Set(key, f.value)
	}
}

// guarded turns a panic of load into an error: in a goroutine of its own it
// would end the process.
func guarded[V any](ctx context.Context, load func(context.Context) (V, error)) (v V, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic while loading: %v\n%s", r, debug.Stack())
		}
	}()
	return load(ctx)
}

// Keep keeps a value that was not loaded by Get. Whoever calls it makes sure that
// it is no older than the last change that the cache was told of.
func (c *Cache[K, V]) Keep(key K, v V) {
	if !c.bypass.Load() {
		c.entries.Set(key, v)
	}
}

// Forget drops a key.
func (c *Cache[K, V]) Forget(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flights, key)
	c.entries.Invalidate(key)
}

// ForgetAll drops every key.
func (c *Cache[K, V]) ForgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.flights)
	c.entries.InvalidateAll()
}

// SetLive tells whether changes are heard of. While they are not, every Get
// loads: slow, never stale.
func (c *Cache[K, V]) SetLive(live bool) {
	c.bypass.Store(!live)
	c.ForgetAll()
}

// Weight is the sum of the weights of what is kept.
func (c *Cache[K, V]) Weight() uint64 { return c.entries.WeightedSize() }
