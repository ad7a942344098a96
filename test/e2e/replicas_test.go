package e2e

import (
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
	ctx := context.Background()
	atA := newRaw(w.vars["PROJECT"], w.vars["RW"])
	atB := atA.at(a, b)
	const name = "@replicas/lib"

	t.Run("publish", func(t *testing.T) {
		var slowest time.Duration
		for i := range 20 {
			// The reader caches the package, or that there is none, before each change.
			before, err := atB.packument(ctx, name)
			if err != nil {
				t.Fatal(err)
			}
			if len(before.Versions) != i {
				t.Fatalf("the other replica lists %d versions, not %d", len(before.Versions), i)
			}
			art, err := newArtifact(name, fmt.Sprintf("1.0.%d", i), 2000)
			if err != nil {
				t.Fatal(err)
			}
			if err := atA.publish(ctx, art, "latest"); err != nil {
				t.Fatal(err)
			}
			slowest = max(slowest, eventually(t, replicaBound, func(ctx context.Context) error {
				p, err := atB.packument(ctx, name)
				if err == nil && p.DistTags["latest"] != art.version {
					err = fmt.Errorf("latest is %q", p.DistTags["latest"])
				}
				return err
			}))
			p, err := atB.packument(ctx, name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.tarball(ctx, atB, art.version); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("slowest of 20: %s", slowest)
	})

	t.Run("revoke", func(t *testing.T) {
		made, err := a.create("token", "create", "--name", "short", "--project", "replicas/team/lib",
			"--scope", "read_package_registry")
		if err != nil {
			t.Fatal(err)
		}
		callers := []raw{newRaw(atA.registry, made.Token), newRaw(atB.registry, made.Token)}
		for _, caller := range callers {
			// A token made by a command is good at every replica within the bound.
			eventually(t, replicaBound, func(ctx context.Context) error {
				_, err := caller.packument(ctx, name)
				return err
			})
		}
		if _, err := a.command("token", "revoke", fmt.Sprint(made.ID)); err != nil {
			t.Fatal(err)
		}
		revoked := time.Now()
		for _, caller := range callers {
			eventually(t, replicaBound-time.Since(revoked), func(ctx context.Context) error {
				_, err := caller.packument(ctx, name)
				var refused *statusError
				if errors.As(err, &refused) && refused.status == http.StatusUnauthorized {
					return nil
				}
				return fmt.Errorf("the revoked token is answered %w", err)
			})
		}
		t.Logf("refused by both after %s", time.Since(revoked))
	})
}
