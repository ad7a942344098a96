package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"pakhus/internal/pgtest"
)

// replicaBound is how old an answer of a replica may be at most.
const replicaBound = time.Second

// TestReplicas runs two servers over one PostgreSQL and one bucket: what one of
// them did, the other one tells within a second, also of what it had cached.
func TestReplicas(t *testing.T) {
	t.Parallel()
	settings := map[string]string{
		"REGISTRY_DATABASE_URL": pgtest.New(t),
		"REGISTRY_BUCKET_URL":   "file://" + filepath.Join(t.TempDir(), "blobs"),
	}
	a, b := serve(t, settings), serve(t, settings)
	w, err := newWorld(a, "replicas")
	if err != nil {
		t.Fatal(err)
	}
	atA := newRaw(w.vars["PROJECT"], w.vars["RW"])
	atB := atA.at(a, b)
	t.Run("publish", func(t *testing.T) { replicatePublish(t, atA, atB) })
	t.Run("revoke", func(t *testing.T) { replicateRevocation(t, a, atA.registry, atB.registry) })
}

const replicated = "@replicas/lib"

// replicatePublish publishes at one replica and asks the other one.
func replicatePublish(t *testing.T, at, other raw) {
	ctx := context.Background()
	var slowest time.Duration
	for i := range 20 {
		// The reader caches the package, or that there is none, before each change.
		before, err := other.packument(ctx, replicated)
		if err != nil {
			t.Fatal(err)
		}
		if len(before.Versions) != i {
			t.Fatalf("the other replica lists %d versions, not %d", len(before.Versions), i)
		}
		art, err := newArtifact(replicated, fmt.Sprintf("1.0.%d", i), 2000)
		if err != nil {
			t.Fatal(err)
		}
		if err := at.publish(ctx, art, "latest"); err != nil {
			t.Fatal(err)
		}
		var p packument
		slowest = max(slowest, eventually(t, replicaBound, func(ctx context.Context) (err error) {
			p, err = other.packument(ctx, replicated)
			if err == nil && p.DistTags["latest"] != art.version {
				err = fmt.Errorf("latest is %q", p.DistTags["latest"])
			}
			return err
		}))
		if _, err := p.tarball(ctx, other, art.version); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("slowest of 20: %s", slowest)
}

// replicateRevocation makes a token by a command and revokes it: every replica
// takes it, then refuses it.
func replicateRevocation(t *testing.T, s *server, registries ...string) {
	made, err := s.create("token", "create", "--name", "short", "--project", "replicas/team/lib",
		"--scope", "read_package_registry")
	if err != nil {
		t.Fatal(err)
	}
	var callers []raw
	for _, registry := range registries {
		caller := newRaw(registry, made.Token)
		callers = append(callers, caller)
		eventually(t, replicaBound, func(ctx context.Context) error {
			_, err := caller.packument(ctx, replicated)
			return err
		})
	}
	if _, err := s.command("token", "revoke", fmt.Sprint(made.ID)); err != nil {
		t.Fatal(err)
	}
	revoked := time.Now()
	for _, caller := range callers {
		eventually(t, replicaBound-time.Since(revoked), func(ctx context.Context) error {
			_, err := caller.packument(ctx, replicated)
			var refused *statusError
			if errors.As(err, &refused) && refused.status == http.StatusUnauthorized {
				return nil
			}
			return fmt.Errorf("the revoked token is not refused: %w", cmp.Or(err, errAnswered))
		})
	}
	t.Logf("refused by all after %s", time.Since(revoked))
}

var errAnswered = errors.New("it was answered")
