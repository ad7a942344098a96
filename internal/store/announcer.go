package store

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"time"
)

// channel is the name that followers listen on.
const channel = "registry_changes"

// announcer notifies other processes of committed changes. It does so after the
// commit and for several at once: a NOTIFY inside the transaction holds a lock
// of the whole database over the commit, so that no two publications could
// share one write to the disk. When a process ends before it has notified, the
// followers' own polling finds the change.
type announcer struct {
	pool *sql.DB
	log  *slog.Logger
	work chan struct{} // holds one token when there is something to announce
	quit chan struct{}
	done chan struct{}
	once sync.Once
}

func newAnnouncer(pool *sql.DB, log *slog.Logger) *announcer {
	a := &announcer{pool: pool, log: log, work: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	go a.run()
	return a
}

// wake asks for an announcement and does not wait for it.
func (a *announcer) wake() {
	select {
	case a.work <- struct{}{}:
	default: // the one that is due covers this change too
	}
}

func (a *announcer) run() {
	defer close(a.done)
	for {
		select {
		case <-a.work:
			a.announce()
		case <-a.quit:
			select {
			case <-a.work: // the last change before the end
				a.announce()
			default:
			}
			return
		}
	}
}

func (a *announcer) announce() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if _, err := a.pool.ExecContext(ctx, "SELECT pg_notify($1, '')", channel); err != nil {
		a.log.Warn("changes not announced", "error", err)
	}
}

// stop announces what is due and ends.
func (a *announcer) stop() {
	a.once.Do(func() { close(a.quit) })
	<-a.done
}
