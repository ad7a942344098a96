package nuget

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// getV2List answers the lists: Packages(), Search(), FindPackagesById() and
// GetUpdates(). What is asked of one package is a prepared document.
func (h *Handler) getV2List(c echo.Context, req *request) error {
	q, err := parseV2Query(c.Request().URL.RawQuery)
	if err != nil {
		return err
	}
	l, err := h.listV2(req, q)
	if err != nil {
		return err
	}
	all, ok, err := h.v2Named(c.Request().Context(), req, l)
	if err != nil {
		return err
	}
	if ok {
		return h.sendV2(c, req, all, v2FeedType, "nuget/v2/"+string(req.path.List)+"?"+q.withOptions(), func(ctx context.Context) ([]byte, error) {
			return h.buildV2Feed(ctx, req, q, l, modified(all))
		})
	}
	body, err := h.buildV2Feed(c.Request().Context(), req, q, l, h.packages.Now())
	if err != nil {
		return err
	}
	return sendV2Once(c, v2FeedType, body)
}

// v2Named gives the one package that a list is about.
func (h *Handler) v2Named(ctx context.Context, req *request, l *v2List) (all []found, ok bool, err error) {
	if !l.named || len(l.ids) != 1 {
		return nil, false, nil
	}
	id, err := ParseID(l.ids[0])
	if err != nil {
		return nil, false, nil
	}
	all, err = h.find(ctx, req, id)
	if registry.KindOf(err) == registry.NotFound {
		return nil, false, nil
	}
	return all, err == nil, err
}

// readV2Page reads a page of a list in the way that reads least.
func (h *Handler) readV2Page(ctx context.Context, req *request, q *v2Query, l *v2List) (*v2Page, error) {
	if isV2Latest(req, q) {
		return h.readV2Latest(ctx, req, q)
	}
	return h.readV2List(ctx, req, q, l, newV2Cost(q))
}

func (h *Handler) buildV2Feed(ctx context.Context, req *request, q *v2Query, l *v2List, updated time.Time) ([]byte, error) {
	page, err := h.readV2Page(ctx, req, q, l)
	if err != nil {
		return nil, err
	}
	feed := &v2Feed{base: req.v2Base(), title: string(req.path.List), updated: updated, count: -1, entries: page.entries}
	if q.total {
		feed.count = page.total
	}
	if page.next != nil {
		feed.next = feed.base + "/" + req.path.List.address() + "?" + q.withOptions(page.next...)
	}
	return appendV2Feed(nil, feed), nil
}

// sendV2Once sends what is not kept.
func sendV2Once(c echo.Context, contentType string, body []byte) error {
	setV2Version(c)
	header := c.Response().Header()
	header.Set("Cache-Control", "no-cache")
	header.Set("Vary", "Authorization")
	return c.Blob(http.StatusOK, contentType, body)
}

// getV2Count answers with the number of entries of a list.
func (h *Handler) getV2Count(c echo.Context, req *request) error {
	q, err := parseV2Query(c.Request().URL.RawQuery)
	if err != nil {
		return err
	}
	q.total, q.top, q.skip, q.order, q.after = true, 0, 0, nil, v2Mark{}
	l, err := h.listV2(req, q)
	if err != nil {
		return err
	}
	page, err := h.readV2Page(c.Request().Context(), req, q, l)
	if err != nil {
		return err
	}
	return sendV2Once(c, echo.MIMETextPlainCharsetUTF8, []byte(formatID(page.total)))
}
