package main

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// publishTargets are five times the rates of Gitea, seen on such a machine.
var publishTargets = map[string]map[int]float64{
	"SQLite":     {1: 540, 8: 760},
	"PostgreSQL": {1: 240, 8: 635},
}

// measurePublish measures publishes on one kind of database.
func (b *bench) measurePublish(ctx context.Context, w *world, database string) error {
	for _, workers := range []int{1, 8} {
		rate, err := w.publishRate(ctx, "", workers, 2*b.round)
		if err != nil {
			return err
		}
		target := publishTargets[database][workers]
		b.table.add(row{
			work: fmt.Sprintf("publish new packages, %d at once, %s", workers, database),
			ours: fmt.Sprintf("%.0f/s", rate), target: fmt.Sprintf("≥ %.0f/s", target), met: verdict(rate >= target),
		})
	}
	if err := b.compareSizes(ctx, w, database); err != nil {
		return err
	}
	return b.compareSizesAtOnce(ctx, w, database)
}

// compareSizes publishes into the large package and into new ones in turn.
func (b *bench) compareSizes(ctx context.Context, w *world, database string) error {
	var intoLarge, intoEmpty []time.Duration
	for range b.samples {
		for name, took := range map[string]*[]time.Duration{large: &intoLarge, "": &intoEmpty} {
			p, err := w.fresh(name)
			if err != nil {
				return err
			}
			d, err := timed(func() error { return w.put(ctx, p.path, p.contentType, bytes.NewReader(p.body)) })
			if err != nil {
				return err
			}
			*took = append(*took, d)
		}
	}
	ratio := float64(median(intoLarge)) / float64(median(intoEmpty))
	b.table.add(row{
		work: fmt.Sprintf("publish into %d versions and into an empty package, 1 at once, %s", b.versions, database),
		ours: fmt.Sprintf("%s and %s", round(median(intoLarge)), round(median(intoEmpty))),
		// The target speaks of times.
		ratio: ratio, target: "≤ 1.5", met: verdict(ratio <= 1.5),
	})
	return nil
}

// compareSizesAtOnce does the same from 8 clients, all into one package.
func (b *bench) compareSizesAtOnce(ctx context.Context, w *world, database string) error {
	var intoLarge, intoEmpty []float64
	for i := range b.rounds {
		empty := fmt.Sprintf("@bench/empty-%d", i)
		for name, rates := range map[string]*[]float64{large: &intoLarge, empty: &intoEmpty} {
			rate, err := w.publishRate(ctx, name, 8, b.round/2)
			if err != nil {
				return err
			}
			*rates = append(*rates, rate)
		}
	}
	ratio := median(intoEmpty) / median(intoLarge)
	b.table.add(row{
		work:  fmt.Sprintf("publish into one package of %d versions and into an empty one, 8 at once, %s", b.versions, database),
		ours:  fmt.Sprintf("%.0f/s and %.0f/s", median(intoLarge), median(intoEmpty)),
		ratio: ratio, target: "≤ 1.5", met: verdict(ratio <= 1.5),
	})
	return nil
}

// publishRate publishes from several clients for some time, each over one
// connection, and gives the publishes a second. With a name all go into that
// package, else each into a new one. The bodies are made beforehand: the clients
// shall not take the server's time.
func (w *world) publishRate(ctx context.Context, name string, workers int, d time.Duration) (float64, error) {
	// More than any server does; one that does it ends early.
	bodies := make([]publish, int(3000*d.Seconds())+workers)
	for i := range bodies {
		var err error
		if bodies[i], err = w.fresh(name); err != nil {
			return 0, err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var taken, done atomic.Int64
	var running sync.WaitGroup
	start := time.Now()
	for range workers {
		running.Go(func() {
			for time.Since(start) < d && ctx.Err() == nil {
				i := taken.Add(1) - 1
				if i >= int64(len(bodies)) {
					return
				}
				if err := w.put(ctx, bodies[i].path, bodies[i].contentType, bytes.NewReader(bodies[i].body)); err != nil {
					cancel(err)
					return
				}
				done.Add(1)
			}
		})
	}
	running.Wait()
	return float64(done.Load()) / time.Since(start).Seconds(), context.Cause(ctx)
}
