package nuget

import (
	"context"

	"pakhus/internal/registry"
)

// editAttempts bounds how often a change is computed anew when another one came
// first.
const editAttempts = 5

// edit changes the versions of one package: plan computes the change from the
// rows; nil changes nothing. What search shows follows from the rows as they
// are then.
func (h *Handler) edit(ctx context.Context, req *request, head registry.Package, action string, plan func([]registry.Version) ([]registry.VersionEdit, error)) error {
	for attempt := 1; ; attempt++ {
		versions, err := h.packages.Versions(ctx, head.ID)
		if err != nil {
			return err
		}
		edits, err := plan(versions)
		if err != nil || edits == nil {
			return err
		}
		listing, err := h.listingAfter(ctx, versions, edits)
		if err != nil {
			return err
		}
		_, err = h.packages.Edit(ctx, registry.Edit{
			PackageID: head.ID, Revision: head.Revision, Versions: edits, Listing: listing, By: req.identity.Actor(), Action: action,
		})
		if registry.KindOf(err) != registry.Conflict || attempt == editAttempts {
			return err
		}
		if head, err = h.packages.Package(ctx, head.ProjectID, registry.NuGet, head.Key); err != nil {
			return err
		}
	}
}

// relist makes what search shows anew, after a version was replaced: the new one
// may be less than the one before it.
func (h *Handler) relist(ctx context.Context, req *request, head registry.Package) error {
	return h.edit(ctx, req, head, "relist", func([]registry.Version) ([]registry.VersionEdit, error) {
		return []registry.VersionEdit{}, nil
	})
}

// listingAfter computes the listing of a package from all of its versions, with
// some of them changed. Only the entries that represent it are read.
func (h *Handler) listingAfter(ctx context.Context, versions []registry.Version, edits []registry.VersionEdit) (*registry.Listing, error) {
	status := map[int64]registry.Status{}
	for _, e := range edits {
		if e.Status != "" {
			status[e.VersionID] = e.Status
		}
	}
	s := &summary{}
	var best [views]bestVersion
	for i := range versions {
		v := &versions[i]
		now, changed := status[v.ID]
		if !changed {
			now = v.Status
		}
		if now != registry.Listed {
			continue
		}
		listed, err := newListed(v)
		if err != nil {
			return nil, err
		}
		s.Versions = append(s.Versions, listed)
		for w := range view(views) {
			if w.shows(listed.Prerelease, listed.SemVer2) && (best[w].id == 0 || best[w].SortKey <= listed.SortKey) {
				best[w] = bestVersion{v.ID, listed}
			}
		}
	}
	s.trim()
	if err := h.loadBest(ctx, s, best); err != nil {
		return nil, err
	}
	return s.listing()
}

// bestVersion is a version that represents a package in a view.
type bestVersion struct {
	id int64
	listedVersion
}

func newListed(v *registry.Version) (listedVersion, error) {
	parsed, err := ParseVersion(v.Version)
	if err != nil {
		return listedVersion{}, registry.Wrapf(registry.Internal, err, "version %d", v.ID)
	}
	row, err := stateOf(v)
	return listedVersion{Key: v.Key, SortKey: v.SortKey, Version: v.Version, Prerelease: parsed.IsPrerelease(), SemVer2: row.SemVer2}, err
}

// loadBest reads the entries of the best versions, each once.
func (h *Handler) loadBest(ctx context.Context, s *summary, best [views]bestVersion) error {
	byID := map[int64]int{}
	for w, b := range best {
		if b.id == 0 {
			continue
		}
		i, ok := byID[b.id]
		if !ok {
			data, err := h.packages.Fragment(ctx, b.id, entryFragment)
			if err != nil {
				return err
			}
			e, err := decodeEntry(data)
			if err != nil {
				return err
			}
			i = len(s.Best)
			byID[b.id], s.Best = i, append(s.Best, bestEntry{listedVersion: b.listedVersion, Entry: e.shown()})
		}
		s.Best[i].Views = append(s.Best[i].Views, view(w))
	}
	return nil
}
