package npm

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// latestTag is the tag that clients install when none is named.
const latestTag = "latest"

// packageState is what a change to a package is computed from.
type packageState struct {
	found
	versions  []registry.Version // living ones, in publish order
	byVersion map[string]registry.Version
	tags      map[string]string
}

// loadState reads the state of one package; without living versions it is
// NotFound.
func (h *Handler) loadState(ctx context.Context, name Name, f found) (*packageState, error) {
	contents, err := h.load(ctx, name, []found{f}, "")
	if err != nil {
		return nil, err
	}
	s := &packageState{found: f, tags: contents.tags, byVersion: map[string]registry.Version{}}
	for _, e := range contents.entries {
		s.versions = append(s.versions, e.version)
		s.byVersion[e.version.Version] = e.version
	}
	return s, nil
}

// editAttempts bounds how often a change is computed anew when another one came
// first.
const editAttempts = 5

// edit changes the one package that the address names: it reads the state, lets
// plan compute the change, and saves it unless somebody else was faster. An
// empty plan changes nothing and succeeds.
func (h *Handler) edit(c echo.Context, req *request, action string, plan func(*packageState) (registry.Edit, error)) error {
	ctx := c.Request().Context()
	var head registry.Package
	for attempt := 1; ; attempt++ {
		f, err := h.target(ctx, req, req.action)
		if err != nil {
			return err
		}
		state, err := h.loadState(ctx, req.path.Name, f)
		if err != nil {
			return err
		}
		change, err := plan(state)
		if err != nil {
			return err
		}
		if head = f.head; isEmpty(change) {
			break
		}
		change.PackageID, change.Revision = f.head.ID, f.head.Revision
		change.By, change.Action = req.identity.Actor(), action
		head, err = h.packages.Edit(ctx, change)
		if err == nil {
			break
		}
		if registry.KindOf(err) != registry.Conflict || attempt == editAttempts {
			return err
		}
	}
	return c.JSON(http.StatusOK, written{OK: true, Success: true, ID: req.path.Name.String(), Rev: rev(head)})
}

func isEmpty(e registry.Edit) bool {
	return len(e.Versions)+len(e.SetTags)+len(e.DropTags) == 0 && e.Listing == nil && !e.Delete
}

// stateOf decodes the part of a version that may change.
func stateOf(v registry.Version) (State, error) {
	var s State
	if err := json.Unmarshal(v.State, &s); err != nil {
		return s, registry.Wrapf(registry.Internal, err, "state of version %d", v.ID)
	}
	return s, nil
}

// The kinds of fragments that are prepared of each version.
const (
	fullFragment        registry.FragmentKind = "full"
	abbreviatedFragment registry.FragmentKind = "abbreviated"
	topFragment         registry.FragmentKind = "top"
)

// fragmentsOf prepares what depends on a version's state.
func fragmentsOf(manifest []byte, s State) (map[registry.FragmentKind][]byte, error) {
	full, err := FullFragment(manifest, s)
	if err != nil {
		return nil, err
	}
	abbreviated, err := AbbreviatedFragment(manifest, s)
	if err != nil {
		return nil, err
	}
	return map[registry.FragmentKind][]byte{fullFragment: full, abbreviatedFragment: abbreviated}, nil
}

// encodeState is the inverse of stateOf.
func encodeState(s State) ([]byte, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, registry.Wrapf(registry.Internal, err, "encode state")
	}
	return b, nil
}
