package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pakhus/internal/auth"
	"pakhus/internal/httpapi"
	"pakhus/internal/registry"
)

var update = flag.Bool("update", false, "rewrite golden files")

// caller is one column of the matrix.
type caller struct{ name, token string }

// TestRouteMatrix calls every route of the server with every single scope, with
// foreign, expired and revoked tokens, with users of each role, and without a
// credential. The statuses are compared with a golden file, so that no route
// changes who may call it unnoticed (threats.md P3, T1, T6).
//
// What reads is asked twice more over a connection, where an answer may be given
// again: that is never another one, and never that of another caller.
//
// Bodies are empty: a caller whom the gate lets through gets whatever the
// handler says to that (400, 404, 409, 200), never 401 or 403.
func TestRouteMatrix(t *testing.T) {
	c := newConsole(t)
	for _, args := range [][]string{
		{"group", "create", "acme"}, {"group", "create", "other"}, {"project", "create", "acme/demo"}, {"project", "create", "other/app"},
	} {
		c.run(args...)
	}
	p := c.open()
	server, err := p.server()
	if err != nil {
		t.Fatal(err)
	}
	callers := matrixCallers(t, p)
	publishForMatrix(t, server, callers)
	pushForMatrix(t, server, callers)
	publishMavenForMatrix(t, server, callers)

	addr := listenForMatrix(t, server)

	var got strings.Builder
	for _, route := range matrixRoutes(t, p) {
		fmt.Fprintf(&got, "%s %s (%s)\n ", route.Method, route.Pattern, route.Action)
		for _, who := range callers {
			r := httptest.NewRequest(route.Method, "/api/v4"+fillPattern(route.Pattern), strings.NewReader(""))
			r.Header.Set("Content-Type", "application/json")
			if who.token != "" {
				r.Header.Set("Authorization", "Bearer "+who.token)
			}
			w := httptest.NewRecorder()
			server.ServeHTTP(w, r)
			fmt.Fprintf(&got, " %s=%d", who.name, w.Code)
			if r.Method == http.MethodGet {
				for range 2 {
					if again := statusOver(t, addr, r); again != w.Code {
						t.Errorf("%s as %s: %d, and over a connection %d", route.Pattern, who.name, w.Code, again)
					}
				}
			}
			if w.Code >= http.StatusInternalServerError {
				t.Errorf("%s %s as %s: %d %s", route.Method, route.Pattern, who.name, w.Code, w.Body)
			}
		}
		got.WriteByte('\n')
	}
	golden := filepath.Join("testdata", "matrix.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the matrix changed; read the difference, then run with -update:\n%s", lineDifference(string(want), got.String()))
	}
}

// listenForMatrix serves on loopback until the test ends.
func listenForMatrix(t *testing.T, server *httpapi.Server) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx, l, nil) }()
	server.Listener().SetLive(true) // as the store's Follow does
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// statusOver sends a request that was made for a handler to an address.
func statusOver(t *testing.T, addr string, r *http.Request) int {
	t.Helper()
	sent, err := http.NewRequestWithContext(t.Context(), r.Method, "http://"+addr+r.URL.RequestURI(), nil)
	if err != nil {
		t.Fatal(err)
	}
	sent.Header = r.Header
	resp, err := http.DefaultTransport.RoundTrip(sent) // follows no redirects
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// matrixRoutes are all routes, those last that end what the others need.
func matrixRoutes(t *testing.T, p *parts) []auth.Route {
	t.Helper()
	npm, err := p.npm()
	if err != nil {
		t.Fatal(err)
	}
	maven, err := p.maven()
	if err != nil {
		t.Fatal(err)
	}
	nuget, err := p.nuget()
	if err != nil {
		t.Fatal(err)
	}
	routes := slices.Concat(p.management().Routes(), npm.Routes(), nuget.Routes(), maven.Routes())
	order := func(r auth.Route) string {
		last := "0"
		if strings.Contains(r.Pattern, "personal_access_tokens/self") && r.Method != http.MethodGet {
			last = "1"
		}
		return last + r.Pattern + " " + r.Method
	}
	slices.SortFunc(routes, func(a, b auth.Route) int { return strings.Compare(order(a), order(b)) })
	return routes
}

// fillPattern names things that exist, but a project and group to delete that do
// not.
func fillPattern(pattern string) string {
	return strings.NewReplacer(
		":project", "1", ":group", "1", ":name@:version", "lib@1.0.0", ":name", "lib", ":version", "1.0.0", ":file", "lib-1.0.0.tgz",
		":lower", "1.0.0", ":upper", "1.0.0", ":id", "lib", ":list", "Packages()", ":nupkg", "lib.1.0.0.nupkg", ":pdb", "lib.pdb", ":key", "00112233445566778899aabbccddee01ffffffff", ":rev", "0-0", ":package", "org/acme/app", ":artifact", "app-1.0.0.jar", ":toplevel", "org", ":snapshot", "2-SNAPSHOT", ":directory", "org/acme/app", ":short", "org/acme", ":reserved", "index/x", ":tag", "beta", "user::user", "user:nobody", ":user", "nobody", ":team", "team", ":token", "999",
	).Replace(pattern)
}

func matrixCallers(t *testing.T, p *parts) []caller {
	t.Helper()
	ctx, by := t.Context(), registry.Actor{Kind: "command", Name: "test"}
	fail := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	token := func(n auth.NewDeployToken) (auth.DeployToken, string) {
		n.Name = "matrix"
		made, secret, err := p.tokens.CreateDeployToken(ctx, n, by)
		fail(err)
		return made, secret.Reveal()
	}
	callers := []caller{{"anonymous", ""}, {"unknown", "gldt-nobodyknowsthis"}}
	both := auth.ReadPackageRegistry | auth.WritePackageRegistry
	for _, scope := range auth.Scope(1<<7 - 1).Names() {
		set, err := auth.ParseScopes([]string{scope})
		fail(err)
		_, secret := token(auth.NewDeployToken{Scopes: set, ProjectID: 1})
		callers = append(callers, caller{scope, secret})
	}
	_, foreign := token(auth.NewDeployToken{Scopes: both, ProjectID: 2})
	_, group := token(auth.NewDeployToken{Scopes: both, GroupID: 1})
	_, expired := token(auth.NewDeployToken{Scopes: both, ProjectID: 1, ExpiresAt: time.Now().Add(-time.Hour)})
	gone, revoked := token(auth.NewDeployToken{Scopes: both, ProjectID: 1})
	fail(p.tokens.RevokeDeployToken(ctx, gone.ID, by))
	callers = append(callers, caller{"foreign", foreign}, caller{"group", group}, caller{"expired", expired}, caller{"revoked", revoked})
	for _, role := range []string{"stranger", "guest", "reporter", "developer", "maintainer"} {
		user, err := p.tokens.CreateUser(ctx, auth.NewUser{Username: role}, by)
		fail(err)
		if role != "stranger" {
			level, err := auth.ParseRole(role)
			fail(err)
			fail(p.tokens.SetMember(ctx, role, registry.Span{GroupID: 1}, level, by))
		}
		_, secret, err := p.tokens.CreatePersonalToken(ctx, user.ID, "cli", []string{auth.ScopeAPI}, time.Time{}, by)
		fail(err)
		callers = append(callers, caller{role, secret.Reveal()})
	}
	return callers
}

// publishForMatrix gives project 1 the package lib in version 1.0.0.
func publishForMatrix(t *testing.T, server *httpapi.Server, callers []caller) {
	t.Helper()
	manifest := `{"name":"lib","version":"1.0.0"}`
	var packed bytes.Buffer
	zipped := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zipped)
	header := &tar.Header{Name: "package/package.json", Mode: 0o644, Size: int64(len(manifest)), Typeflag: tar.TypeReg}
	if err := archive.WriteHeader(header); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Write([]byte(manifest)); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{
		"_id": "lib", "name": "lib", "dist-tags": map[string]string{"latest": "1.0.0"}, "versions": map[string]any{"1.0.0": json.RawMessage(manifest)},
		"_attachments": map[string]any{"lib-1.0.0.tgz": map[string]any{"data": base64.StdEncoding.EncodeToString(packed.Bytes()), "length": packed.Len()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPut, "/api/v4/projects/1/packages/npm/lib", bytes.NewReader(body))
	for _, who := range callers {
		if who.name == "group" {
			r.Header.Set("Authorization", "Bearer "+who.token)
		}
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("publish: %d %s", w.Code, w.Body)
	}
}

// publishMavenForMatrix gives project 1 a Maven release.
func publishMavenForMatrix(t *testing.T, server *httpapi.Server, callers []caller) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPut, "/api/v4/projects/1/packages/maven/org/acme/app/1.0.0/app-1.0.0.jar", strings.NewReader("jar"))
	for _, who := range callers {
		if who.name == "group" {
			r.Header.Set("Deploy-Token", who.token)
		}
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	if w.Code != http.StatusCreated {
		t.Fatalf("publish: %d %s", w.Code, w.Body)
	}
}

// lineDifference shows the lines that only one of two texts has.
func lineDifference(want, got string) string {
	var b strings.Builder
	a, z := strings.Split(want, "\n"), strings.Split(got, "\n")
	for _, line := range a {
		if !slices.Contains(z, line) {
			fmt.Fprintf(&b, "- %s\n", line)
		}
	}
	for _, line := range z {
		if !slices.Contains(a, line) {
			fmt.Fprintf(&b, "+ %s\n", line)
		}
	}
	return b.String()
}
