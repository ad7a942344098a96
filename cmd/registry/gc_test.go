package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pakhus/internal/registry"
)

// TestGarbageAndCheck deletes a package, damages another one, and looks at what
// fsck and gc say and do.
func TestGarbageAndCheck(t *testing.T) {
	c := newConsole(t)
	c.run("quickstart")
	p := c.open()
	for _, name := range []string{"kept", "gone"} {
		if err := publish(t.Context(), p, 1, name, "1.0.0", "bytes of "+name); err != nil {
			t.Fatal(err)
		}
	}
	c.same(c.list("name", "package", "list", "--project", "acme/demo"), "gone", "kept")
	if v := c.object("fsck"); v["blobs"] != 2.0 || v["broken"] != 0.0 || v["bytes_read"] != 26.0 {
		t.Errorf("fsck: %v", v)
	}
	if v := c.object("gc", "--grace", "0s"); v["blobs"] != 0.0 || v["orphans"] != 0.0 {
		t.Errorf("gc of what is in use: %v", v)
	}

	c.run("package", "delete", "gone", "--project", "acme/demo", "--format", "npm")
	c.same(c.list("name", "package", "list"), "kept")
	if status, _, messages := c.try("", "package", "delete", "gone", "--project", "acme/demo", "--format", "npm"); status != exitFailed || !strings.Contains(messages, "no npm package gone") {
		t.Errorf("deleted twice: %d %s", status, messages)
	}
	if v := c.object("gc"); v["blobs"] != 0.0 {
		t.Errorf("gc within the grace: %v", v)
	}
	if v := c.object("gc", "--grace", "0s", "--dry-run"); v["blobs"] != 1.0 || v["blob_bytes"] != 13.0 || v["dry_run"] != true {
		t.Errorf("gc --dry-run: %v", v)
	}
	if v := c.object("gc", "--grace", "0s"); v["blobs"] != 1.0 {
		t.Errorf("gc: %v", v)
	}
	if got := content(t, p, 1, "kept", "1.0.0"); got != "bytes of kept" {
		t.Errorf("the other package holds %q after gc", got)
	}
	if status, _, _ := c.try("", "gc", "--grace", "-1h"); status != exitWrong {
		t.Errorf("a negative grace: status %d", status)
	}

	blobs := blobFiles(t, filepath.Join(c.dir, "blobs"))
	if len(blobs) != 1 {
		t.Fatalf("the bucket holds %v", blobs)
	}
	stray := blobs[0] + "z"
	if err := os.WriteFile(stray, []byte("left behind"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text := c.run("fsck", "--grace", "0s"); !strings.Contains(text, string(registry.Orphan)+"\tsha256/") || !strings.Contains(text, "0 missing or damaged, 1 orphans, 0 repaired") {
		t.Errorf("fsck with an orphan:\n%s", text)
	}
	if v := c.object("fsck", "--grace", "0s", "--repair"); v["repaired"] != 1.0 {
		t.Errorf("fsck --repair: %v", v)
	}
	if _, err := os.Stat(stray); !os.IsNotExist(err) {
		t.Errorf("the orphan is still there: %v", err)
	}

	if err := os.Chmod(blobs[0], 0o600); err != nil {
		t.Fatal(err)
	}
	flip(t, blobs[0])
	if v := c.object("fsck", "--shallow"); v["broken"] != 0.0 {
		t.Errorf("fsck --shallow reads bytes: %v", v)
	}
	status, out, messages := c.try("", "fsck", "-o", "json")
	if status != exitFailed || !strings.Contains(out, `"damage":"damaged"`) || !strings.Contains(messages, "1 blobs are missing or damaged") {
		t.Errorf("fsck of damaged bytes: %d %s %s", status, out, messages)
	}
	if status, _, messages := c.try("", "backup", filepath.Join(t.TempDir(), "b")); status != exitFailed || !strings.Contains(messages, "damaged") {
		t.Errorf("a backup of damaged bytes: %d %s", status, messages)
	}
	if err := os.Remove(blobs[0]); err != nil {
		t.Fatal(err)
	}
	if status, out, _ := c.try("", "fsck", "-o", "json"); status != exitFailed || !strings.Contains(out, `"damage":"missing"`) {
		t.Errorf("fsck of missing bytes: %d %s", status, out)
	}
}
