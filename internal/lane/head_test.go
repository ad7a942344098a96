package lane

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// usual are heads as real clients send them.
var usual = []string{
	"GET /api/v4/projects/1/packages/npm/@acme%2fhello HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nauthorization: Bearer x\r\nnpm-session: 1\r\nConnection: keep-alive\r\n\r\n",
	"GET /a/maven-metadata.xml?x=1 HTTP/1.1\r\nCache-control: no-cache\r\nCache-store: no-store\r\nPragma: no-cache\r\nHost: [::1]:8080\r\nConnection: Keep-Alive\r\n\r\n",
	"HEAD /x HTTP/1.1\r\nHost: example.org\r\nAccept: a\r\nAccept: b\r\nConnection: close\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nPragma: no-cache\r\nX-Empty:\r\nX-Blank: \t a b \t\r\n\r\n",
}

// left are heads that net/http must see: it reads them in its own way, or
// refuses them.
var left = map[string]string{
	"body":                    "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n",
	"no body, said so":        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
	"chunked body":            "GET / HTTP/1.1\r\nHost: x\r\ntransfer-encoding: chunked\r\n\r\n",
	"body on request":         "GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
	"upgrade":                 "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
	"two words on connection": "GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, close\r\n\r\n",
	"trailers":                "GET / HTTP/1.1\r\nHost: x\r\nTE: trailers\r\n\r\n",
	"other method":            "PUT / HTTP/1.1\r\nHost: x\r\n\r\n",
	"method in small letters": "get / HTTP/1.1\r\nHost: x\r\n\r\n",
	"old version":             "GET / HTTP/1.0\r\nHost: x\r\n\r\n",
	"whole address":           "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
	"two blanks":              "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
	"blank in the path":       "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
	"bad escape":              "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
	"no host":                 "GET / HTTP/1.1\r\nAccept: x\r\n\r\n",
	"two hosts":               "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
	"host with a path":        "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n",
	"blank before the colon":  "GET / HTTP/1.1\r\nHost: x\r\nAccept : y\r\n\r\n",
	"folded line":             "GET / HTTP/1.1\r\nHost: x\r\nAccept: y\r\n z\r\n\r\n",
	"line without colon":      "GET / HTTP/1.1\r\nHost: x\r\nAccept\r\n\r\n",
	"bare line feed":          "GET / HTTP/1.1\r\nHost: x\nAccept: y\r\n\r\n",
	"bare carriage return":    "GET / HTTP/1.1\r\nHost: x\r\nAccept: y\rz\r\n\r\n",
	"NUL":                     "GET / HTTP/1.1\r\nHost: x\r\nAccept: \x00\r\n\r\n",
	"beyond ASCII":            "GET / HTTP/1.1\r\nHost: x\r\nAccept: \xe4\r\n\r\n",
	"empty":                   "\r\n\r\n",
}

func TestParse(t *testing.T) {
	for _, head := range usual {
		if !parse([]byte(head), &http.Request{}) {
			t.Errorf("not taken: %q", head)
		}
	}
	for name, head := range left {
		if parse([]byte(head), &http.Request{}) {
			t.Errorf("%s: taken: %q", name, head)
		}
	}
}

// Whatever the lane takes, net/http reads in the same way: no client can make
// the two disagree.
func FuzzParse(f *testing.F) {
	for _, head := range usual {
		f.Add([]byte(head))
	}
	for _, head := range left {
		f.Add([]byte(head))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		if i := bytes.Index(head, []byte("\r\n\r\n")); i < 0 || i+4 != len(head) {
			return // the lane looks for the first empty line
		}
		var got http.Request
		if !parse(head, &got) {
			return
		}
		want, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
		if err != nil {
			t.Fatalf("net/http refuses it: %v", err)
		}
		type seen struct {
			Method, Target, Path, RawPath, RawQuery, Host string
			Header                                        http.Header
			Length                                        int64
			Coding                                        []string
			Close                                         bool
		}
		show := func(r *http.Request) seen {
			return seen{r.Method, r.RequestURI, r.URL.Path, r.URL.RawPath, r.URL.RawQuery, r.Host, r.Header, r.ContentLength, r.TransferEncoding, r.Close}
		}
		mine, theirs := show(&got), show(want)
		if diff := cmp.Diff(mine, theirs); diff != "" {
			t.Errorf("%q\n-lane +net/http\n%s", head, diff)
		}
		if strings.ContainsAny(got.Host, "/ ") {
			t.Errorf("a host of %q", got.Host)
		}
	})
}
