package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"pakhus/internal/pgtest"
	"pakhus/internal/registry"
)

// publish adds a version with one file to an npm package of a project.
func publish(ctx context.Context, p *parts, projectID int64, name, version, content string) error {
	spool := p.packages.Spool(0)
	defer spool.Close()
	if _, err := io.WriteString(spool, content); err != nil {
		return err
	}
	_, err := p.packages.Publish(ctx, []registry.Publication{{
		ProjectID: projectID, Format: registry.NPM, Name: name, Key: name, By: registry.Actor{Kind: "command", Name: "test"},
		Versions: []registry.NewVersion{{
			Version: version, Key: version, SortKey: version, Manifest: []byte("{}"),
			Files: []registry.NewFile{{Name: name + "-" + version + ".tgz", Body: spool}},
		}},
		Listing: &registry.Listing{VersionKey: version, Terms: []string{name}},
	}})
	return err
}

// content reads a published file.
func content(t *testing.T, p *parts, projectID int64, name, version string) string {
	t.Helper()
	head, err := p.packages.Package(t.Context(), projectID, registry.NPM, name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := p.store.FindFile(t.Context(), head.ID, name+"-"+version+".tgz")
	if err != nil {
		t.Fatal(err)
	}
	blob, err := p.blobs.Open(t.Context(), f.Blob.Key)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	text, err := io.ReadAll(blob)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// backedUp makes a registry with two packages, a token and a backup of it.
func backedUp(t *testing.T) (from *console, backup string) {
	t.Helper()
	from = newConsole(t)
	from.run("quickstart")
	p := from.open()
	for name, text := range map[string]string{"left": "the left one", "right": "the right one"} {
		if err := publish(t.Context(), p, 1, name, "1.0.0", text); err != nil {
			t.Fatal(err)
		}
	}
	backup = filepath.Join(t.TempDir(), "backup")
	m := from.object("backup", backup)
	if m["blobs"] != 2.0 || m["dialect"] != "sqlite" {
		t.Errorf("backup: %v", m)
	}
	return from, backup
}

// next is an empty registry, with the instance key of another one.
func next(t *testing.T, of *console) *console {
	t.Helper()
	to := newConsole(t)
	key, err := os.ReadFile(filepath.Join(of.dir, "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(to.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to.dir, "secret.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestBackupAndRestore(t *testing.T) {
	from, backup := backedUp(t)
	if status, _, messages := from.try("", "backup", backup); status != exitFailed || !strings.Contains(messages, "not empty") {
		t.Errorf("a backup over another one: %d %s", status, messages)
	}
	to := next(t, from)
	to.run("restore", backup)
	p := to.open()
	for name, want := range map[string]string{"left": "the left one", "right": "the right one"} {
		if got := content(t, p, 1, name, "1.0.0"); got != want {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
	}
	if got, want := to.run("ci-variables", "--project", "acme/demo"), from.run("ci-variables", "--project", "acme/demo"); got != want {
		t.Errorf("the sealed token is %q, want %q", got, want)
	}
	if status, _, messages := to.try("", "restore", backup); status != exitFailed || !strings.Contains(messages, "already") {
		t.Errorf("a restore over a registry: %d %s", status, messages)
	}
	// A secret in a backup would be one more to guard.
	key, err := os.ReadFile(filepath.Join(from.dir, "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(backup, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), strings.TrimSpace(string(key))) {
			t.Errorf("%s holds the instance key", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestRestoreChecksFirst changes a backup in every way and finds it refused with
// nothing written (threats.md O2).
func TestRestoreChecksFirst(t *testing.T) {
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T, backup string, to *console)
		says   string
	}{
		{"rows changed", func(t *testing.T, backup string, _ *console) { flip(t, filepath.Join(backup, databaseFile)) }, "database is not the one"},
		{"list changed", func(t *testing.T, backup string, _ *console) { flip(t, filepath.Join(backup, blobsFile)) }, "blobs.txt is not the one"},
		{"manifest changed", func(t *testing.T, backup string, _ *console) { flip(t, filepath.Join(backup, manifestFile)) }, "was changed"},
		{"seal changed", func(t *testing.T, backup string, _ *console) { flip(t, filepath.Join(backup, sealFile)) }, "was changed"},
		{"bytes changed", func(t *testing.T, backup string, _ *console) { flip(t, oneBlob(t, backup)) }, "is damaged"},
		{"bytes gone", func(t *testing.T, backup string, _ *console) {
			if err := os.Remove(oneBlob(t, backup)); err != nil {
				t.Fatal(err)
			}
		}, "no such file"},
		{"a link in place of bytes", func(t *testing.T, backup string, _ *console) {
			blob := oneBlob(t, backup)
			if err := os.Remove(blob); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("/etc/hostname", blob); err != nil {
				t.Fatal(err)
			}
		}, "escapes"},
		{"another instance key", func(t *testing.T, _ string, to *console) {
			if err := os.Remove(filepath.Join(to.dir, "secret.key")); err != nil {
				t.Fatal(err)
			}
			other := newConsole(t)
			other.run("group", "list")
			key, err := os.ReadFile(filepath.Join(other.dir, "secret.key"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(to.dir, "secret.key"), key, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "another instance key"},
		{"no instance key", func(t *testing.T, _ string, to *console) {
			if err := os.Remove(filepath.Join(to.dir, "secret.key")); err != nil {
				t.Fatal(err)
			}
		}, "put the instance key"},
		{"another kind of database", func(t *testing.T, _ string, to *console) {
			to.environ = append(to.environ, "REGISTRY_DATABASE_URL=postgres://nobody@127.0.0.1:1/none")
		}, "settings name a postgres database"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from, backup := backedUp(t)
			to := next(t, from)
			tt.damage(t, backup, to)
			status, _, messages := to.try("", "restore", backup)
			if status != exitFailed || !strings.Contains(messages, tt.says) {
				t.Errorf("status %d, said %q; want %q", status, messages, tt.says)
			}
			if _, err := os.Stat(filepath.Join(to.dir, "registry.db")); !os.IsNotExist(err) {
				t.Errorf("there is a database: %v", err)
			}
			if found := blobFiles(t, filepath.Join(to.dir, "blobs")); len(found) > 0 {
				t.Errorf("there are blobs: %v", found)
			}
		})
	}
}

// flip changes the last byte of a file.
func flip(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)-1] ^= 1
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func blobFiles(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err == nil && !entry.IsDir() {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func oneBlob(t *testing.T, backup string) string {
	t.Helper()
	return blobFiles(t, filepath.Join(backup, blobsFolder))[0]
}

// TestBackupUnderLoad publishes all the while: every row in the backup has its
// bytes (threats.md O8), and what was there before the backup is in it.
func TestBackupUnderLoad(t *testing.T) {
	from := newConsole(t)
	from.run("quickstart")
	p := from.open()
	before := 0
	if err := publish(t.Context(), p, 1, "load", fmt.Sprintf("0.0.%d", before), "first"); err != nil {
		t.Fatal(err)
	}
	progress := make(chan struct{}, 8)
	var done atomic.Bool
	var published atomic.Int64
	group, ctx := errgroup.WithContext(t.Context())
	for worker := range 4 {
		group.Go(func() error {
			for i := 0; !done.Load(); i++ {
				version := fmt.Sprintf("%d.0.%d", worker+1, i)
				if err := publish(ctx, p, 1, "load", version, "bytes of "+version); err != nil {
					return err
				}
				published.Add(1)
				select {
				case progress <- struct{}{}:
				default:
				}
			}
			return nil
		})
	}
	for range 8 {
		select {
		case <-progress:
		case <-ctx.Done():
			t.Fatal(group.Wait())
		}
	}
	backup := filepath.Join(t.TempDir(), "backup")
	status, _, messages := from.try("", "backup", backup)
	done.Store(true)
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if status != exitDone {
		t.Fatal(messages)
	}
	to := next(t, from)
	to.run("restore", backup)
	restored := to.open()
	head, err := restored.packages.Package(t.Context(), 1, registry.NPM, "load")
	if err != nil {
		t.Fatal(err)
	}
	versions, err := restored.packages.Versions(t.Context(), head.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(versions) < 9 || int64(len(versions)) > published.Load()+1 {
		t.Errorf("the backup has %d versions of %d", len(versions), published.Load()+1)
	}
	for _, v := range versions[1:] {
		if got := content(t, restored, 1, "load", v.Version); got != "bytes of "+v.Version {
			t.Errorf("version %s holds %q", v.Version, got)
		}
	}
}

// TestBackupOfPostgres makes the same way with PostgreSQL's own dump.
func TestBackupOfPostgres(t *testing.T) {
	if _, err := exec.LookPath("pg_dump"); err != nil && os.Getenv("CI") == "" {
		t.Skip("pg_dump is not installed: run test/clients/postgres.sh")
	}
	from := newConsole(t)
	from.environ = append(from.environ, "REGISTRY_DATABASE_URL="+pgtest.New(t))
	from.run("quickstart")
	if err := publish(t.Context(), from.open(), 1, "left", "1.0.0", "the left one"); err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "backup")
	if m := from.object("backup", backup); m["blobs"] != 1.0 || m["dialect"] != "postgres" {
		t.Errorf("backup: %v", m)
	}
	to := next(t, from)
	to.environ = append(to.environ, "REGISTRY_DATABASE_URL="+pgtest.New(t))
	to.run("restore", backup)
	p := to.open()
	if got := content(t, p, 1, "left", "1.0.0"); got != "the left one" {
		t.Errorf("the restored file holds %q", got)
	}
	if err := publish(t.Context(), p, 1, "left", "1.0.1", "the next one"); err != nil {
		t.Errorf("publish after the restore: %v", err)
	}
}
