package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMavenDelete deletes a version: the very next request finds no trace of it,
// and its coordinates stay taken (maven.md 16, 20 number 22).
func TestMavenDelete(t *testing.T) {
	t.Parallel()
	w, err := mavenWorld(sharedServer(t), "deleted")
	if err != nil {
		t.Fatal(err)
	}
	d, ctx := newDeployer(w), context.Background()
	const group, artifact = "org.deleted", "lib"
	for _, version := range []string{"1.0", "1.1"} {
		if err := d.release(ctx, group, artifact, version, library(group, artifact, version, []byte(version))); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	if _, err := d.snapshot(ctx, group, artifact, "2-SNAPSHOT", at, library(group, artifact, "2-SNAPSHOT", []byte("2"))); err != nil {
		t.Fatal(err)
	}
	folder := d.folder(group, artifact)
	alias := folder + "/2-SNAPSHOT/lib-2-SNAPSHOT.jar"
	for _, url := range []string{alias, folder + "/1.1/lib-1.1.jar", folder + "/1.1/"} {
		if _, err := d.get(ctx, url); err != nil {
			t.Fatal(err)
		}
	}
	for _, version := range []string{"1.1", "2-SNAPSHOT"} {
		status, answer, err := d.do(ctx, http.MethodDelete, folder+"/"+version+"/", nil)
		if err != nil || status != http.StatusNoContent {
			t.Fatalf("delete %s: status %d: %s %v", version, status, answer, err)
		}
	}
	gone := []string{
		alias, alias + ".sha1", folder + "/2-SNAPSHOT/maven-metadata.xml",
		folder + "/1.1/lib-1.1.jar", folder + "/1.1/lib-1.1.pom.sha1", folder + "/1.1/",
	}
	for _, url := range gone {
		if status, answer, err := d.do(ctx, http.MethodGet, url, nil); err != nil || status != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404: %.80s %v", url, status, answer, err)
		}
	}
	m, err := d.metadata(ctx, folder)
	if err != nil || !slices.Equal(m.versions(), []string{"1.0"}) || m.Versioning.Release != "1.0" || m.Versioning.Latest != "1.0" {
		t.Errorf("the metadata is %+v: %v", m.Versioning, err)
	}
	listing, err := d.get(ctx, folder+"/")
	if err != nil || !strings.Contains(string(listing), `href="1.0/"`) || strings.Contains(string(listing), "1.1") || strings.Contains(string(listing), "SNAPSHOT") {
		t.Errorf("the listing is\n%s\n%v", listing, err)
	}
	if err := d.put(ctx, folder+"/1.1/lib-1.1.jar", []byte("other")); err == nil || !strings.Contains(err.Error(), fmt.Sprint(http.StatusConflict)) {
		t.Errorf("a deleted version was published again with other bytes: %v", err)
	}
}
