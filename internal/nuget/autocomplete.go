package nuget

import (
	"strings"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// idCompletions are ids that begin with what was typed.
type idCompletions struct {
	TotalHits int64    `json:"totalHits"`
	Data      []string `json:"data"`
}

// versionCompletions are the versions of an id.
type versionCompletions struct {
	Data []string `json:"data"`
}

// getAutocomplete answers GET /autocomplete: ids by their beginning or that of
// one of their words, or the versions of an id.
func (h *Handler) getAutocomplete(c echo.Context, req *request) error {
	if c.QueryParams().Has("id") {
		return h.completeVersions(c, req)
	}
	p, err := parseSearch(c)
	if err != nil {
		return err
	}
	p.query = Query{}
	if text := c.QueryParam("q"); strings.TrimSpace(text) != "" {
		p.query.addText("id", strings.ToValidUTF8(text, "\uFFFD"))
	}
	ctx := c.Request().Context()
	hits, total, err := h.search(ctx, req, p)
	if err != nil {
		return err
	}
	answer := idCompletions{TotalHits: total, Data: []string{}}
	for i := range hits {
		shown, err := h.show(ctx, req, &hits[i])
		if err != nil {
			return err
		}
		if best := shown.summary.find(p.view); best >= 0 {
			answer.Data = append(answer.Data, shown.summary.Best[best].Entry.ID)
		}
	}
	return sendFresh(c, answer)
}

// completeVersions lists the listed versions of an id in the client's view; an
// unknown one has none.
func (h *Handler) completeVersions(c echo.Context, req *request) error {
	ctx, v := c.Request().Context(), viewOf(c)
	answer := versionCompletions{Data: []string{}}
	id, err := ParseID(c.QueryParam("id"))
	if err != nil {
		return sendFresh(c, answer)
	}
	all, err := h.find(ctx, req, id)
	if registry.KindOf(err) == registry.NotFound {
		return sendFresh(c, answer)
	}
	if err != nil {
		return err
	}
	versions, err := h.load(ctx, id, all)
	if err != nil && registry.KindOf(err) != registry.NotFound {
		return err
	}
	for i := range versions {
		if versions[i].Status != registry.Listed {
			continue
		}
		listed, err := newListed(&versions[i])
		if err != nil {
			return err
		}
		if v.shows(listed.Prerelease, listed.SemVer2) {
			answer.Data = append(answer.Data, listed.Version)
		}
	}
	return sendFresh(c, answer)
}
