package e2e

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// nugetRaw speaks to a NuGet registry without a client.
type nugetRaw struct {
	http *http.Client
	base string // .../packages/nuget
	key  string // for pushes; reads show it as Basic, as clients do
	user string
}

// nugetCaller is a world's project with the token that may do everything.
func nugetCaller(w world) nugetRaw {
	return nugetRaw{
		&http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		w.vars["PROJECT_API"] + "/packages/nuget", w.vars["RW"], w.vars["RW_USER"],
	}
}

// do sends a request to a path below the registry, or to a whole URL.
func (r nugetRaw) do(ctx context.Context, method, path string, header http.Header, body io.Reader) (int, []byte, error) {
	url := path
	if !strings.HasPrefix(path, "http") {
		url = r.base + path
	}
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return 0, nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if method == http.MethodGet || method == http.MethodHead {
		req.SetBasicAuth(r.user, r.key)
	} else {
		req.Header.Set("X-NuGet-ApiKey", r.key)
	}
	res, err := r.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}

// get reads an answer of 200.
func (r nugetRaw) get(ctx context.Context, path string) ([]byte, error) {
	status, answer, err := r.do(ctx, http.MethodGet, path, nil, nil)
	if err == nil && status != http.StatusOK {
		err = &statusError{status, string(answer)}
	}
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", path, err)
	}
	return answer, nil
}

// json reads a document.
func (r nugetRaw) json(ctx context.Context, path string, into any) error {
	text, err := r.get(ctx, path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return nil
}

// nugetBoundary parts the bodies of pushes.
const nugetBoundary = "8b1f0c6e-part"

// pushBody is what clients send for a package or its symbols.
func pushBody(content []byte) ([]byte, error) {
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	if err := form.SetBoundary(nugetBoundary); err != nil {
		return nil, err
	}
	part, err := form.CreateFormFile("package", "package.nupkg")
	if err != nil {
		return nil, err
	}
	if _, err := part.Write(content); err != nil {
		return nil, err
	}
	err = form.Close()
	return b.Bytes(), err
}

// send pushes a body that pushBody made, without telling its length, as
// clients do. Only 201 is a success.
func (r nugetRaw) send(ctx context.Context, path string, body []byte) error {
	header := http.Header{"Content-Type": {"multipart/form-data; boundary=" + nugetBoundary}}
	status, answer, err := r.do(ctx, http.MethodPut, path, header, io.MultiReader(bytes.NewReader(body)))
	if err == nil && status != http.StatusCreated {
		err = &statusError{status, string(answer)}
	}
	return err
}

// push packs and pushes a package.
func (r nugetRaw) push(ctx context.Context, p nupkg) error {
	content, err := p.build()
	if err != nil {
		return err
	}
	body, err := pushBody(content)
	if err != nil {
		return err
	}
	if err := r.send(ctx, "/", body); err != nil {
		return fmt.Errorf("push %s %s: %w", p.id, p.version, err)
	}
	return nil
}

// pushAll pushes packages, eight at once and in no order.
func (r nugetRaw) pushAll(t testing.TB, packages []nupkg) {
	t.Helper()
	todo := make(chan nupkg)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for p := range todo {
				if err := r.push(t.Context(), p); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, p := range packages {
		todo <- p
	}
	close(todo)
	workers.Wait()
}

// versions reads the flat container's list; an absent package has none.
func (r nugetRaw) versions(ctx context.Context, id string) ([]string, error) {
	var list struct{ Versions []string }
	err := r.json(ctx, "/download/"+strings.ToLower(id)+"/index.json", &list)
	if refusedWith(err, http.StatusNotFound) {
		return nil, nil
	}
	return list.Versions, err
}

// download gives the bytes of a version.
func (r nugetRaw) download(ctx context.Context, id, version string) ([]byte, error) {
	id, version = strings.ToLower(id), strings.ToLower(version)
	return r.get(ctx, fmt.Sprintf("/download/%s/%s/%s.%s.nupkg", id, version, id, version))
}

// packageHash is the checksum that NuGet's clients write into lock files.
func packageHash(content []byte) string {
	sum := sha512.Sum512(content)
	return base64.StdEncoding.EncodeToString(sum[:])
}
