package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// faultyFront stands in front of a server and spoils what passes.
type faultyFront struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string // Range headers of the requests for the file that is cut
}

// newFaultyFront flips a bit of each upload whose path ends in flip, and cuts the
// first answer for a path that ends in cut after that many bytes.
func newFaultyFront(t *testing.T, s *server, flip, cut string, after int64) *faultyFront {
	t.Helper()
	to, err := url.Parse("http://" + s.addr)
	if err != nil {
		t.Fatal(err)
	}
	f := &faultyFront{}
	proxy := &httputil.ReverseProxy{
		ErrorLog: log.New(io.Discard, "", 0),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			if flip != "" && r.In.Method == http.MethodPut && strings.HasSuffix(r.In.URL.Path, flip) {
				r.Out.Body = struct {
					io.Reader
					io.Closer
				}{&flipped{from: r.In.Body}, r.In.Body}
			}
		},
		ModifyResponse: func(res *http.Response) error {
			if cut == "" || res.Request.Method != http.MethodGet || !strings.HasSuffix(res.Request.URL.Path, cut) || res.StatusCode >= 300 {
				return nil
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			f.asked = append(f.asked, res.Request.Header.Get("Range"))
			if len(f.asked) == 1 {
				res.Body = struct {
					io.Reader
					io.Closer
				}{io.MultiReader(io.LimitReader(res.Body, after), broken{}), res.Body}
			}
			return nil
		},
	}
	f.Server = httptest.NewServer(proxy)
	t.Cleanup(f.Close)
	return f
}

// flipped changes one bit of what it reads.
type flipped struct {
	from io.Reader
	done bool
}

func (f *flipped) Read(p []byte) (int, error) {
	n, err := f.from.Read(p)
	if n > 0 && !f.done {
		p[n-1] ^= 1
		f.done = true
	}
	return n, err
}

// broken is a connection that breaks.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestMavenCorruptUpload spoils a jar on its way. Maven itself only warns of a
// checksum that is refused, so a later request of the deployment must fail; and
// nobody sees the version (maven.md 7.4). Sent again whole, it is accepted.
func TestMavenCorruptUpload(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	w, err := mavenWorld(s, "corrupt")
	if err != nil {
		t.Fatal(err)
	}
	front := newFaultyFront(t, s, ".jar", "", 0)
	for _, maven := range []string{"mvn3.8", "mvn3.9", "mvn4"} {
		t.Run(maven, func(t *testing.T) {
			t.Parallel()
			needJava(t, maven)
			honest := newDeployer(w)
			spoiled := honest
			spoiled.repository = front.URL + strings.TrimPrefix(honest.repository, s.url())
			group := "org.corrupt." + strings.ReplaceAll(maven, ".", "")
			content := payload("lib", maven, 5000)
			if err := spoiled.deployFileBy(maven, t.TempDir(), group, "lib", "1.0", "jar", content); err == nil {
				t.Error("the deployment succeeded")
			}
			ctx := context.Background()
			m, err := honest.metadata(ctx, honest.folder(group, "lib"))
			if err != nil || len(m.versions()) != 0 {
				t.Errorf("the versions %v are visible: %v", m.versions(), err)
			}
			jar := honest.folder(group, "lib", "1.0", "lib-1.0.jar")
			if status, answer, err := honest.do(ctx, http.MethodGet, jar, nil); err != nil || status != http.StatusNotFound {
				t.Errorf("status %d, want 404: %s %v", status, answer, err)
			}
			if err := honest.deployFileBy(maven, t.TempDir(), group, "lib", "1.0", "jar", content); err != nil {
				t.Error(err)
			}
			if got, err := honest.get(ctx, jar); err != nil || !bytes.Equal(got, content) {
				t.Errorf("the jar is not what was sent: %v", err)
			}
		})
	}
}

// TestMavenInterruptedDownload cuts a download half-way; the client has one file
// with the right bytes in the end, and whoever asks for the rest alone gets it.
func TestMavenInterruptedDownload(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	w, err := mavenWorld(s, "interrupted")
	if err != nil {
		t.Fatal(err)
	}
	d := newDeployer(w)
	content := payload("lib", "1.0", 3<<20)
	if err := d.release(context.Background(), "org.cut", "lib", "1.0", library("org.cut", "lib", "1.0", content)); err != nil {
		t.Fatal(err)
	}
	d.checkResume(t, d.folder("org.cut", "lib", "1.0", "lib-1.0.jar"), content)
	for _, client := range []struct {
		name    string
		program string
		fetch   func(t *testing.T, url string) (string, error)
	}{
		{"Maven 3.9", "mvn3.9", fetchTwiceByMaven(w.vars["RO"])},
		{"coursier", "coursier", fetchByCoursier(w.vars["RO"])},
	} {
		t.Run(client.name, func(t *testing.T) {
			t.Parallel()
			needJava(t, client.program)
			front := newFaultyFront(t, s, "", ".jar", 1<<20)
			file, err := client.fetch(t, front.URL+strings.TrimPrefix(d.repository, s.url()))
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(file)
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes arrived, and not those that were deployed: %v", len(got), err)
			}
			if len(front.asked) < 2 {
				t.Errorf("it was not interrupted")
			}
			t.Logf("asked for the parts %q", front.asked) // the newer ones begin again
		})
	}
}

// checkResume asks as the resolver does that goes on where it was (maven.md 10).
func (d mavenDeployer) checkResume(t *testing.T, url string, content []byte) {
	t.Helper()
	whole, err := d.ask(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	since := whole.Header.Get("Last-Modified")
	const before = "Sun, 06 Nov 1994 08:49:37 GMT"
	for _, tt := range []struct {
		name   string
		header http.Header
		status int
		body   []byte
	}{
		{"rest", http.Header{"Range": {"bytes=1000-"}, "If-Unmodified-Since": {since}}, http.StatusPartialContent, content[1000:]},
		{"rest of other bytes", http.Header{"Range": {"bytes=1000-"}, "If-Unmodified-Since": {before}}, http.StatusPreconditionFailed, nil},
		{"nothing is left", http.Header{"Range": {fmt.Sprintf("bytes=%d-", len(content))}}, http.StatusRequestedRangeNotSatisfiable, nil},
		{"by validator", http.Header{"Range": {"bytes=5-9"}, "If-Range": {whole.Header.Get("Etag")}}, http.StatusPartialContent, content[5:10]},
		{"by another validator", http.Header{"Range": {"bytes=5-9"}, "If-Range": {`"other"`}}, http.StatusOK, content},
	} {
		res, err := d.ask(url, tt.header)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != tt.status || tt.body != nil && !bytes.Equal(res.body, tt.body) {
			t.Errorf("%s: %s with %d bytes, want %d with %d", tt.name, res.Status, len(res.body), tt.status, len(tt.body))
		}
	}
}

// answer is a response that was read.
type answer struct {
	*http.Response
	body []byte
}

// ask sends a GET with more headers.
func (r raw) ask(url string, header http.Header) (answer, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return answer{}, err
	}
	maps.Copy(req.Header, header)
	req.Header.Set("Authorization", "Bearer "+r.token)
	res, err := r.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{res, body}, err
}

// fetchTwiceByMaven lets the first download fail.
func fetchTwiceByMaven(token string) func(*testing.T, string) (string, error) {
	return func(t *testing.T, url string) (string, error) {
		dir, home := t.TempDir(), t.TempDir()
		if err := (mavenLogin{url: url, user: "x", token: token, form: "basic"}).write(home); err != nil {
			return "", err
		}
		var out []byte
		var err error
		for range 2 {
			out, err = runMaven("mvn3.9", home, dir, []string{
				"-U", "org.apache.maven.plugins:maven-dependency-plugin:3.5.0:get",
				"-DremoteRepositories=reg::default::" + url, "-Dartifact=org.cut:lib:1.0",
			})
		}
		if err != nil {
			return "", fmt.Errorf("mvn: %w\n%s", err, out)
		}
		return filepath.Join(home, "repository/org/cut/lib/1.0/lib-1.0.jar"), nil
	}
}

// fetchByCoursier tries again if the first download fails.
func fetchByCoursier(token string) func(*testing.T, string) (string, error) {
	return func(t *testing.T, url string) (string, error) {
		home := t.TempDir()
		argv := []string{"fetch", "--no-default", "-r", url, "org.cut:lib:1.0"}
		var out []byte
		var err error
		for range 2 {
			out, err = runJava("coursier", home, home, argv, "COURSIER_CREDENTIALS=127.0.0.1 x:"+token)
			if err == nil {
				lines := strings.Fields(string(out))
				return lines[len(lines)-1], nil
			}
		}
		return "", fmt.Errorf("coursier: %w\n%s", err, out)
	}
}
