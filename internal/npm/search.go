package npm

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// Bounds of a search (npm.md 12 and 20).
const (
	searchSize    = 20
	maxSearchSize = 250
	maxSearchFrom = 5000
	maxSearchText = 2 << 10 // bytes
)

// getSearch answers npm search and pnpm search over what the caller may read.
func (h *Handler) getSearch(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	text := c.QueryParam("text")
	if len(text) > maxSearchText {
		return registry.Errorf(registry.Invalid, "the search text is longer than %d bytes", maxSearchText)
	}
	q := ParseSearchText(text)
	found, total, err := h.packages.Search(ctx, registry.SearchQuery{
		Readers: req.identity.Readers(), Span: req.span(), Format: registry.NPM, Terms: q.Terms, Not: q.Not, Exact: q.Exact,
		Offset: number(c.QueryParam("from"), 0, 0, maxSearchFrom), Limit: number(c.QueryParam("size"), searchSize, 1, maxSearchSize),
	})
	if err != nil {
		return err
	}
	answer := searchAnswer{Objects: []searchResult{}, Total: total, Time: string(appendTime(nil, h.packages.Now()))}
	for i, f := range found {
		answer.Objects = append(answer.Objects, newSearchResult(f, i))
	}
	c.Response().Header().Set("Cache-Control", "no-cache")
	return c.JSON(http.StatusOK, answer)
}

func newSearchResult(f registry.Found, position int) searchResult {
	score := 1 / float64(position+1)
	return searchResult{
		Package: json.RawMessage(f.Summary), SearchScore: score,
		Score: searchScore{Final: score, Detail: searchDetail{Quality: 1, Popularity: 1, Maintenance: 1}},
	}
}

// number reads a bounded number; what is no number is the default.
func number(text string, fallback, low, high int) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return fallback
	}
	return min(max(n, low), high)
}

// listingOf is what search is to know of a package whose latest is v.
func (h *Handler) listingOf(ctx context.Context, name Name, v registry.Version) (*registry.Listing, error) {
	full, err := h.packages.Version(ctx, v.PackageID, v.Key)
	if err != nil {
		return nil, err
	}
	return newListing(name, full.Version, full.Manifest, person{Name: full.PublishedBy}, string(appendTime(nil, full.CreatedAt)))
}

// listed are the fields of a manifest that search shows. Each may have any
// shape; what does not fit is left out.
type listed struct {
	Description json.RawMessage `json:"description"`
	Keywords    json.RawMessage `json:"keywords"`
	Homepage    json.RawMessage `json:"homepage"`
	Repository  json.RawMessage `json:"repository"`
	Bugs        json.RawMessage `json:"bugs"`
	License     json.RawMessage `json:"license"`
}

// newListing makes the search entry of a package from the manifest of its latest
// version.
func newListing(name Name, version string, manifest []byte, by person, date string) (*registry.Listing, error) {
	var m listed
	if err := json.Unmarshal(manifest, &m); err != nil {
		return nil, registry.Wrapf(registry.Invalid, err, "the manifest is not a JSON object")
	}
	description, keywords := text(m.Description), words(m.Keywords)
	s := summary{
		Name: name.String(), SanitizedName: name.String(), Scope: name.Scope(), Version: version, Description: description,
		Keywords: keywords, Date: date, Links: map[string]string{}, License: textOrField(m.License, "type"),
		Publisher: publisher{Username: by.Name, Email: by.Email}, Maintainers: []publisher{{Username: by.Name, Email: by.Email}},
	}
	for key, value := range map[string]string{
		"homepage": text(m.Homepage), "repository": textOrField(m.Repository, "url"), "bugs": textOrField(m.Bugs, "url"),
	} {
		if strings.HasPrefix(value, "http://") || strings.HasPrefix(value, "https://") || strings.HasPrefix(value, "git") {
			s.Links[key] = value
		}
	}
	encoded, err := json.Marshal(s)
	if err != nil {
		return nil, registry.Wrapf(registry.Internal, err, "encode search entry")
	}
	return &registry.Listing{VersionKey: version, Summary: encoded, Terms: append(Terms(name, description, keywords, by.Name), twinTerm(name))}, nil
}

// text gives a JSON string's value; other shapes are empty.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// textOrField gives a string, or a string field of an object.
func textOrField(raw json.RawMessage, field string) string {
	if s := text(raw); s != "" {
		return s
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return ""
	}
	return text(object[field])
}

// maxKeywords bounds the keywords that are kept for search (npm.md 22).
const maxKeywords = 100

// words gives keywords, which come as an array or as one text.
func words(raw json.RawMessage) []string {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return slices.Clip(append([]string{}, strings.Fields(text(raw))...))
	}
	out := []string{}
	for _, item := range list {
		if s := text(item); s != "" && len(out) < maxKeywords {
			out = append(out, s)
		}
	}
	return out
}

// twinTerm is a search term that no search can ask for: by it, a new name that
// only differs in case or punctuation from one in the project is found
// (npm.md 3.1). The control characters keep it apart from words and from longer
// names.
func twinTerm(name Name) string { return exactTerm("twin", name.TwinKey()) }

// checkTwin refuses a new name that looks like one that the project has.
func (h *Handler) checkTwin(ctx context.Context, projectID int64, name Name) error {
	twins, err := h.packages.PackagesByTerm(ctx, projectID, registry.NPM, twinTerm(name))
	if err != nil {
		return err
	}
	if len(twins) > 0 && twins[0].Name != name.String() {
		return registry.Errorf(registry.Forbidden, "the name %s looks like %s, which is in this project: choose another one", name, twins[0].Name)
	}
	return nil
}
