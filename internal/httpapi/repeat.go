package httpapi

import (
	"bytes"
	"hash/maphash"
	"net/http"
	"slices"
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
	answers *coherent.Cache[uint64, *repeat]
	seed    maphash.Seed
	// state counts the changes; it is odd while changes are heard of.
	state atomic.Uint64
}

// repeat is an answer that may be given again.
type repeat struct {
	essence   string // of the request
	state     uint64 // of the repeats, before the answer was made
	until     time.Time
	identity  *auth.Identity
	again     func() // may be nil
	forwarded []string
	head      []byte // status line and fields, but for the request's id
	body      []byte
	noted     recorder // what is counted and logged of it
}

func newRepeats(size uint64, onLookup func(hit bool)) *repeats {
	return &repeats{
		seed: maphash.MakeSeed(),
		answers: coherent.New(coherent.Options[uint64, *repeat]{
			MaxWeight: size, OnLookup: onLookup,
			Weigh: func(_ uint64, a *repeat) uint32 { return uint32(len(a.essence) + len(a.head) + len(a.body) + 1024) },
		}),
	}
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
func (m *repeats) find(essence []byte, now time.Time) *repeat {
	state := m.state.Load()
	if !live(state) {
		return nil
	}
	a, ok := m.answers.Kept(maphash.Bytes(m.seed, essence))
	if !ok || a.state != state || a.essence != string(essence) || !a.until.IsZero() && !now.Before(a.until) {
		return nil
	}
	return a
}

// keep remembers an answer that was given whole. state is of before the request
// was looked at.
func (m *repeats) keep(rec *recorder, r *http.Request, state uint64) {
	from, ok := rec.ResponseWriter.(interface{ RequestHead() []byte })
	if !ok || !live(state) || !rec.isWhole() {
		return
	}
	essence, ok := appendEssence(nil, from.RequestHead())
	if !ok {
		return
	}
	a := &repeat{
		essence: string(essence), state: state, until: rec.until, identity: rec.identity, again: rec.again,
		forwarded: r.Header[headerForwarded], head: lane.AppendHead(nil, rec.status, rec.Header(), headerRequestID), body: rec.whole,
		noted: recorder{status: rec.status, sent: rec.sent, route: rec.route, user: rec.user, token: rec.token},
	}
	if expires := rec.identity.ExpiresAt; !expires.IsZero() && (a.until.IsZero() || expires.Before(a.until)) {
		a.until = expires
	}
	m.answers.Keep(maphash.String(m.seed, a.essence), a)
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
	var room [1024]byte
	essence, ok := appendEssence(room[:0], t.Head())
	if !ok {
		return false
	}
	start := s.opts.Now()
	a := s.repeats.find(essence, start)
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
	err := t.SetWriteDeadline(start.Add(stallTime))
	if err == nil {
		err = t.Send(head, a.body)
	}
	if err != nil {
		rec.abort, rec.sent, rec.err = true, 0, registry.Wrapf(registry.Canceled, err, "the client left")
	}
	s.finish(&rec, http.MethodGet, clientIP(t.RemoteAddr(), a.forwarded, s.opts.TrustedProxies), start)
	return true
}

// appendEssence appends a GET's request line and those of its header fields that
// an answer may depend on: all but those in inert. What is not spelled as usual,
// or brings an id of its own, has none.
func appendEssence(to, head []byte) (_ []byte, ok bool) {
	if !bytes.HasPrefix(head, []byte("GET ")) {
		return nil, false
	}
	for {
		i := bytes.IndexByte(head, '\r')
		if i < 0 || i+1 >= len(head) || head[i+1] != '\n' {
			return nil, false
		}
		if i == 0 {
			return to, len(head) == 2
		}
		line := head[:i]
		head = head[i+2:]
		name, _, field := bytes.Cut(line, []byte(":"))
		switch {
		case len(name) == len(headerRequestID) && strings.EqualFold(string(name), headerRequestID):
			return nil, false
		case field && isInert(name):
			if slices.ContainsFunc(line, unprintable) {
				return nil, false
			}
		default:
			to = append(append(to, line...), '\n')
		}
	}
}

func unprintable(b byte) bool { return b < ' ' && b != '\t' || b >= 0x7f }

// inert are the header fields that change from one run of a client to the next
// and that no handler ever looks at: a test
// searches the sources for them.
var inert = []string{
	"Npm-Session", "Npm-Command", "Pacote-Pkg-Id", // npm
	"X-Nuget-Session-Id", // NuGet
	"Traceparent",
}

func isInert(name []byte) bool {
	for _, n := range inert {
		if len(n) == len(name) && strings.EqualFold(n, string(name)) {
			return true
		}
	}
	return false
}
