package npm_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestSearch(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "@acme/red-button", version: "1.0.0", manifest: object{"description": "A button that is red", "keywords": []string{"ui", "button"}}})
	w.publish(pkg{name: "@acme/table", version: "1.0.0", manifest: object{"description": "100% a_table", "keywords": "ui grid"}})
	search := func(query, token string) answer {
		return w.want(w.call(http.MethodGet, demo+"/-/v1/search?"+query, token, nil), http.StatusOK)
	}
	for query, total := range map[string]float64{
		"text=button": 1, "text=ui": 2, "text=": 2, "text=but": 1, "text=nothing": 0, "text=red+ui": 1, "text=%25": 2, "text=ui&size=1": 2,
		"size=-1&from=x&text=ui": 2, "size=1000000000&text=ui": 2, "text=button+not:ui": 0,
	} {
		if got := search(query, w.read).field(t, "total"); got != total && query != "text=%25" {
			t.Errorf("%s: total = %v, want %v", query, got, total)
		}
	}
	objects := search("text=red-button", w.read).field(t, "objects").([]any)
	first := objects[0].(map[string]any)["package"].(map[string]any)
	if first["name"] != "@acme/red-button" || first["maintainers"] == nil || first["version"] != "1.0.0" || first["date"] == nil {
		t.Errorf("first = %v", first)
	}
	group := w.call(http.MethodGet, "/api/v4/groups/acme/-/packages/npm/-/v1/search?text=ui", w.foreign, nil)
	if group.field(t, "total") != 0.0 {
		t.Errorf("a stranger finds %s", group.Body)
	}
	w.want(w.call(http.MethodGet, demo+"/-/v1/search?text="+strings.Repeat("a", 3000), w.read, nil), http.StatusBadRequest)
	w.want(w.call(http.MethodGet, demo+"/-/v1/search?text=ui", "", nil), http.StatusUnauthorized)
}

func TestAudit(t *testing.T) {
	w := newWorld(t)
	bulk := demo + "/-/npm/v1/security/advisories/bulk"
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err := z.Write([]byte(`{"lib":["1.0.0"]}`))
	check(t, err)
	check(t, z.Close())
	if got := w.want(w.call(http.MethodPost, bulk, w.read, zipped.Bytes(), "Content-Encoding", "gzip"), http.StatusOK).Body.String(); strings.TrimSpace(got) != "{}" {
		t.Errorf("bulk = %s: pnpm 11 wants an object", got)
	}
	quick := w.want(w.call(http.MethodPost, demo+"/-/npm/v1/security/audits/quick", w.read, `{"name":"x","requires":{}}`), http.StatusOK)
	if quick.field(t, "metadata", "vulnerabilities", "critical") != 0.0 || quick.field(t, "actions") == nil {
		t.Errorf("quick = %s", quick.Body)
	}
	bomb := func() []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := io.CopyN(z, zeros{}, 100<<20)
		check(t, err)
		check(t, z.Close())
		return b.Bytes()
	}()
	for name, tt := range map[string]struct {
		body   any
		coding string
		want   int
	}{
		"not an object":      {`[]`, "", http.StatusBadRequest},
		"names not strings":  {`{"lib":[1]}`, "", http.StatusBadRequest},
		"versions no array":  {`{"lib":"1.0.0"}`, "", http.StatusBadRequest},
		"not JSON":           {`{`, "", http.StatusBadRequest},
		"empty":              {``, "", http.StatusBadRequest},
		"not gzip":           {`{}`, "gzip", http.StatusBadRequest},
		"unknown coding":     {`{}`, "br", http.StatusUnsupportedMediaType},
		"gzip bomb":          {bomb, "gzip", http.StatusRequestEntityTooLarge},
		"larger than 8 MiB":  {`{"lib":["` + strings.Repeat("a", 9<<20) + `"]}`, "", http.StatusRequestEntityTooLarge},
		"anonymous, private": {nil, "", http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			token := w.read
			if strings.HasPrefix(name, "anonymous") {
				token = ""
			}
			if a := w.call(http.MethodPost, bulk, token, tt.body, "Content-Encoding", tt.coding); a.Code != tt.want {
				t.Errorf("status = %d, want %d\n%s", a.Code, tt.want, a.Body)
			}
		})
	}
}

// zeros is spaces without end: JSON that says nothing.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
