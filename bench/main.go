// Command bench measures the registry on this machine: reads against nginx that
// serves the same bytes as static files, publishes, cold documents and memory.
// It builds the server, starts everything on loopback in a temporary folder, and
// prints a Markdown table; README.md has one with notes.
//
//	go run ./bench [-quick] [-only read,publish] [-profiles DIR]
//
// It needs wrk and nginx (test/clients/load.sh); PostgreSQL is measured when its
// programs are there. Ratios say more than rates: both servers take turns on
// the same machine within the same seconds.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// settings say how much is measured.
type settings struct {
	only     []string      // sections; all when empty
	profiles string        // folder for CPU profiles; none when empty
	bound    time.Duration // of the whole run, builds apart

	rounds   int           // per comparison, of each server
	round    time.Duration // how long one lasts
	versions int           // of the large package
	download int64         // bytes of the large tarball
	upload   int64         // bytes of the publish whose memory is watched
	samples  int           // single requests behind a median
}

var (
	thorough = settings{
		bound: 6 * time.Minute, rounds: 5, round: 1500 * time.Millisecond,
		versions: 10_000, download: 100 << 20, upload: 1 << 30, samples: 100,
	}
	quick = settings{
		bound: time.Minute, rounds: 3, round: 400 * time.Millisecond,
		versions: 1_000, download: 20 << 20, upload: 100 << 20, samples: 30,
	}
)

func main() {
	short := flag.Bool("quick", false, "measure less, in under a minute")
	only := flag.String("only", "", "sections to measure, with commas: "+strings.Join(sections, ", "))
	profiles := flag.String("profiles", "", "folder to write CPU profiles of the server to")
	flag.Parse()
	s := thorough
	if *short {
		s = quick
	}
	s.profiles = *profiles
	if *only != "" {
		s.only = strings.Split(*only, ",")
		for _, name := range s.only {
			if !slices.Contains(sections, name) {
				fmt.Fprintf(os.Stderr, "bench: there is no section %q\n", name)
				os.Exit(2)
			}
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run.
type bench struct {
	settings
	dir    string // temporary; everything is in it
	tools  tools
	binary string // the registry
	table  table
}

func run(ctx context.Context, s settings) (err error) {
	b := &bench{settings: s}
	if b.tools, err = findTools(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "pakhus-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if b.binary, err = build(ctx, b.dir); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeoutCause(ctx, s.bound, fmt.Errorf("the run took longer than %s", s.bound))
	defer cancel()
	start := time.Now()
	measured := b.measure(bounded)
	if measured != nil {
		measured = errors.Join(measured, context.Cause(bounded))
	}
	// What was measured before a failure is worth the same.
	describe(ctx, os.Stdout, b, time.Since(start))
	return errors.Join(measured, b.table.write(os.Stdout))
}

// sections are what -only may name. The first ones share npm packages, those of
// other formats publish their own.
var sections = []string{"cold", "publish", "read", "memory", "nuget", "maven", "postgres"}

const npmSections = 4

func (b *bench) measure(ctx context.Context) error {
	if b.wants(sections[:len(sections)-1]...) {
		if err := b.measureSQLite(ctx); err != nil {
			return err
		}
	}
	if b.wants("postgres") {
		return b.measurePostgres(ctx)
	}
	return nil
}

// measureSQLite goes through the sections that share one data folder.
func (b *bench) measureSQLite(ctx context.Context) (err error) {
	s, err := newServer(b, filepath.Join(b.dir, "sqlite"), nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	w, err := newWorld(ctx, s)
	if err != nil {
		return err
	}
	if b.wants(sections[:npmSections]...) {
		if err := b.fill(ctx, w); err != nil {
			return err
		}
	}
	for _, section := range []struct {
		name    string
		measure func(context.Context, *world) error
	}{
		{"cold", b.measureCold}, // before publishes make the large package larger
		{"publish", func(ctx context.Context, w *world) error { return b.measurePublish(ctx, w, "SQLite") }},
		{"read", b.measureReads},
		{"memory", b.measureMemory},
		{"nuget", b.measureNuGet},
		{"maven", b.measureMaven},
	} {
		if !b.wants(section.name) {
			continue
		}
		progress("%s", section.name)
		if err := section.measure(ctx, w); err != nil {
			return fmt.Errorf("%s: %w", section.name, err)
		}
	}
	return nil
}

// wants tells whether any of the sections is to be measured.
func (b *bench) wants(names ...string) bool {
	return len(b.only) == 0 || slices.ContainsFunc(names, func(name string) bool { return slices.Contains(b.only, name) })
}

func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}
