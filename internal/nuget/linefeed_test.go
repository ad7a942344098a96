package nuget

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

func TestLineFeedReader(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"as it should be", "--b\r\n\r\ntext\r\n--b--\r\n", "--b\r\n\r\ntext\r\n--b--\r\n"},
		{"line feed before the end", "--b\r\n\r\ntext\n--b--\n", "--b\r\n\r\ntext\r\n--b--\n"},
		{"line feed before a part", "--b\r\n\r\none\n--b\r\n\r\ntwo\r\n--b--", "--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--"},
		{"nearly a boundary", "a\n-b\n--c\n--", "a\n-b\n--c\n--"},
		{"no boundary", strings.Repeat("\n", 10_000), strings.Repeat("\n", 10_000)},
		{"empty", "", ""},
	} {
		for reader, wrap := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "end with data": iotest.DataErrReader,
		} {
			t.Run(tt.name+" "+reader, func(t *testing.T) {
				got, err := io.ReadAll(newLineFeedReader(wrap(strings.NewReader(tt.in)), "b"))
				if err != nil || string(got) != tt.want {
					t.Errorf("got %q, %v; want %q", got, err, tt.want)
				}
			})
		}
	}
	if _, err := io.ReadAll(newLineFeedReader(iotest.ErrReader(io.ErrClosedPipe), "b")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the reader's own error became %v", err)
	}
}

// NuGet 2.8.7 under mono, byte for byte: a line feed before the last boundary.
func TestPushFromNuGet28(t *testing.T) {
	w := newWorld(t)
	body := buildNupkg(t, nupkgSpec{ID: "Acme.Old", Version: "1.0"})
	form := fmt.Sprintf("--%[1]s\r\nContent-Disposition: form-data; name=\"package\"; filename=\"package\"\r\nContent-Type: application/octet-stream\r\n\r\n%[2]s\n--%[1]s--\n",
		"---------------------------8df497a8dcbb626", body)
	w.want(w.call(http.MethodPut, demo+"/", w.write, strings.NewReader(form),
		"Content-Type", "multipart/form-data; boundary=---------------------------8df497a8dcbb626"), http.StatusCreated)
	got := w.want(w.get(demo, "/download/acme.old/1.0.0/acme.old.1.0.0.nupkg", w.read), http.StatusOK)
	if !bytes.Equal(got.Body.Bytes(), body) {
		t.Error("other bytes came back")
	}
}

// Adding carriage returns is all that the reader does, however the text comes.
func FuzzLineFeedReader(f *testing.F) {
	f.Add([]byte("--b\r\n\r\ntext\n--b--\n"), uint8(1))
	f.Add([]byte("\n--b\n--b\r\n--b"), uint8(3))
	f.Fuzz(func(t *testing.T, text []byte, pieces uint8) {
		whole, err := io.ReadAll(newLineFeedReader(bytes.NewReader(text), "b"))
		if err != nil {
			t.Fatal(err)
		}
		var parts []io.Reader
		for rest := text; len(rest) > 0; {
			n := min(len(rest), int(pieces)+1)
			parts = append(parts, bytes.NewReader(rest[:n]))
			rest = rest[n:]
		}
		inPieces, err := io.ReadAll(newLineFeedReader(io.MultiReader(parts...), "b"))
		if err != nil || !bytes.Equal(whole, inPieces) {
			t.Errorf("in pieces %q, whole %q, %v", inPieces, whole, err)
		}
		if want := bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n--b"), []byte("\n--b")), []byte("\n--b"), []byte("\r\n--b")); !bytes.Equal(whole, want) {
			t.Errorf("%q became %q, want %q", text, whole, want)
		}
	})
}
