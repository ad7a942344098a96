package npm_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestDuplicates(t *testing.T) {
	w := newWorld(t)
	first := pkg{name: "lib", version: "1.0.0"}
	w.publish(first)
	w.publish(first) // npm's own retry after a lost answer
	other := pkg{name: "lib", version: "1.0.0", manifest: object{"main": "other.js"}}
	a := w.want(w.call(http.MethodPut, demo+"/lib", w.write, other.body(t)), http.StatusForbidden)
	for _, words := range []string{"You cannot publish over the previously published versions: 1.0.0", "Package already exists."} {
		if text, ok := a.field(t, "error").(string); !ok || !strings.Contains(text, words) || a.field(t, "message") != text {
			t.Errorf("error = %v, want %q in it, and the same as message", text, words)
		}
	}
	w.want(w.call(http.MethodPut, demo+"/lib", w.group, first.body(t)), http.StatusForbidden) // somebody else
	w.clock.Advance(time.Hour)
	w.want(w.call(http.MethodPut, demo+"/lib", w.write, first.body(t)), http.StatusForbidden) // too late for a retry
}

func TestFirstVersionBecomesLatest(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "lib", version: "1.0.0-beta.1", tag: "beta"})
	w.publish(pkg{name: "lib", version: "1.0.0-beta.2", tag: "beta"})
	doc := w.call(http.MethodGet, demo+"/lib", w.read, nil)
	if got := fmt.Sprint(doc.field(t, "dist-tags")); got != "map[beta:1.0.0-beta.2 latest:1.0.0-beta.1]" {
		t.Errorf("dist-tags = %s", got)
	}
}

func TestParallelPublishes(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	for i := range 100 {
		body := pkg{name: "lib", version: fmt.Sprintf("1.0.%d", i)}.body(t)
		wg.Go(func() {
			if a := w.call(http.MethodPut, demo+"/lib", w.write, body); a.Code != http.StatusOK {
				t.Errorf("publish %d: %d %s", i, a.Code, a.Body)
			}
		})
	}
	wg.Wait()
	doc := w.call(http.MethodGet, demo+"/lib", w.read, nil)
	if got := len(versions(t, doc)); got != 100 {
		t.Errorf("%d versions, want 100", got)
	}
	if rev, ok := doc.field(t, "_rev").(string); !ok || !strings.HasPrefix(rev, "100-") {
		t.Errorf("_rev = %v after 100 publishes", rev)
	}
}

func TestOneVersionHasOneWinner(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	var wg sync.WaitGroup
	codes := map[int]int{}
	for i := range 10 {
		body := pkg{name: "lib", version: "1.0.0", manifest: object{"main": fmt.Sprintf("%d.js", i)}}.body(t)
		wg.Go(func() {
			a := w.call(http.MethodPut, demo+"/lib", w.write, body)
			mu.Lock()
			defer mu.Unlock()
			codes[a.Code]++
		})
	}
	wg.Wait()
	if codes[http.StatusOK] != 1 || codes[http.StatusForbidden] != 9 {
		t.Errorf("answers: %v, want one 200 and nine 403", codes)
	}
}

func TestBatchPublish(t *testing.T) {
	w := newWorld(t)
	batch := func(docs ...object) answer {
		return w.call(http.MethodPut, demo+"/-/pnpm/v1/publish", w.write, object{"packages": docs})
	}
	bad := pkg{name: "b", version: "1.0"}.body(t)
	w.want(batch(pkg{name: "a", version: "1.0.0"}.body(t), bad), http.StatusBadRequest)
	w.want(w.call(http.MethodGet, demo+"/a", w.read, nil), http.StatusNotFound)
	w.want(batch(pkg{name: "a", version: "1.0.0"}.body(t), pkg{name: "b", version: "1.0.0"}.body(t)), http.StatusOK)
	for _, name := range []string{"a", "b"} {
		w.want(w.call(http.MethodGet, demo+"/"+name, w.read, nil), http.StatusOK)
	}
	w.want(batch(pkg{name: "c", version: "1.0.0"}.body(t), pkg{name: "b", version: "1.0.0", manifest: object{"main": "x"}}.body(t)), http.StatusForbidden)
	w.want(w.call(http.MethodGet, demo+"/c", w.read, nil), http.StatusNotFound)
	w.want(batch(), http.StatusBadRequest)
}

// Signatures must verify with the published key, as pnpm audit signatures does.
func TestSignatures(t *testing.T) {
	w := newWorld(t)
	w.publish(pkg{name: "@acme/lib", version: "1.0.0"})
	keys := w.want(w.call(http.MethodGet, demo+"/-/npm/v1/keys", "", nil), http.StatusOK).field(t, "keys").([]any)
	key := keys[0].(map[string]any)
	dist := w.call(http.MethodGet, demo+"/@acme%2flib", w.read, nil).field(t, "versions", "1.0.0", "dist").(map[string]any)
	signature := dist["signatures"].([]any)[0].(map[string]any)
	if signature["keyid"] != key["keyid"] {
		t.Fatalf("keyid %v is not published", signature["keyid"])
	}
	spki, err := base64.StdEncoding.DecodeString(key["key"].(string))
	check(t, err)
	public, err := x509.ParsePKIXPublicKey(spki)
	check(t, err)
	der, err := base64.StdEncoding.DecodeString(signature["sig"].(string))
	check(t, err)
	sum := sha256.Sum256([]byte("@acme/lib@1.0.0:" + dist["integrity"].(string)))
	if !ecdsa.VerifyASN1(public.(*ecdsa.PublicKey), sum[:], der) {
		t.Error("the signature does not verify")
	}
}
