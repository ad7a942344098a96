package store

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"gorm.io/gorm"
)

// maxGroup bounds the jobs of one transaction, and so how long the first of
// them waits for the last.
const maxGroup = 32

// committer lets writers that come together share one transaction. SQLite takes
// one writer at a time and flushes the disk for each commit, so eight writers
// would wait for eight flushes. Each job has a savepoint of its own: one that
// fails takes back what it did and leaves the others alone.
//
// Nobody waits for company: the first writer begins at once, and those who come
// while it is busy are the next group.
type committer struct {
	mu    sync.Mutex
	busy  bool   // somebody leads a group
	queue []*job // who waits for the next one
}

// job is one writer's part of a transaction.
type job struct {
	ctx  context.Context
	work func(*gorm.DB) error
	err  error
	// done is closed when err is final; lead when the job must lead a group, its
	// own included.
	done, lead chan struct{}
}

// run does work in a transaction of db, which others may share, and returns when
// it is committed, or with the error because of which nothing of it was kept.
func (c *committer) run(ctx context.Context, db *gorm.DB, work func(*gorm.DB) error) error {
	j := &job{ctx: ctx, work: work, done: make(chan struct{}), lead: make(chan struct{})}
	c.mu.Lock()
	c.queue = append(c.queue, j)
	leads := !c.busy
	c.busy = true
	c.mu.Unlock()
	if !leads {
		select {
		case <-j.done:
			return j.err
		case <-j.lead:
		}
	}
	defer c.handOver() // also when the work panics
	commitGroup(db, c.take())
	return j.err
}

// take gives the next group: the oldest jobs that wait.
func (c *committer) take() []*job {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(len(c.queue), maxGroup)
	group := c.queue[:n:n]
	c.queue = c.queue[n:]
	return group
}

// handOver makes the oldest job that waits lead the next group.
func (c *committer) handOver() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		c.busy = false
		return
	}
	close(c.queue[0].lead)
}

// errGroupLost is a transaction that SQLite gave up as a whole, such as on a
// full disk: savepoints are gone with it.
var errGroupLost = errors.New("the shared transaction is lost")

// commitGroup runs all jobs in one transaction. When it is lost, and with it
// the work of jobs that did nothing wrong, each runs again by itself.
func commitGroup(db *gorm.DB, group []*job) {
	defer func() {
		for _, j := range group {
			close(j.done)
		}
	}()
	if len(group) == 1 {
		group[0].runAlone(db)
		return
	}
	// The work of one must not end because the caller of another left: SQLite
	// would take back all of it.
	err := db.WithContext(context.WithoutCancel(group[0].ctx)).Transaction(func(tx *gorm.DB) error {
		for i, j := range group {
			if err := j.runAt(tx, fmt.Sprintf("job%d", i)); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errGroupLost) {
		for _, j := range group {
			j.runAlone(db)
		}
		return
	}
	for _, j := range group {
		if j.err == nil {
			j.err = err
		}
	}
}

// runAlone runs the job in a transaction of its own. It is too short to be
// stopped: see Store.brief.
func (j *job) runAlone(db *gorm.DB) {
	if j.err = j.ctx.Err(); j.err == nil {
		j.err = db.WithContext(context.WithoutCancel(j.ctx)).Transaction(j.work)
	}
}

// runAt runs the job between savepoints. What it returns ends the group.
func (j *job) runAt(tx *gorm.DB, savepoint string) error {
	if j.err = j.ctx.Err(); j.err != nil {
		return nil
	}
	if err := tx.Exec("SAVEPOINT " + savepoint).Error; err != nil {
		return err
	}
	if j.err = guarded(tx, j.work); j.err == nil {
		return tx.Exec("RELEASE " + savepoint).Error
	}
	if err := tx.Exec("ROLLBACK TO " + savepoint).Error; err != nil {
		return errors.Join(errGroupLost, err)
	}
	return tx.Exec("RELEASE " + savepoint).Error
}

// guarded makes a panic the job's own failure.
func guarded(tx *gorm.DB, work func(*gorm.DB) error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic in a transaction: %v", cause)
		}
	}()
	return work(tx)
}
