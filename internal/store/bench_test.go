package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"pakhus/internal/pgtest"
	"pakhus/internal/registry"
	"pakhus/internal/store"
)

// durable are databases that wait for the disk, as in production.
var durable = map[string]func(b *testing.B) string{
	"sqlite":   func(b *testing.B) string { return "sqlite://" + filepath.Join(b.TempDir(), "registry.db") },
	"postgres": func(b *testing.B) string { return pgtest.Durable(b) },
}

// BenchmarkPublish publishes single versions of packages of their own, one or
// eight at a time.
func BenchmarkPublish(b *testing.B) {
	for name, make := range durable {
		b.Run(name, func(b *testing.B) {
			w := newDurable(b, make)
			var n atomic.Int64
			for _, writers := range []int{1, 8} {
				b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
					publishAll(b, w, &n, writers, func(i int64) (string, string) { return fmt.Sprintf("p%d", i), "1.0.0" })
				})
			}
		})
	}
}

// BenchmarkBigPackage compares a package of 10,000 versions with a new one, and
// reads all of its fragments.
func BenchmarkBigPackage(b *testing.B) {
	for name, make := range durable {
		b.Run(name, func(b *testing.B) {
			w := newDurable(b, make)
			var n atomic.Int64
			for range 10 {
				w.publishMany(b, "big", &n, 1000)
			}
			for _, pkg := range []string{"big", "small"} {
				b.Run("publish="+pkg, func(b *testing.B) {
					publishAll(b, w, &n, 1, func(i int64) (string, string) { return pkg, fmt.Sprintf("2.0.%d", i) })
				})
			}
			b.Run("read", func(b *testing.B) {
				head := w.publish(b, "big", fmt.Sprintf("3.0.%d", n.Add(1)))
				for b.Loop() {
					if _, err := w.ListFragments(b.Context(), head.ID, "full"); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

func newDurable(b *testing.B, make func(*testing.B) string) *world {
	b.Helper()
	databaseURL := make(b)
	if err := migrate(databaseURL); err != nil {
		b.Fatal(err)
	}
	return newWorld(b, open(b, store.Options{URL: databaseURL}))
}

func publishAll(b *testing.B, w *world, n *atomic.Int64, writers int, name func(int64) (pkg, version string)) {
	b.Helper()
	type release struct {
		pub   registry.Publication
		blobs map[string]registry.Blob
	}
	work := make(chan release, b.N)
	for range b.N {
		pkg, version := name(n.Add(1))
		pub, blobs := w.publication(b, pkg, version)
		work <- release{pub, blobs}
	}
	close(work)
	b.ResetTimer()
	errs := make(chan error, writers)
	for range writers {
		go func() {
			var failed error
			for r := range work {
				if _, err := w.SavePublication(context.Background(), []registry.Publication{r.pub}, r.blobs); err != nil {
					failed = err
				}
			}
			errs <- failed
		}()
	}
	for range writers {
		if err := <-errs; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "publishes/s")
}

// publishMany publishes versions of one package in one transaction.
func (w *world) publishMany(b *testing.B, pkg string, n *atomic.Int64, count int) {
	b.Helper()
	var pub registry.Publication
	blobs := map[string]registry.Blob{}
	for range count {
		p, more := w.publication(b, pkg, fmt.Sprintf("1.0.%d", n.Add(1)))
		p.Versions = append(pub.Versions, p.Versions...)
		pub = p
		for digest, blob := range more {
			blobs[digest] = blob
		}
	}
	if _, err := w.SavePublication(b.Context(), []registry.Publication{pub}, blobs); err != nil {
		b.Fatal(err)
	}
}
