package store

import (
	"context"
	"time"

	"pakhus/internal/registry"
)

const (
	// pollEvery bounds how late a change of another process is heard of when
	// nothing announces it.
	pollEvery = 200 * time.Millisecond
	// pollWithin bounds a poll. Together they keep a change from being unknown for
	// a second: whoever hears nothing for longer is not live.
	pollWithin = 500 * time.Millisecond
	// changesKept is how long change rows stay. A follower that was away drops
	// everything when it comes back, so nobody needs older ones.
	changesKept = time.Hour
)

// follower reads what others changed. It is bound to one connection.
type follower interface {
	// poll gives the changes since the last poll; the first gives none and only
	// marks where to begin.
	poll(ctx context.Context) ([]registry.Change, error)
	// wait returns when there may be something to read, at the latest after
	// pollEvery.
	wait(ctx context.Context) error
	close()
}

// Follow delivers what other processes change to the listeners, until ctx ends;
// then it returns nil. Listeners are live from the first poll on, and not while
// the database does not answer. A change of another process is forgotten within
// a second, or the listeners are not live by then.
func (s *Store) Follow(ctx context.Context) error {
	backoff := 50 * time.Millisecond
	for ctx.Err() == nil {
		began := time.Now()
		err := s.followOnce(ctx)
		s.setLive(false)
		if ctx.Err() != nil {
			break
		}
		s.log.WarnContext(ctx, "changes of other processes are not heard of; caches are bypassed", "error", err)
		if time.Since(began) > 10*time.Second {
			backoff = 50 * time.Millisecond
		}
		select {
		case <-time.After(backoff):
		case <-ctx.Done():
		}
		backoff = min(2*backoff, 2*time.Second)
	}
	return nil
}

// followOnce follows over one connection until it fails.
func (s *Store) followOnce(ctx context.Context) error {
	f, err := s.openFollower(ctx)
	if err != nil {
		return err
	}
	defer f.close()
	poll := func() ([]registry.Change, error) {
		ctx, cancel := context.WithTimeout(ctx, pollWithin)
		defer cancel()
		return f.poll(ctx)
	}
	if _, err := poll(); err != nil {
		return err
	}
	s.setLive(true)
	for {
		if err := f.wait(ctx); err != nil {
			return err
		}
		changes, err := poll()
		if err != nil {
			return err
		}
		s.forget(changes)
	}
}

func (s *Store) openFollower(ctx context.Context) (follower, error) {
	if s.dialect == postgresDialect {
		return s.followPostgres(ctx)
	}
	return s.followSQLite(ctx)
}

// PruneChanges removes change rows that nobody needs any more.
func (s *Store) PruneChanges(ctx context.Context) error {
	return s.write(ctx, func(t *tx) error {
		return t.Exec("DELETE FROM changes WHERE created_at < ?", micros(t.now.Add(-changesKept))).Error
	})
}
