package main

import (
	"net/http"
	"testing"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
)

// An answer that is given again and again ends with what it rests on: the next
// request after a change meets the gate (threats.md T11).
func TestRepeatedAnswersEndWithTheirGrounds(t *testing.T) {
	c := newConsole(t)
	for _, args := range [][]string{{"group", "create", "acme"}, {"group", "create", "other"}, {"project", "create", "acme/demo"}, {"project", "create", "other/app"}} {
		c.run(args...)
	}
	p := c.open()
	server, err := p.server()
	if err != nil {
		t.Fatal(err)
	}
	callers := matrixCallers(t, p)
	publishForMatrix(t, server, callers)
	addr := listenForMatrix(t, server)
	by := registry.Actor{Kind: "command", Name: "test"}
	token, secret, err := p.tokens.CreateDeployToken(t.Context(), auth.NewDeployToken{Name: "ci", Scopes: auth.ReadPackageRegistry, ProjectID: 1}, by)
	if err != nil {
		t.Fatal(err)
	}
	var reporter string
	for _, who := range callers {
		if who.name == "reporter" {
			reporter = who.token
		}
	}
	read := func(token string, want int) {
		t.Helper()
		for _, path := range []string{"lib", "lib/-/lib-1.0.0.tgz"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v4/projects/1/packages/npm/"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+token)
			for range 3 {
				if got := statusOver(t, addr, r); got != want {
					t.Fatalf("%s: got %d, want %d", path, got, want)
				}
			}
		}
	}
	read(secret.Reveal(), http.StatusOK)
	read(reporter, http.StatusOK)
	if err := p.tokens.RevokeDeployToken(t.Context(), token.ID, by); err != nil {
		t.Fatal(err)
	}
	read(secret.Reveal(), http.StatusUnauthorized)
	read(reporter, http.StatusOK)
	if err := p.tokens.RemoveMember(t.Context(), "reporter", registry.Span{GroupID: 1}, by); err != nil {
		t.Fatal(err)
	}
	read(reporter, http.StatusNotFound)
	if err := p.tokens.SetMember(t.Context(), "reporter", registry.Span{GroupID: 1}, auth.Reporter, by); err != nil {
		t.Fatal(err)
	}
	read(reporter, http.StatusOK)
	if err := p.packages.DeleteProject(t.Context(), 1, by); err != nil {
		t.Fatal(err)
	}
	read(reporter, http.StatusNotFound)
}
