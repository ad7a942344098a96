package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"text/tabwriter"
)

// version is set by the linker when a release is built.
var version string

// configCommand prints the settings.
type configCommand struct{}

// Run prints each setting with where it is from.
func (*configCommand) Run(a *app) error {
	c, err := a.config()
	if err != nil {
		return err
	}
	for _, warning := range c.Warnings() {
		a.message("warning: %s", warning)
	}
	return a.print(c.Settings(), func(w io.Writer) error {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, s := range c.Settings() {
			fmt.Fprintf(table, "%s\t%s\t%s\n", s.Key, s.Value, s.Source)
		}
		return table.Flush()
	})
}

// migrateCommand brings the database up to date.
type migrateCommand struct{}

// Run migrates and prints the schema's number.
func (*migrateCommand) Run(ctx context.Context, a *app) (err error) {
	p, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	schema, err := p.store.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	return a.print(map[string]int64{"schema": schema}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "the database has schema %d\n", schema)
		return err
	})
}

// versionCommand prints what this program was built from.
type versionCommand struct{}

// Run prints the version; it needs no settings.
func (*versionCommand) Run(a *app) error {
	v := programVersion()
	return a.print(v, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "registry %s (%s, %s)\n", v.Version, v.Revision, v.Go)
		return err
	})
}

// programInfo says what this program was built from.
type programInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision"`
	Go       string `json:"go"`
}

func programVersion() programInfo {
	v := programInfo{Version: version, Revision: "unknown revision", Go: runtime.Version()}
	if v.Version == "" {
		v.Version = "0.0.0-dev"
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Revision = s.Value
		}
	}
	return v
}
