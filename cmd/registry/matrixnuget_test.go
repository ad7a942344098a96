package main

import (
	"archive/zip"
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"pakhus/internal/httpapi"
)

// pushForMatrix gives project 1 the NuGet package lib in version 1.0.0.
func pushForMatrix(t *testing.T, server *httpapi.Server, callers []caller) {
	t.Helper()
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	nuspec, err := archive.Create("lib.nuspec")
	if err != nil {
		t.Fatal(err)
	}
	const text = `<package><metadata><id>lib</id><version>1.0.0</version><authors>a</authors><description>d</description></metadata></package>`
	if _, err := nuspec.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPut, "/api/v4/projects/1/packages/nuget/", &packed)
	for _, who := range callers {
		if who.name == "group" {
			r.Header.Set("X-NuGet-ApiKey", who.token)
		}
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	if w.Code != http.StatusCreated {
		t.Fatalf("push: %d %s", w.Code, w.Body)
	}
}
