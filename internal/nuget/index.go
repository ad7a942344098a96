package nuget

import (
	"context"
	"encoding/json"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

const jsonType = "application/json"

// resource is one entry of the service index.
type resource struct {
	ID            string `json:"@id"`
	Type          string `json:"@type"`
	Comment       string `json:"comment,omitempty"`
	ClientVersion string `json:"clientVersion,omitempty"`
}

type serviceIndex struct {
	Version   string     `json:"version"`
	Resources []resource `json:"resources"`
}

// offer is a thing that a feed offers, under all the names that clients look it
// up by. Each client knows some of them and compares them exactly (nuget.md 2.1).
type offer struct {
	path    string // below the feed
	types   []string
	comment string
	project bool // at project level only
}

// offers are in the order in which clients that take the first entry of a type
// should see them.
var offers = []offer{
	{path: "/query", comment: "Search for packages.", types: []string{
		"SearchQueryService", "SearchQueryService/3.0.0-beta", "SearchQueryService/3.0.0-rc", "SearchQueryService/3.4.0", "SearchQueryService/3.5.0",
	}},
	{path: "/metadata", comment: "What is known of a package's versions.", types: []string{
		"RegistrationsBaseUrl", "RegistrationsBaseUrl/3.0.0-beta", "RegistrationsBaseUrl/3.0.0-rc", "RegistrationsBaseUrl/3.4.0",
		"RegistrationsBaseUrl/3.6.0", versionedRegistrations,
	}},
	{path: "/download", comment: "Versions and files of packages.", types: []string{"PackageBaseAddress/3.0.0"}},
	{path: "", comment: "Push, unlist, relist.", types: []string{"PackagePublish/2.0.0"}, project: true},
	{path: "/symbolpackage", comment: "Push symbol packages.", types: []string{"SymbolPackagePublish/4.9.0"}, project: true},
	{path: "/autocomplete", comment: "Complete ids and versions.", types: []string{
		"SearchAutocompleteService", "SearchAutocompleteService/3.0.0-beta", "SearchAutocompleteService/3.0.0-rc", "SearchAutocompleteService/3.5.0",
	}},
	{path: "/download/{lower_id}/{lower_version}/readme", comment: "A version's readme.", types: []string{"ReadmeUriTemplate/6.13.0"}},
	// There are no pages for people yet; the documents tell the same. Without an
	// address of its own Visual Studio would send people to the public gallery.
	{path: "/metadata/{id}/{version}.json", comment: "Details of a version.", types: []string{
		"PackageDetailsUriTemplate/5.1.0", "ReportAbuseUriTemplate/3.0.0-beta", "ReportAbuseUriTemplate/3.0.0-rc", "ReportAbuseUriTemplate/3.0.0",
	}},
	{path: "/query?q=owner:{owner}", comment: "Packages of an owner.", types: []string{"OwnerDetailsUriTemplate/6.11.0"}},
	{path: "/v2", comment: "The feed for clients from before V3.", types: []string{"LegacyGallery", "LegacyGallery/2.0.0"}},
}

// versionedRegistrations is looked up first by clients from 4.3 on, which read
// the version that it is for.
const versionedRegistrations = "RegistrationsBaseUrl/Versioned"

// getIndex answers GET /index.json: what the feed offers, and where. Both levels
// answer it to anyone; it tells no more than that the project or group exists.
func (h *Handler) getIndex(c echo.Context, req *request) error {
	kind := "nuget/index/project"
	if req.level == groupLevel {
		kind = "nuget/index/group"
	}
	key := registry.DocumentKey{Kind: kind, Base: req.base}
	meta := serve.DocumentMeta{ContentType: jsonType, CacheControl: "public, max-age=0, must-revalidate"}
	return serve.Prepared(c, h.packages, key, time.Time{}, meta, func(context.Context) ([]byte, error) {
		body, err := json.Marshal(newServiceIndex(req.level, req.base))
		if err != nil {
			return nil, registry.Wrapf(registry.Internal, err, "encode service index")
		}
		return body, nil
	})
}

func newServiceIndex(l level, base string) serviceIndex {
	index := serviceIndex{Version: "3.0.0"}
	for _, o := range offers {
		if o.project && l != projectLevel {
			continue
		}
		for _, t := range o.types {
			r := resource{ID: base + o.path, Type: t, Comment: o.comment}
			if t == versionedRegistrations {
				r.ClientVersion = "4.3.0-alpha"
			}
			index.Resources = append(index.Resources, r)
		}
	}
	return index
}
