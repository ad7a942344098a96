package main

import (
	"context"
	"fmt"
	"time"

	"pakhus/internal/registry"
)

// gcCommand removes bytes that nothing names.
type gcCommand struct {
	DryRun bool          `help:"Remove nothing; say what would be removed."`
	Grace  time.Duration `help:"Least age of what is removed; 24h. A publish under way must not be older." default:"24h" placeholder:"TIME"`
}

// Validate refuses a grace that ends in the future.
func (c *gcCommand) Validate() error { return checkGrace(c.Grace) }

func checkGrace(grace time.Duration) error {
	if grace < 0 {
		return registry.Errorf(registry.Invalid, "--grace must not be negative")
	}
	return nil
}

// shortGrace is what a publish may well take: with less, servers should not run.
const shortGrace = time.Hour

// graceOf gives the grace as options take it: there 0 stands for the default.
func graceOf(a *app, grace time.Duration) time.Duration {
	if grace < shortGrace {
		a.message("warning: with a grace of %s no server may be publishing", grace)
	}
	return max(grace, 1)
}

type gcView struct {
	DryRun      bool  `json:"dry_run"`
	Blobs       int   `json:"blobs"`
	BlobBytes   int64 `json:"blob_bytes"`
	Orphans     int   `json:"orphans"`
	OrphanBytes int64 `json:"orphan_bytes"`
	InUse       int   `json:"in_use"`
}

func (v gcView) cells() []cell {
	verb := "removed"
	if v.DryRun {
		verb = "would be removed"
	}
	return []cell{
		{"unused blobs " + verb, fmt.Sprintf("%d (%d bytes)", v.Blobs, v.BlobBytes)},
		{"orphans " + verb, fmt.Sprintf("%d (%d bytes)", v.Orphans, v.OrphanBytes)},
		{"taken up again meanwhile", fmt.Sprint(v.InUse)},
	}
}

// Run collects garbage. What it removed before a failure is reported as well.
func (c *gcCommand) Run(ctx context.Context, a *app) error {
	grace := graceOf(a, c.Grace)
	return a.with(ctx, func(p *parts) error {
		r, err := registry.CollectGarbage(ctx, p.store, p.blobs, registry.GCOptions{Grace: grace, DryRun: c.DryRun})
		view := gcView{c.DryRun, r.Blobs, r.BlobBytes, r.Orphans, r.OrphanBytes, r.InUse}
		if err != nil {
			a.message("removed before the failure: %d unused blobs and %d orphans", view.Blobs, view.Orphans)
			return err
		}
		return a.show(view)
	})
}
