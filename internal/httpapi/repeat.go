package httpapi

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"pakhus/internal/auth"
	"pakhus/internal/coherent"
	"pakhus/internal/lane"
	"pakhus/internal/registry"
)

// maxRepeated bounds the bodies of answers that are given again, in bytes. For
// larger ones the way to the answer costs little beside sending it.
const maxRepeated = 256 << 10

// repeats remember answers together with all that led to them: the credential,
// the gate's decision, the document. Handlers say which ones may be remembered
// (see serve.Repeatable). One is given again to a request that is the same in
// everything a handler may look at, as long as the registry has announced no
// change of anything: not of a package, a project, a token, a member. So it is
// what the gate and the handler would say now. It is a registry.Listener, and
// must hear of changes after all others: what is made from then on is new.
type repeats struct {
	answers *coherent.Cache[essence, *repeat]
	// state counts the changes; it is odd while changes are heard of.
	state atomic.Uint64
}

// repeat is an answer that may be given again.
type repeat struct {
	state     uint64 // of the repeats, before the answer was made
	until     time.Time
	identity  *auth.Identity
	again     func() // may be nil
	forwarded []string
	head      []byte // status line and fields, but for the request's id
	body      []byte
	noted     recorder // what is counted and logged of it
}

func newRepeats(size uint64) *repeats {
	return &repeats{answers: coherent.New(coherent.Options[essence, *repeat]{
		MaxWeight: size, Weigh: func(_ essence, a *repeat) uint32 { return uint32(len(a.head)+len(a.body)) + 1024 },
	})}
}

// Forget makes all answers untrue. Finer would be to know what each was made
// from; after a change each is made once, which is what it cost before.
func (m *repeats) Forget([]registry.Change) { m.state.Add(2) }

// SetLive stops the repeating while changes of others are not heard of.
func (m *repeats) SetLive(live bool) {
	for {
		old := m.state.Load()
		next := (old + 3) &^ 1
		if live {
			next++
		}
		if m.state.CompareAndSwap(old, next) {
			return
		}
	}
}

func live(state uint64) bool { return state&1 == 1 }

// find gives the answer to a request with this essence, if there is one that is
// still true.
func (m *repeats) find(e essence, now time.Time) *repeat {
	state := m.state.Load()
	if !live(state) {
		return nil
	}
	a, ok := m.answers.Kept(e)
	if !ok || a.state != state || !a.until.IsZero() && !now.Before(a.until) {
		return nil
	}
	return a
}

// keep remembers an answer that was given whole. state is of before the request
// was looked at.
func (m *repeats) keep(rec *recorder, r *http.Request, state uint64) {
	from, ok := rec.ResponseWriter.(interface{ RequestHead() []byte })
	if !ok || !live(state) || !rec.isWhole() || r.Close {
		return
	}
	e, credentials, ok := essenceOf(from.RequestHead())
	if !ok || credentials > 0 && rec.identity.IsAnonymous() { // refused, which the route did not mind, and auth counts
		return
	}
	a := &repeat{
		state: state, until: rec.until, identity: rec.identity, again: rec.again,
		forwarded: cloneAll(r.Header[headerForwarded]), head: lane.AppendHead(nil, rec.status, rec.Header(), headerRequestID), body: rec.whole,
		noted: recorder{status: rec.status, sent: rec.sent, route: rec.route, user: rec.user, token: rec.token},
	}
	if expires := rec.identity.ExpiresAt; !expires.IsZero() && (a.until.IsZero() || expires.Before(a.until)) {
		a.until = expires
	}
	m.answers.Keep(e, a)
}

// cloneAll takes texts out of the head that they are parts of.
func cloneAll(texts []string) []string {
	var all []string
	for _, s := range texts {
		all = append(all, strings.Clone(s))
	}
	return all
}

// isWhole tells whether the handler allowed to repeat the answer, and it was
// sent in one piece that can be sent again.
func (rec *recorder) isWhole() bool {
	if !rec.repeatable || rec.err != nil || rec.abort || rec.body.from != nil || rec.Header()["Connection"] != nil {
		return false
	}
	switch rec.status {
	case http.StatusNotModified:
		return rec.sent == 0
	case http.StatusOK:
		return rec.sent == int64(len(rec.whole)) && rec.sent <= maxRepeated && rec.Header()["Content-Length"] != nil
	}
	return false
}

// Repeatable serves serve.Repeatable.
func (rec *recorder) Repeatable(until time.Time, again func()) {
	rec.repeatable, rec.until, rec.again = true, until, again
}

// recall gives an answer again. It runs before the request is parsed: what has
// the essence of a request that was answered once is as well-formed as that.
func (s *Server) recall(t *lane.Turn) bool {
	e, _, ok := essenceOf(t.Head())
	if !ok {
		return false
	}
	start := s.opts.Now()
	a := s.repeats.find(e, start)
	s.opts.Metrics.LookedUp("answer", a != nil)
	if a == nil {
		return false
	}
	s.opts.Metrics.RequestStarted()
	rec := a.noted
	rec.id = newRequestID()
	if s.opts.Used != nil && !a.identity.IsAnonymous() {
		s.opts.Used(a.identity)
	}
	if a.again != nil {
		a.again()
	}
	head := append(append(append(append(t.Room(), a.head...), headerRequestID+": "...), rec.id...), "\r\n"...)
	if err := errors.Join(t.SetWriteDeadline(start.Add(stallTime)), t.Send(head, a.body)); err != nil {
		rec.abort, rec.sent, rec.err = true, 0, registry.Wrapf(registry.Canceled, err, "the client left")
	}
	s.finish(&rec, http.MethodGet, clientIP(t.RemoteAddr(), a.forwarded, s.opts.TrustedProxies), start)
	return true
}

// essence is the digest of all of a request that an answer may depend on. It is
// no text, because a credential is a part of it.
type essence [sha256.Size]byte

// essenceOf makes the essence of a GET's request line and its header fields, but
// for those in inert, and counts the credentials among them. What is not spelled
// as usual, brings an id of its own or more than one credential, has none.
func essenceOf(head []byte) (e essence, credentials int, ok bool) {
	if !bytes.HasPrefix(head, []byte("GET ")) {
		return e, 0, false
	}
	var room [1024]byte
	text := room[:0]
	for {
		i := bytes.IndexByte(head, '\r')
		if i < 0 || i+1 >= len(head) || head[i+1] != '\n' {
			return e, 0, false
		}
		if i == 0 {
			return sha256.Sum256(text), credentials, len(head) == 2
		}
		line := head[:i]
		head = head[i+2:]
		name, _, field := bytes.Cut(line, []byte(":"))
		switch {
		case !printable(line) || isField(name, headerRequestID):
			return e, 0, false
		case field && isOneOf(name, inert):
			continue
		case isOneOf(name, credentialHeaders):
			if credentials++; credentials > 1 {
				return e, 0, false
			}
		}
		text = append(append(text, line...), '\n')
	}
}

func printable(line []byte) bool {
	for _, b := range line {
		if b < ' ' && b != '\t' || b >= 0x7f {
			return false
		}
	}
	return true
}

// inert are the header fields that change from one run of a client to the next
// and that no handler ever looks at: a test searches the sources for them.
var inert = []string{
	"Npm-Session", "Npm-Command", "Pacote-Pkg-Id", // npm
	"X-Nuget-Session-Id", // NuGet
	"Traceparent",
}

func isOneOf(name []byte, fields []string) bool {
	for _, f := range fields {
		if isField(name, f) {
			return true
		}
	}
	return false
}

// isField compares without regard to case, and without an allocation.
func isField(name []byte, field string) bool {
	return len(name) == len(field) && strings.EqualFold(string(name), field)
}
