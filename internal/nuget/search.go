package nuget

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

// Bounds of a page of results (nuget.md 6). Larger ones are cut, not refused:
// clients ask for up to 100,000.
const (
	defaultTake = 20
	maxTake     = 1000
	maxSkip     = 1_000_000
)

// searchParameters are what search and autocomplete are asked with. Parameters
// that are not known are ignored, as clients send many.
type searchParameters struct {
	query       Query
	view        view
	packageType string // lower case; empty for any
	skip, take  int
}

func parseSearch(c echo.Context) (searchParameters, error) {
	p := searchParameters{view: viewOf(c)}
	text := c.QueryParam("q")
	if len(text) > maxQuery {
		return p, registry.Errorf(registry.Invalid, "q is longer than %d bytes", maxQuery)
	}
	p.query = ParseQuery(strings.ToValidUTF8(text, "\uFFFD"))
	for _, name := range []string{"packageType", "packageTypeFilter", "packageTypes"} {
		if p.packageType == "" {
			p.packageType = strings.ToLower(c.QueryParam(name))
		}
	}
	if len(p.packageType) > maxTermLength || strings.ContainsFunc(p.packageType, func(r rune) bool { return r <= ' ' }) {
		p.packageType = noSuchTerm // malformed: no hits (nuget.md 6)
	}
	var err error
	if p.skip, err = count(c, "skip", 0, maxSkip); err != nil {
		return p, err
	}
	p.take, err = count(c, "take", defaultTake, maxTake)
	return p, err
}

// viewOf reads what a client wants to see. Official clients always say it.
func viewOf(c echo.Context) view {
	semVer2 := strings.HasPrefix(c.QueryParam("semVerLevel"), "2.")
	return newView(strings.EqualFold(c.QueryParam("prerelease"), "true"), semVer2)
}

// count reads a number of results; Invalid unless it is a whole one from 0 on.
func count(c echo.Context, name string, fallback, highest int) (int, error) {
	text := c.QueryParam(name)
	if text == "" {
		return fallback, nil
	}
	if strings.Trim(text, "0123456789") != "" {
		return 0, registry.Errorf(registry.Invalid, "%s must be a number from 0 on", name)
	}
	n, err := strconv.Atoi(text)
	if err != nil { // more than an int holds
		return highest, nil
	}
	return min(n, highest), nil
}

// search asks the database. The filters are facets and terms, so that the total
// and the pages are right without looking at versions.
func (h *Handler) search(ctx context.Context, req *request, p searchParameters) ([]registry.Found, int64, error) {
	limit := p.take
	if limit == 0 {
		limit = -1 // only the total
	}
	search := newSearchQuery(req, p.query, p.view, p.packageType)
	search.Offset, search.Limit = p.skip, limit
	return h.packages.Search(ctx, search)
}

// newSearchQuery asks for the packages that have a listed version to show in a
// view, of one type or of any.
func newSearchQuery(req *request, q Query, v view, packageType string) registry.SearchQuery {
	having := q.Having
	if packageType != "" {
		having = append(having, typeTerm(v, packageType))
	}
	if len(q.Terms)+len(having) == 0 {
		having = []string{everyTerm}
	}
	return registry.SearchQuery{
		Readers: req.identity.Readers(), Span: req.span(), Format: registry.NuGet,
		Terms: q.Terms, Having: having, Exact: q.Exact, Facets: v.facet(), OncePerKey: req.level == groupLevel,
	}
}

// searchAnswer is the answer of a search.
type searchAnswer struct {
	TotalHits int64          `json:"totalHits"`
	Data      []searchResult `json:"data"`
}

// searchResult is a package as its newest version in the client's view tells of
// it. Fields without a value are left out.
type searchResult struct {
	ID                string          `json:"@id"`
	Type              string          `json:"@type"`
	Registration      string          `json:"registration"`
	PackageID         string          `json:"id"`
	Version           string          `json:"version"`
	Description       string          `json:"description"`
	Summary           string          `json:"summary,omitempty"`
	Title             string          `json:"title"`
	IconURL           string          `json:"iconUrl,omitempty"`
	LicenseURL        string          `json:"licenseUrl,omitempty"`
	LicenseExpression string          `json:"licenseExpression,omitempty"`
	ProjectURL        string          `json:"projectUrl,omitempty"`
	Tags              []string        `json:"tags"`
	Authors           []string        `json:"authors"`
	Owners            []string        `json:"owners"`
	TotalDownloads    int64           `json:"totalDownloads"`
	Verified          bool            `json:"verified"`
	PackageTypes      []EntryType     `json:"packageTypes"`
	Versions          []searchVersion `json:"versions"`
}

type searchVersion struct {
	Version   string `json:"version"`
	Downloads int64  `json:"downloads"`
	ID        string `json:"@id"`
}

// getSearch answers GET /query.
func (h *Handler) getSearch(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	p, err := parseSearch(c)
	if err != nil {
		return err
	}
	hits, total, err := h.search(ctx, req, p)
	if err != nil {
		return err
	}
	results := make([]shownPackage, len(hits))
	for i := range hits {
		if results[i], err = h.show(ctx, req, &hits[i]); err != nil {
			return err
		}
	}
	counted, err := h.downloads(ctx, results)
	if err != nil {
		return err
	}
	answer := searchAnswer{TotalHits: total, Data: []searchResult{}}
	for i, shown := range results {
		if result, ok := newSearchResult(req.base, shown, p.view, counted[i]); ok {
			answer.Data = append(answer.Data, result)
		}
	}
	return sendFresh(c, answer)
}

// sendFresh answers with what was computed for this request.
func sendFresh(c echo.Context, answer any) error {
	body, err := json.Marshal(answer)
	if err != nil {
		return registry.Wrapf(registry.Internal, err, "encode answer")
	}
	c.Response().Header().Set("Cache-Control", "no-cache")
	c.Response().Header().Set("Vary", "Authorization")
	return c.Blob(http.StatusOK, jsonType, body)
}

// newSearchResult shows a package in a view. It is false when the package has
// nothing to show there by now.
func newSearchResult(base string, shown shownPackage, v view, counted registry.Downloads) (searchResult, bool) {
	s := shown.summary
	i := s.find(v)
	if i < 0 {
		return searchResult{}, false
	}
	best := &s.Best[i]
	e, at, self := best.Entry, place{shown.id.Key(), best.Key}, base+registrationPath(shown.id.Key())
	result := searchResult{
		ID: self, Type: "Package", Registration: self, PackageID: e.ID, Version: e.Version, Description: e.Description, Summary: e.Summary,
		Title: e.Title, IconURL: e.IconURL, LicenseURL: e.LicenseURL, LicenseExpression: e.LicenseExpression, ProjectURL: e.ProjectURL,
		Tags: splitList(e.Tags, " "), Authors: splitList(e.Authors, ","), Owners: splitList(e.Owners, ","), PackageTypes: e.PackageTypes,
		TotalDownloads: counted.Total,
	}
	if result.Title == "" {
		result.Title = e.ID
	}
	if e.IconFile != "" {
		result.IconURL = base + at.folder() + "/icon"
	}
	if e.LicenseFile != "" {
		result.LicenseURL = base + at.folder() + "/license"
	}
	if !slices.ContainsFunc(s.Versions, func(l listedVersion) bool { return l.Key == best.Key }) { // older than the newest ones
		s.Versions = append(s.Versions, best.listedVersion)
	}
	for _, l := range slices.Backward(s.Versions) {
		if v.shows(l.Prerelease, l.SemVer2) {
			result.Versions = append(result.Versions, searchVersion{Version: l.Version, Downloads: counted.Versions[l.Key], ID: base + place{at.id, l.Key}.leaf()})
		}
	}
	return result, true
}
