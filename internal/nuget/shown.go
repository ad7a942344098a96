package nuget

import (
	"context"

	"pakhus/internal/registry"
)

// shownPackage is a search result before a view is chosen.
type shownPackage struct {
	id      ID
	summary *summary
	all     []found // the packages of this id that the feed covers
}

// show tells what a search result shows. In a group's feed several projects may
// have the id: then all of its versions count, each as it was pushed first.
func (h *Handler) show(ctx context.Context, req *request, hit *registry.Found) (shownPackage, error) {
	id, err := ParseID(hit.Package.Key)
	if err != nil {
		return shownPackage{}, registry.Wrapf(registry.Internal, err, "package %d", hit.Package.ID)
	}
	shown := shownPackage{id: id, all: []found{{req.project, hit.Package}}}
	summary := hit.Summary
	if hit.Shared {
		all, err := h.find(ctx, req, id)
		if err != nil && registry.KindOf(err) != registry.NotFound { // else deleted meanwhile
			return shown, err
		}
		if len(all) > 1 {
			shown.all = all
			if summary, err = h.mergedSummary(ctx, id, all); err != nil {
				return shown, err
			}
		}
	}
	shown.summary, err = decodeSummary(summary)
	return shown, err
}

// mergedSummary is the summary of an id that several projects have. It is made
// once for each state of the packages.
func (h *Handler) mergedSummary(ctx context.Context, id ID, all []found) ([]byte, error) {
	key := registry.DocumentKey{Kind: "nuget/summary", Of: revisions(all)}
	doc, err := h.packages.Document(ctx, key, modified(all), func(ctx context.Context) ([]byte, error) {
		versions, err := h.load(ctx, id, all)
		if err != nil && registry.KindOf(err) != registry.NotFound {
			return nil, err
		}
		listing, err := h.listingAfter(ctx, versions, nil)
		if err != nil {
			return nil, err
		}
		return listing.Summary, nil
	})
	if err != nil {
		return nil, err
	}
	return doc.Body, nil
}

// downloads gives the downloads of search results, in their order.
func (h *Handler) downloads(ctx context.Context, results []shownPackage) ([]registry.Downloads, error) {
	var ids []int64
	for _, r := range results {
		for _, f := range r.all {
			ids = append(ids, f.head.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	counted, err := h.packages.Downloads(ctx, ids)
	if err != nil {
		return nil, err
	}
	sums := make([]registry.Downloads, len(results))
	for i, r := range results {
		sums[i].Versions = map[string]int64{}
		for _, f := range r.all {
			of := counted[f.head.ID]
			sums[i].Total += of.Total
			for version, n := range of.Versions {
				sums[i].Versions[version] += n
			}
		}
	}
	return sums, nil
}
