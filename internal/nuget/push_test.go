package nuget

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPushThenRead(t *testing.T) {
	w := newWorld(t)
	body := w.publish(nupkgSpec{ID: "Acme.Log", Version: "1.0"})
	if diff := cmp.Diff(w.want(w.get(demo, "/download/acme.log/index.json", w.read), http.StatusOK).texts(t, "versions"), []string{"1.0.0"}); diff != "" {
		t.Error(diff)
	}
	for _, path := range []string{
		"/download/acme.log/1.0.0/acme.log.1.0.0.nupkg", "/download/ACME.Log/1.0/Acme.LOG.1.0.0.0.nupkg", "/download/Acme.Log/01.0.0+x/acme.log.1.nupkg",
	} {
		if got := w.want(w.get(demo, path, w.read), http.StatusOK).Body.Bytes(); !cmp.Equal(got, body) {
			t.Errorf("%s: other bytes", path)
		}
	}
	leaf := w.want(w.get(demo, "/metadata/acme.log/index.json", w.read), http.StatusOK).field(t, "items", 0, "items", 0)
	if leaf == nil {
		t.Error("no leaf")
	}
	w.want(w.get(demo, "/query?q=log", w.read), http.StatusOK)
	w.want(w.get(demo, "/download/acme.log/1.0.0/acme.log.nuspec", w.read), http.StatusOK)
	again := w.want(w.push(demo, w.write, body), http.StatusConflict)
	t.Log(again.Header().Get("X-Nuget-Warning"))
}
