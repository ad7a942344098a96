package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"pakhus/internal/registry"
)

// fsckCommand compares the rows with the bucket.
type fsckCommand struct {
	Repair  bool          `help:"Remove orphans. Missing and damaged bytes come back only from a backup or by publishing again."`
	Shallow bool          `help:"Compare sizes only; do not read the bytes."`
	Grace   time.Duration `help:"Least age of an orphan; 24h." default:"24h" placeholder:"TIME"`
}

// Validate refuses a grace that ends in the future.
func (c *fsckCommand) Validate() error { return checkGrace(c.Grace) }

// Help says what the exit status means.
func (c *fsckCommand) Help() string {
	return "Servers may run meanwhile. The exit status is 1 when bytes are missing or damaged; orphans, which garbage collection removes, do no harm."
}

// maxFindings bounds the findings in a JSON document; as text all are printed.
const maxFindings = 10_000

type findingView struct {
	Damage   string `json:"damage"` // missing, damaged, orphan
	Key      string `json:"key"`
	Digest   string `json:"sha256,omitempty"`
	Size     int64  `json:"size"`
	Detail   string `json:"detail"`
	Repaired bool   `json:"repaired"`
}

type fsckView struct {
	Blobs    int           `json:"blobs"`
	Bytes    int64         `json:"bytes_read"`
	Broken   int           `json:"broken"` // missing or damaged
	Orphans  int           `json:"orphans"`
	Repaired int           `json:"repaired"`
	Findings []findingView `json:"findings"` // the first ten thousand
}

// Run checks everything and prints what is wrong.
func (c *fsckCommand) Run(ctx context.Context, a *app) error {
	options := registry.CheckOptions{Shallow: c.Shallow, Repair: c.Repair, Grace: max(c.Grace, 1)}
	if c.Repair {
		options.Grace = graceOf(a, c.Grace)
	}
	return a.with(ctx, func(p *parts) error {
		view := fsckView{Findings: []findingView{}}
		r, err := registry.Check(ctx, p.store, p.blobs, options, func(f registry.Finding) error { return view.add(a, f) })
		if err != nil {
			return err
		}
		view.Blobs, view.Bytes, view.Repaired = r.Blobs, r.Bytes, r.Repaired
		err = a.print(view, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%d blobs, %d bytes read: %d missing or damaged, %d orphans, %d repaired\n",
				view.Blobs, view.Bytes, view.Broken, view.Orphans, view.Repaired)
			return err
		})
		if err == nil && view.Broken > 0 {
			err = fmt.Errorf("%d blobs are missing or damaged: restore them from a backup or publish their packages again", view.Broken)
		}
		return err
	})
}

// add counts a finding; as text it is printed at once.
func (v *fsckView) add(a *app, f registry.Finding) error {
	if f.Damage == registry.Orphan {
		v.Orphans++
	} else {
		v.Broken++
	}
	if !a.json {
		_, err := fmt.Fprintf(a.out, "%s\t%s\t%s\n", f.Damage, f.Key, f.Detail)
		return err
	}
	if len(v.Findings) < maxFindings {
		v.Findings = append(v.Findings, findingView{string(f.Damage), f.Key, f.Digest, f.Size, f.Detail, f.Repaired})
	}
	return nil
}
