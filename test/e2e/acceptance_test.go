package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// document is a publish document that a case changes.
type document = map[string]any

// part finds an object within a document.
func part(d document, keys ...string) document {
	for _, key := range keys {
		d = d[key].(document)
	}
	return d
}

// refusedDocuments are changes that make an honest publish of version 1.0.0
// one that is refused.
var refusedDocuments = []struct {
	name   string
	change func(d document, name string)
}{
	{"wrong integrity", func(d document, _ string) {
		part(d, "versions", "1.0.0", "dist")["integrity"] = integrity([]byte("other"))
	}},
	{"wrong shasum", func(d document, _ string) {
		part(d, "versions", "1.0.0", "dist")["shasum"] = strings.Repeat("0", 40)
	}},
	{"wrong length", func(d document, name string) {
		part(d, "_attachments", name+"-1.0.0.tgz")["length"] = 1
	}},
	{"other name in the body", func(d document, _ string) { d["name"], d["_id"] = "@refused/x", "@refused/x" }},
	{"other name in the manifest", func(d document, _ string) {
		part(d, "versions", "1.0.0")["name"] = "@refused/x"
	}},
	{"other version in the manifest", func(d document, _ string) {
		part(d, "versions", "1.0.0")["version"] = "1.0.1"
	}},
	{"other version in the archive", func(d document, name string) {
		versions, files := part(d, "versions"), part(d, "_attachments")
		versions["1.0.1"], files[name+"-1.0.1.tgz"] = versions["1.0.0"], files[name+"-1.0.0.tgz"]
		delete(versions, "1.0.0")
		delete(files, name+"-1.0.0.tgz")
		part(d, "versions", "1.0.1")["version"] = "1.0.1"
		d["dist-tags"] = document{"latest": "1.0.1"}
	}},
	{"no archive", func(d document, name string) {
		file := part(d, "_attachments", name+"-1.0.0.tgz")
		file["data"], file["length"] = "bm90IGEgdGFyYmFsbA==", 13
		delete(part(d, "versions", "1.0.0"), "dist")
	}},
	{"version without meaning", func(d document, _ string) {
		versions := part(d, "versions")
		versions["1.0"] = versions["1.0.0"]
		delete(versions, "1.0.0")
	}},
	{"tag that is a range", func(d document, _ string) { d["dist-tags"] = document{"^1": "1.0.0"} }},
}

// TestRefusedPublish sends what npm.md 7.2 refuses: each is a 400 and leaves
// nothing that anybody can see.
func TestRefusedPublish(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	w, err := newWorld(s, "refused")
	if err != nil {
		t.Fatal(err)
	}
	caller := newRaw(w.vars["PROJECT"], w.vars["RW"])
	ctx := context.Background()
	for i, tt := range refusedDocuments {
		t.Run(tt.name, func(t *testing.T) {
			art, err := newArtifact(fmt.Sprintf("@refused/lib%d", i), "1.0.0", 1000)
			if err != nil {
				t.Fatal(err)
			}
			body, err := art.document("latest")
			if err != nil {
				t.Fatal(err)
			}
			var d document
			if err := json.Unmarshal(body, &d); err != nil {
				t.Fatal(err)
			}
			tt.change(d, art.name)
			if body, err = json.Marshal(d); err != nil {
				t.Fatal(err)
			}
			status, answer, err := caller.do(ctx, http.MethodPut, caller.registry+escapeName(art.name), bytes.NewReader(body))
			if err != nil || status != http.StatusBadRequest {
				t.Errorf("status %d, want 400: %s %v", status, answer, err)
			}
			status, answer, err = caller.do(ctx, http.MethodGet, caller.registry+escapeName(art.name), nil)
			if err != nil || status != http.StatusNotFound {
				t.Errorf("afterwards: status %d, want 404: %s %v", status, answer, err)
			}
			// The untouched document proves that the change was what counted.
			if err := caller.publish(ctx, art, "latest"); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestParallelPublish publishes a hundred versions of one package at once: all
// of them are there, and the revision only grew.
func TestParallelPublish(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	w, err := newWorld(s, "parallel")
	if err != nil {
		t.Fatal(err)
	}
	caller := newRaw(w.vars["PROJECT"], w.vars["RW"])
	ctx := context.Background()
	const name, count = "@parallel/lib", 100
	var publishers sync.WaitGroup
	for i := range count {
		publishers.Go(func() {
			art, err := newArtifact(name, fmt.Sprintf("1.0.%d", i), 500)
			if err != nil {
				t.Error(err)
				return
			}
			if err := caller.publish(ctx, art, "latest", fmt.Sprintf("tag%d", i)); err != nil {
				t.Error(err)
			}
		})
	}
	watched := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(watched)
		last := int64(0)
		for {
			rev, err := caller.revision(ctx, name)
			if err != nil {
				t.Error(err)
				return
			}
			if rev < last {
				t.Errorf("the revision went from %d back to %d", last, rev)
			}
			last = rev
			select {
			case <-done:
				return
			default:
			}
		}
	}()
	publishers.Wait()
	close(done)
	<-watched
	p, err := caller.packument(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Versions) != count {
		t.Errorf("%d versions are listed, not %d", len(p.Versions), count)
	}
	for i := range count {
		if got, want := p.DistTags[fmt.Sprintf("tag%d", i)], fmt.Sprintf("1.0.%d", i); got != want {
			t.Errorf("tag%d is %q, not %q", i, got, want)
		}
	}
}

// revision gives the number that _rev begins with, 0 for an absent package.
func (r raw) revision(ctx context.Context, name string) (int64, error) {
	_, answer, err := r.do(ctx, http.MethodGet, r.registry+escapeName(name), nil)
	if err != nil {
		return 0, err
	}
	var doc struct {
		Rev string `json:"_rev"`
	}
	if err := json.Unmarshal(answer, &doc); err != nil || doc.Rev == "" {
		return 0, err
	}
	number, _, _ := strings.Cut(doc.Rev, "-")
	return strconv.ParseInt(number, 10, 64)
}

// TestStaleRevision unpublishes by a document that was read before another
// publish: refused, and nothing is lost.
func TestStaleRevision(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	w, err := newWorld(s, "stale")
	if err != nil {
		t.Fatal(err)
	}
	caller := newRaw(w.vars["PROJECT"], w.vars["RW"])
	ctx := context.Background()
	const name = "@stale/lib"
	url := caller.registry + escapeName(name)
	publish := func(version string) {
		t.Helper()
		art, err := newArtifact(name, version, 500)
		if err != nil {
			t.Fatal(err)
		}
		if err := caller.publish(ctx, art, "latest"); err != nil {
			t.Fatal(err)
		}
	}
	publish("1.0.0")
	publish("1.1.0")
	_, stale, err := caller.do(ctx, http.MethodGet, url+"?write=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Rev string `json:"_rev"`
	}
	if err := json.Unmarshal(stale, &doc); err != nil || doc.Rev == "" {
		t.Fatalf("no revision in %s: %v", stale, err)
	}
	publish("1.2.0")

	for _, tt := range []struct{ name, method, path string }{
		{"stale document", http.MethodPut, "/-rev/" + doc.Rev},
		{"stale delete", http.MethodDelete, "/-rev/" + doc.Rev},
		{"no revision", http.MethodPut, "/-rev/undefined"},
		{"delete without revision", http.MethodDelete, "/-rev/undefined"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, answer, err := caller.do(ctx, tt.method, url+tt.path, bytes.NewReader(stale))
			if err != nil || status != http.StatusConflict {
				t.Errorf("status %d, want 409: %s %v", status, answer, err)
			}
			p, err := caller.packument(ctx, name)
			if err != nil {
				t.Fatal(err)
			}
			for _, version := range []string{"1.0.0", "1.1.0", "1.2.0"} {
				if _, err := p.tarball(ctx, caller, version); err != nil {
					t.Errorf("%s: %v", version, err)
				}
			}
		})
	}
}
