package nuget

import (
	"bytes"
	"io"
)

// lineFeedReader reads a form whose boundaries may stand behind a bare line feed
// and gives them the carriage return that mime/multipart wants. NuGet 2.8 under
// mono ends its form in that way: it writes the system's line break there.
type lineFeedReader struct {
	from io.Reader
	mark []byte // line feed and boundary
	text []byte // read, but it may hold the beginning of a mark
	made []byte // the memory of out
	out  []byte // to be given
	last byte   // that was put to out last
	err  error  // of from, after text
}

// lineFeedBuffer is what is read at a time, as mime/multipart does.
const lineFeedBuffer = 4 << 10

func newLineFeedReader(from io.Reader, boundary string) *lineFeedReader {
	mark := []byte("\n--" + boundary)
	return &lineFeedReader{from: from, mark: mark, text: make([]byte, 0, lineFeedBuffer+len(mark))}
}

func (r *lineFeedReader) Read(p []byte) (int, error) {
	for len(r.out) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.fill()
	}
	n := copy(p, r.out)
	r.out = r.out[n:]
	return n, nil
}

// fill reads once and puts to out what can be no part of a mark any more.
func (r *lineFeedReader) fill() {
	n, err := r.from.Read(r.text[len(r.text):cap(r.text)])
	text := r.text[:len(r.text)+n]
	r.made, r.err = r.made[:0], err
	rest := text
	for {
		at := bytes.Index(rest, r.mark)
		if at < 0 {
			break
		}
		r.put(rest[:at])
		if r.last != '\r' {
			r.put([]byte{'\r'})
		}
		r.put(r.mark)
		rest = rest[at+len(r.mark):]
	}
	keep := 0
	if err == nil {
		keep = min(len(rest), len(r.mark)-1)
	}
	r.put(rest[:len(rest)-keep])
	r.out = r.made
	r.text = text[:copy(text, rest[len(rest)-keep:])]
}

func (r *lineFeedReader) put(text []byte) {
	if len(text) > 0 {
		r.made = append(r.made, text...)
		r.last = text[len(text)-1]
	}
}
