package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseLoaded(t *testing.T) {
	const counts = `{"Requests":10,"Bytes":5000,"Micros":2000000,"Connect":0,"Read":0,"Write":0,"Timeout":0,"Status":0}`
	tests := []struct {
		name, output string
		want         loaded
		fails        bool // by itself or by its check
	}{
		{name: "good", output: "Running 60s test\n  2 connections\n" + marker + counts + "\n", want: loaded{Requests: 10, Bytes: 5000, Micros: 2e6}},
		{name: "no result", output: "unable to connect\n", fails: true},
		{name: "refused", output: marker + strings.Replace(counts, `"Status":0`, `"Status":3`, 1), want: loaded{Requests: 10, Bytes: 5000, Micros: 2e6, Status: 3}, fails: true},
		{name: "nothing ran", output: marker + `{}`, fails: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseLoaded(tt.output)
			if err = errors.Join(err, got.check()); (err != nil) != tt.fails {
				t.Errorf("got error %v", err)
			}
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Error(diff)
			}
		})
	}
	l := loaded{Requests: 10, Bytes: 5000, Micros: 2e6}
	if l.perSecond() != 5 || l.bytesPerSecond() != 2500 {
		t.Errorf("got %v requests and %v bytes a second", l.perSecond(), l.bytesPerSecond())
	}
}

func TestWrkScript(t *testing.T) {
	got := wrkScript(target{header: http.Header{"If-None-Match": {`"abc"`}}})
	if want := `wrk.headers["If-None-Match"] = "\"abc\""` + "\n"; !strings.HasPrefix(got, want) || strings.Contains(got, "X-Run") {
		t.Errorf("got %s", got)
	}
	if got := wrkScript(target{varied: true}); !strings.Contains(got, "wrk.headers['X-Run'] = n") {
		t.Errorf("got %s", got)
	}
}

func TestMedian(t *testing.T) {
	tests := []struct {
		name   string
		values []int
		want   int
	}{
		{"one", []int{3}, 3}, {"odd", []int{9, 1, 5}, 5}, {"even", []int{4, 1, 3, 2}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := median(tt.values); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestTable(t *testing.T) {
	tab := table{rows: []row{
		{work: "read", ours: "6/s", nginx: "10/s", ratio: 0.6, target: "≥ 0.6", met: verdict(true)},
		{work: "memory", ours: "50 MB", target: "≤ 40 MB", met: verdict(false)},
	}}
	var got strings.Builder
	if err := tab.write(&got); err != nil {
		t.Fatal(err)
	}
	want := `| work | registry | nginx | ratio | target | met |
|---|---:|---:|---:|---:|---|
| read | 6/s | 10/s | 0.60 | ≥ 0.6 | yes |
| memory | 50 MB |  |  | ≤ 40 MB | **no** |
`
	if diff := cmp.Diff(got.String(), want); diff != "" {
		t.Error(diff)
	}
}

func TestVersionsDiffer(t *testing.T) {
	seen := map[string]int{}
	for i := range 12_000 {
		if other, ok := seen[versionAt(i)]; ok {
			t.Fatalf("versions %d and %d are both %s", other, i, versionAt(i))
		}
		seen[versionAt(i)] = i
	}
}

// published is what the tests read of a publish.
type published struct {
	Name        string
	DistTags    map[string]string `json:"dist-tags"`
	Versions    map[string]struct{ Dist struct{ Integrity string } }
	Attachments map[string]struct {
		Length int
		Data   []byte
	} `json:"_attachments"`
}

func TestDocument(t *testing.T) {
	body, err := newPacker().document("@bench/a", "1.2.3", 100)
	if err != nil {
		t.Fatal(err)
	}
	var got published
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	sent := got.Attachments["@bench/a-1.2.3.tgz"]
	sum := sha512.Sum512(sent.Data)
	if want := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got.Versions["1.2.3"].Dist.Integrity != want || sent.Length != len(sent.Data) {
		t.Error("the document does not describe its tarball")
	}
	if got.Name != "@bench/a" || got.DistTags["latest"] != "1.2.3" {
		t.Errorf("got %s, %v", got.Name, got.DistTags)
	}
	checkTarball(t, sent.Data, "@bench/a", 100)
}

func TestStreamDocument(t *testing.T) {
	const size = 3<<20 + 1
	body, err := streamDocument("@bench/a", "1.2.3", size)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	var got published
	if err := json.NewDecoder(body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	checkTarball(t, got.Attachments["@bench/a-1.2.3.tgz"].Data, "@bench/a", size)
}

// A server that refuses does not read to the end: nobody must wait for that.
func TestStreamDocumentAbandoned(t *testing.T) {
	body, err := streamDocument("@bench/a", "1.2.3", 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(body, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if err := body.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := body.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v after the end", err)
	}
}

func checkTarball(t *testing.T, tarball []byte, name string, size int64) {
	t.Helper()
	gz, err := gzip.NewReader(bytes.NewReader(tarball))
	if err != nil {
		t.Fatal(err)
	}
	packed := tar.NewReader(gz)
	if _, err := packed.Next(); err != nil {
		t.Fatal(err)
	}
	var described struct{ Name string }
	if err := json.NewDecoder(packed).Decode(&described); err != nil || described.Name != name {
		t.Errorf("package.json is of %q: %v", described.Name, err)
	}
	header, err := packed.Next()
	if err != nil {
		t.Fatal(err)
	}
	if header.Size != size {
		t.Errorf("the payload has %d bytes, want %d", header.Size, size)
	}
	if _, err := packed.Next(); err != io.EOF {
		t.Errorf("got %v at the end", err)
	}
}

// A version takes about 2 KB of a packument, as design asks for 20 MB of 10,000.
func TestManifestSize(t *testing.T) {
	text, err := json.Marshal(manifest("@bench/large", "10.99.9"))
	if err != nil {
		t.Fatal(err)
	}
	const added = 750 // by the registry: checksums, signature, address, counts
	if got := len(text) + added; got < 1900 || got > 2200 {
		t.Errorf("a version takes %d bytes", got)
	}
}

func TestNginxConfig(t *testing.T) {
	config := nginxConfig("/tmp/x", "127.0.0.1:81", false)
	for _, want := range []string{"sendfile on;", "access_log off;", "open_file_cache max", "listen 127.0.0.1:81;", "root /tmp/x/files;", "worker_processes auto;"} {
		if !strings.Contains(config, want) {
			t.Errorf("no %q in the configuration", want)
		}
	}
	if strings.Contains(config, "user root") || !strings.Contains(nginxConfig("/tmp/x", "127.0.0.1:81", true), "user root;") {
		t.Error("the workers' user does not follow from ours")
	}
}

func TestRound(t *testing.T) {
	if got := round(1234567 * time.Nanosecond); got != 1230*time.Microsecond {
		t.Errorf("got %s", got)
	}
	if got := round(123456 * time.Microsecond); got != 123*time.Millisecond {
		t.Errorf("got %s", got)
	}
}
