package lane

import (
	"errors"
	"os"
	"sync"
	"time"
)

// watchEvery is how often requests are looked at: a client that leaves is
// noticed when its request is at most twice as old. Most are answered long
// before, and cost nothing of it.
const watchEvery = 250 * time.Millisecond

// watch looks for clients that left, until all requests are answered.
func (l *Listener) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.empty:
			return
		case <-tick.C:
			l.mu.Lock()
			for c := range l.conns {
				c.look.watch(c)
			}
			l.mu.Unlock()
		}
	}
}

// lookout notices the client of a connection leave while it is being answered.
type lookout struct {
	mu      sync.Mutex
	busy    bool
	aged    bool          // busy at the last look already
	reading chan struct{} // closed when the read that waits for the client's end is over
	early   [1]byte       // what it read instead, of the next request
	got     int
}

func (k *lookout) begin() {
	k.mu.Lock()
	k.busy, k.aged = true, false
	k.mu.Unlock()
}

// watch begins to read from the connection of a request that takes its time. A
// client sends nothing then, so the read tells when it leaves.
func (k *lookout) watch(c *conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.busy || k.reading != nil || c.filled > c.end || c.end == len(c.in) { // who sends requests ahead is there; one byte needs room
		return
	}
	if !k.aged {
		k.aged = true
		return
	}
	if err := c.tcp.SetReadDeadline(time.Time{}); err != nil {
		return // the connection has ended, and the answer will tell
	}
	reading := make(chan struct{})
	k.reading = reading
	go func() {
		defer close(reading)
		n, err := c.tcp.Read(k.early[:])
		k.got = n
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			c.cancel()
		}
	}()
}

// end calls the read off and waits for it.
func (k *lookout) end(c *conn) {
	k.mu.Lock()
	k.busy = false
	reading := k.reading
	k.mu.Unlock()
	if reading == nil {
		return
	}
	c.wake()
	<-reading
	c.filled += copy(c.in[c.filled:], k.early[:k.got])
	c.readBy = time.Time{}
	k.reading, k.got = nil, 0
}
