package store

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"pakhus/internal/registry"
)

// attempts bounds how often a transaction is tried that others were in the way
// of, by deadlock or serialization failure.
const attempts = 5

// tx is a transaction that writes. What it records is inserted at its end.
type tx struct {
	*gorm.DB
	store   *Store
	now     time.Time
	events  []eventRow
	changes []registry.Change
}

// write runs work in one transaction. work may run several times, so it must
// have no effect outside. Listeners have forgotten what changed when write
// returns, also when nobody knows whether the commit happened.
func (s *Store) write(ctx context.Context, work func(*tx) error) error {
	for attempt := 1; ; attempt++ {
		err := s.attempt(ctx, work)
		if err == nil || attempt == attempts || breachOf(err) != clash {
			return s.fail(ctx, err, "")
		}
		pause := time.Duration(attempt)*4*time.Millisecond + rand.N(8*time.Millisecond)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return s.fail(ctx, ctx.Err(), "")
		}
	}
}

func (s *Store) attempt(ctx context.Context, work func(*tx) error) error {
	var committing []registry.Change
	began := time.Now()
	err := s.transact(ctx, func(db *gorm.DB) error {
		t := &tx{DB: db, store: s, now: s.now()}
		if err := work(t); err != nil {
			return err
		}
		if err := t.insertRecords(); err != nil {
			return err
		}
		if err := t.flush(); err != nil {
			return err
		}
		committing = t.changes
		return nil
	})
	s.onUse("transaction", time.Since(began))
	s.forget(committing)
	if err == nil && len(committing) > 0 && s.announcer != nil {
		s.announcer.wake()
	}
	return err
}

// transact runs work in one transaction, on SQLite together with others that
// write now.
func (s *Store) transact(ctx context.Context, work func(*gorm.DB) error) error {
	if s.dialect == sqliteDialect {
		return s.committer.run(ctx, s.writer, work)
	}
	return s.writer.WithContext(ctx).Transaction(work)
}

// forUpdate starts a query whose rows nobody else changes until the transaction
// ends. SQLite has but one writer and needs no such thing.
func (t *tx) forUpdate() *gorm.DB { return t.Clauses(clause.Locking{Strength: "UPDATE"}) }

// record notes one audited change, and what is to be forgotten because of it.
func (t *tx) record(e event, changes ...registry.Change) error {
	details := "{}"
	if e.details != nil {
		text, err := json.Marshal(e.details)
		if err != nil {
			return err
		}
		details = string(text)
	}
	t.events = append(t.events, eventRow{
		CreatedAt: micros(t.now), ActorKind: e.by.Kind, ActorID: e.by.ID, ActorName: e.by.Name,
		Action: e.action, ProjectID: optionalID(e.projectID), Subject: e.subject, Details: details,
	})
	t.forgetLater(changes...)
	return nil
}

// forgetLater notes what is to be forgotten when the transaction ends.
func (t *tx) forgetLater(changes ...registry.Change) {
	for _, c := range changes {
		if !contains(t.changes, c) {
			t.changes = append(t.changes, c)
		}
	}
}

func contains(changes []registry.Change, c registry.Change) bool {
	for _, have := range changes {
		if have == c {
			return true
		}
	}
	return false
}

func (t *tx) insertRecords() error {
	for _, e := range t.events {
		err := t.later(nil, `INSERT INTO events (created_at, actor_kind, actor_id, actor_name, action, project_id, subject, details)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			e.CreatedAt, e.ActorKind, e.ActorID, e.ActorName, e.Action, e.ProjectID, e.Subject, e.Details)
		if err != nil {
			return err
		}
	}
	for _, c := range t.changes {
		err := t.later(nil, "INSERT INTO changes (origin, topic, key, created_at) VALUES (?, ?, ?, ?)",
			t.store.origin, string(c.Topic), c.Key, micros(t.now))
		if err != nil {
			return err
		}
	}
	return nil
}

// insertBatch bounds the rows of one INSERT: databases bound the parameters of
// a statement, SQLite at 32,766.
const insertBatch = 500

// The topics that hold for the whole instance.
var (
	namespaceChanged = registry.Change{Topic: registry.TopicNamespace}
	accessChanged    = registry.Change{Topic: registry.TopicAccess}
)

// event is one entry of the audit log.
type event struct {
	by        registry.Actor
	action    string
	projectID int64 // 0: not about one project
	subject   string
	details   any // becomes a JSON object; never a secret
}

// eventRow is append-only: triggers refuse anything but inserts.
type eventRow struct {
	ID        int64 `gorm:"primaryKey"`
	CreatedAt int64
	ActorKind string
	ActorID   int64
	ActorName string
	Action    string
	ProjectID *int64
	Subject   string
	Details   string
}

func (eventRow) TableName() string { return "events" }

// changeRow tells other processes what to forget. On PostgreSQL the table also
// has the transaction's id, which the database fills in.
type changeRow struct {
	ID        int64 `gorm:"primaryKey"`
	Origin    int64
	Topic     string
	Key       string
	CreatedAt int64
}

func (changeRow) TableName() string { return "changes" }
