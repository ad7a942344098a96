package main

import (
	"context"
	"fmt"
	"time"
)

const (
	idleTarget   = 40 << 20 // bytes
	uploadTarget = 50 << 20 // above idle
	readTarget   = 150 << 20
)

// measureMemory watches the resident memory of fresh servers. What is counted
// is all that the kernel holds for the process, the program's own pages too.
func (b *bench) measureMemory(ctx context.Context, w *world) error {
	idle, err := w.idle(ctx)
	if err != nil {
		return err
	}
	b.table.add(row{work: "memory: idle", ours: megabytes(idle), target: "≤ " + megabytes(idleTarget), met: verdict(idle <= idleTarget)})

	progress("  a publish of %d MB", b.upload>>20)
	grown, err := w.growth(ctx, func() error { return w.publishStream(ctx, "@bench/huge", "1.0.0", b.upload) })
	if err != nil {
		return err
	}
	b.addGrowth(fmt.Sprintf("memory: a publish of %d MB in progress", b.upload>>20), grown, uploadTarget)

	progress("  %d readers", connections)
	grown, err = w.growth(ctx, func() error {
		_, err := b.load(ctx, target{url: w.registry + escapeName(large), header: w.header()}, 2*b.round)
		return err
	})
	if err != nil {
		return err
	}
	b.addGrowth(fmt.Sprintf("memory: %d readers of the packument of %d versions, not compressed", connections, b.versions), grown, readTarget)
	return nil
}

func (b *bench) addGrowth(work string, grown, target int64) {
	b.table.add(row{work: work, ours: "idle + " + megabytes(grown), target: "≤ idle + " + megabytes(target), met: verdict(grown <= target)})
}

// growth is how far the peak of a fresh server rises above its idle state.
func (w *world) growth(ctx context.Context, do func() error) (int64, error) {
	before, err := w.idle(ctx)
	if err != nil {
		return 0, err
	}
	if err := w.running.resetPeak(); err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	peak, err := w.running.memory("VmHWM")
	return peak - before, err
}

// idle restarts the server and gives its memory two seconds later, when all that
// belongs to the start is over.
func (w *world) idle(ctx context.Context) (int64, error) {
	if err := w.restart(ctx); err != nil {
		return 0, err
	}
	select {
	case <-time.After(2 * time.Second):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	return w.running.memory("VmRSS")
}
