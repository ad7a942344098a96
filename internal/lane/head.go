package lane

import (
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// parse reads the head of a simple read: all bytes up to and including the empty
// line. It fills r and tells whether the head is one; see the package comment.
func parse(head []byte, r *http.Request) bool {
	text := string(head)
	line, rest, _ := strings.Cut(text, "\r\n")
	return parseLine(line, r) && parseFields(rest, r)
}

func parseLine(line string, r *http.Request) bool {
	method, rest, _ := strings.Cut(line, " ")
	target, ok := strings.CutSuffix(rest, " HTTP/1.1")
	if !ok || (method != http.MethodGet && method != http.MethodHead) || !visible(target) || target[0] != '/' {
		return false
	}
	address, err := url.ParseRequestURI(target)
	if err != nil {
		return false
	}
	r.Method, r.URL, r.RequestURI = method, address, target
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	r.Body = http.NoBody
	return true
}

// parseFields reads the header fields and the empty line behind them.
func parseFields(text string, r *http.Request) bool {
	n := strings.Count(text, "\r\n")
	r.Header = make(http.Header, n)
	values := make([]string, 0, n) // one allocation for all of them
	for {
		line, rest, ok := strings.Cut(text, "\r\n")
		if !ok {
			return false
		}
		if line == "" {
			fixPragma(r.Header)
			return rest == "" && r.Host != ""
		}
		text = rest
		name, value, ok := strings.Cut(line, ":")
		if !ok || !token(name) {
			return false
		}
		if value = strings.Trim(value, " \t"); !printable(value) {
			return false
		}
		name = textproto.CanonicalMIMEHeaderKey(name)
		if !simple(name, value, r) {
			return false
		}
		if name == "Host" { // as net/http: it is in Request.Host alone
			continue
		}
		if had := r.Header[name]; had != nil {
			r.Header[name] = append(had, value)
			continue
		}
		values = append(values, value)
		i := len(values)
		r.Header[name] = values[i-1 : i : i]
	}
}

// simple looks at the fields that decide how a request is read and answered.
func simple(name, value string, r *http.Request) bool {
	switch name {
	case "Host":
		if r.Host != "" || !hostname(value) {
			return false
		}
		r.Host = value
	case "Connection":
		if strings.EqualFold(value, "close") {
			r.Close = true
			return true
		}
		return strings.EqualFold(value, "keep-alive")
	case "Content-Length", "Transfer-Encoding", "Expect", "Upgrade", "Trailer", "Te", "Http2-Settings":
		return false
	}
	return true
}

// fixPragma does what net/http does for clients of HTTP/1.0 (RFC 7234, 5.4).
func fixPragma(h http.Header) {
	if p := h["Pragma"]; len(p) > 0 && p[0] == "no-cache" && h["Cache-Control"] == nil {
		h["Cache-Control"] = []string{"no-cache"}
	}
}

// visible tells whether a text is not empty and has nothing but visible ASCII.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != ""
}

// printable is visible for texts that may be empty or hold blanks and tabs.
func printable(s string) bool {
	for i := range len(s) {
		if (s[i] < ' ' && s[i] != '\t') || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// token is what RFC 9110, 5.6.2 lets stand in a field's name.
func token(s string) bool {
	for i := range len(s) {
		if b := s[i]; !alphanumeric(b) && strings.IndexByte("-_!#$%&'*+.^`|~", b) < 0 {
			return false
		}
	}
	return s != ""
}

// hostname is a host with or without a port, an IP address among them.
func hostname(s string) bool {
	for i := range len(s) {
		if b := s[i]; !alphanumeric(b) && strings.IndexByte(".-_:[]", b) < 0 {
			return false
		}
	}
	return s != ""
}

func alphanumeric(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}
