package auth

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"pakhus/internal/registry"
)

// touchEvery bounds how often the last use of a credential is written.
const touchEvery = time.Minute

// flushEvery is how long a last use may wait to be written.
const flushEvery = 5 * time.Second

// touchSlot remembers in a cached identity when its last use was noted, in Unix
// seconds, so that a hot request costs one atomic read.
type touchSlot struct{ at atomic.Int64 }

func newTouchSlot(last time.Time) *touchSlot {
	slot := &touchSlot{}
	if !last.IsZero() {
		slot.at.Store(last.Unix())
	}
	return slot
}

// touches are last uses that wait to be written.
type touches struct {
	mu       sync.Mutex
	deploy   map[int64]time.Time
	personal map[int64]time.Time
}

// note remembers a use, at most once a minute for each identity.
func (t *touches) note(id *Identity, now time.Time) {
	last := id.lastTouchSlot.at.Load()
	if now.Unix()-last < int64(touchEvery/time.Second) || !id.lastTouchSlot.at.CompareAndSwap(last, now.Unix()) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if id.Kind == DeployTokenIdentity {
		if t.deploy == nil {
			t.deploy = map[int64]time.Time{}
		}
		t.deploy[id.TokenID] = now
		return
	}
	if t.personal == nil {
		t.personal = map[int64]time.Time{}
	}
	t.personal[id.PersonalID] = now
}

// Used notes that an identity, which was verified before and is still valid, was
// used again.
func (s *Service) Used(id *Identity) { s.touches.note(id, s.clock()) }

// take empties the waiting uses.
func (t *touches) take() (deploy, personal map[int64]time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	deploy, personal = t.deploy, t.personal
	t.deploy, t.personal = nil, nil
	return deploy, personal
}

// Run writes last uses until the context ends, and once more then. A failed
// write is reported and those uses are lost: the next use is noted a minute
// later.
func (s *Service) Run(ctx context.Context, report func(error)) {
	registry.Repeat(ctx, flushEvery, func(ctx context.Context) { s.flush(ctx, report) })
}

func (s *Service) flush(ctx context.Context, report func(error)) {
	deploy, personal := s.touches.take()
	if len(deploy)+len(personal) == 0 {
		return
	}
	if err := s.tokens.Touch(ctx, deploy, personal); err != nil {
		report(err)
	}
}
