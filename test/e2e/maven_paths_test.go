package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// badPaths are what maven.md 17 refuses, with what follows the repository's
// address as it goes over the wire.
var badPaths = []struct {
	name, path string
	get        int // statuses; 0: any of the 400s
	put        int
}{
	{"parent folder", "a/../b/1.0/b-1.0.jar", 400, 400},
	{"this folder", "a/./b/1.0/b-1.0.jar", 400, 400},
	{"empty segment", "a//b/1.0/b-1.0.jar", 400, 400},
	{"encoded parent folder", "a/%2e%2e/b/1.0/b-1.0.jar", 400, 400},
	{"half encoded parent folder", "a/.%2E/b/1.0/b-1.0.jar", 400, 400},
	{"encoded slash", "a/b%2f..%2fc/1.0/c-1.0.jar", 400, 400},
	{"encoded slash alone", "a/b%2Fc/1.0/c-1.0.jar", 400, 400},
	{"backslash", `a/b\c/1.0/c-1.0.jar`, 400, 400},
	{"encoded backslash", "a/b%5Cc/1.0/c-1.0.jar", 400, 400},
	{"null", "a/b/1.0/b%00-1.0.jar", 400, 400},
	{"line end", "a/b/1.0/b%0d%0a-1.0.jar", 400, 400},
	{"control character", "a/b/1.0/b%07-1.0.jar", 400, 400},
	{"direction override", "a/b/1.0/b%E2%80%AE-1.0.jar", 400, 400},
	{"broken UTF-8", "a/b/1.0/b%ff-1.0.jar", 400, 400},
	{"broken escape", "a/b/1.0/b%zz-1.0.jar", 400, 400},
	{"cut escape", "a/b/1.0/b-1.0.jar%2", 400, 400},
	{"encoded twice", "a/%252e%252e/1.0/b-1.0.jar", 400, 400},
	{"long segment", "a/b/1.0/" + strings.Repeat("x", 300) + ".jar", 400, 400},
	{"long path", strings.Repeat("abcdefgh/", 200) + "1.0/b-1.0.jar", 400, 400},
	{"many segments", strings.Repeat("a/", 60) + "1.0/b-1.0.jar", 400, 400},
	{"folder", "a/b/1.0/", 0, 400},
	{"no version", "a/b-1.0.jar", 404, 400},
	{"matrix parameters", "a/b/1.0/b-1.0.jar;x=y", 404, 400},
	{"reserved folder", ".index/nexus-maven-repository-index.gz", 404, 403},
	{"prefixes", ".meta/prefixes.txt", 404, 403},
	{"debris", "a/b/1.0/_remote.repositories", 404, 400},
	{"old debris", "a/b/1.0/b-1.0.jar.lastUpdated", 404, 400},
	{"local metadata", "a/b/maven-metadata-central.xml", 404, 400},
	{"snapshot metadata without a group", "a/1.0-SNAPSHOT/maven-metadata.xml", 404, 400},
	{"metadata that is none", "a/b/maven-metadata.xml", 404, 400},
	{"markup", "a/b/1.0/%3Cscript%3E.jar", 400, 400},
	{"build number as a release", "a/b/1.0-20260301.101500-7/b-1.0-20260301.101500-7.jar", 404, 400},
}

// TestMavenBadPaths sends them as they are: each is the caller's fault, no 404 is
// of a kind that Maven takes for a failure, and nothing is stored.
func TestMavenBadPaths(t *testing.T) {
	t.Parallel()
	w, err := mavenWorld(sharedServer(t), "badpaths")
	if err != nil {
		t.Fatal(err)
	}
	d := newDeployer(w)
	for _, tt := range badPaths {
		t.Run(tt.name, func(t *testing.T) {
			for _, ask := range []struct {
				method, token string
				want          int
			}{
				{http.MethodGet, w.vars["RW"], tt.get},
				{http.MethodHead, w.vars["RW"], tt.get},
				{http.MethodPut, w.vars["RW"], tt.put},
				{http.MethodDelete, w.vars["RW"], 0},
				{http.MethodGet, "", 0},
				{http.MethodPut, "", 0},
			} {
				status, kind, err := asItIs(d.repository, tt.path, ask.method, ask.token)
				if err != nil {
					t.Fatalf("%s: %v", ask.method, err)
				}
				if status/100 != 4 || ask.want != 0 && status != ask.want {
					t.Errorf("%s (token %t): %d, want %d", ask.method, ask.token != "", status, ask.want)
				}
				if status == http.StatusNotFound && strings.Contains(kind, "problem") {
					t.Errorf("%s: 404 of type %s", ask.method, kind)
				}
			}
		})
	}
	status, listing, err := d.do(context.Background(), http.MethodGet, d.repository+"/", nil)
	if err != nil || status == http.StatusOK && strings.Contains(string(listing), `href="a`) {
		t.Errorf("something is stored: %d %s %v", status, listing, err)
	}
}

// asItIs sends a request whose path no library changes, and tells the answer's
// status and type.
func asItIs(repository, path, method, token string) (status int, contentType string, err error) {
	u, err := url.Parse(repository)
	if err != nil {
		return 0, "", err
	}
	conn, err := net.DialTimeout("tcp", u.Host, 10*time.Second)
	if err != nil {
		return 0, "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return 0, "", err
	}
	body := ""
	if method == http.MethodPut {
		body = "content"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s/%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", method, u.Path, path, u.Host)
	b.WriteString("Accept: application/problem+json,*/*\r\n")
	if token != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", token)
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	if _, err := conn.Write([]byte(b.String())); err != nil {
		return 0, "", err
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return 0, "", err
	}
	return res.StatusCode, res.Header.Get("Content-Type"), res.Body.Close()
}
