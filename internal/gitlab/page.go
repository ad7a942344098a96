package gitlab

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

const (
	defaultPageSize = 20
	maxPageSize     = 100
	// maxPage bounds the offset that a database is asked for, in pages.
	maxPage = 10_000_000
)

// pageOf reads page and per_page. Too large a page size is clamped, as GitLab
// does; what is no number, or no row per page, is Invalid.
func pageOf(c echo.Context) (registry.Page, error) {
	page := registry.Page{Number: 1, Size: defaultPageSize}
	if text := c.QueryParam("page"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return page, badParam(c, "page is invalid")
		}
		page.Number = min(max(n, 1), maxPage)
	}
	if text := c.QueryParam("per_page"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return page, badParam(c, "per_page is invalid")
		}
		if n < 1 {
			return page, badParam(c, "per_page has a value not allowed")
		}
		page.Size = min(n, maxPageSize)
	}
	return page, nil
}

// sendList answers one page of rows, with GitLab's headers: python-gitlab
// follows Link, the Go client and Terraform read X-Next-Page.
func (h *Handler) sendList(c echo.Context, rows any, page registry.Page, total int64) error {
	pages := max(int((total+int64(page.Size)-1)/int64(page.Size)), 1)
	prev, next := "", ""
	var rels []string
	link := func(number int, rel string) {
		rels = append(rels, "<"+h.links.page(c.Request().URL, number, page.Size)+`>; rel="`+rel+`"`)
	}
	if page.Number > 1 {
		back := min(page.Number-1, pages)
		prev = strconv.Itoa(back)
		link(back, "prev")
	}
	if page.Number < pages {
		next = strconv.Itoa(page.Number + 1)
		link(page.Number+1, "next")
	}
	link(1, "first")
	link(pages, "last")

	header := c.Response().Header()
	header.Set("Link", strings.Join(rels, ", "))
	header.Set("X-Page", strconv.Itoa(page.Number))
	header.Set("X-Per-Page", strconv.Itoa(page.Size))
	header.Set("X-Total", strconv.FormatInt(total, 10))
	header.Set("X-Total-Pages", strconv.Itoa(pages))
	header.Set("X-Prev-Page", prev)
	header.Set("X-Next-Page", next)
	return c.JSON(http.StatusOK, rows)
}

// flag reads a query parameter that is true or false; absent is false.
func flag(c echo.Context, name string) (bool, error) {
	switch strings.ToLower(c.QueryParam(name)) {
	case "":
		return false, nil
	case "true", "t", "1", "yes", "on":
		return true, nil
	case "false", "f", "0", "no", "off":
		return false, nil
	}
	return false, badParam(c, name+" is invalid")
}

// search reads the text that a list is searched for.
func search(c echo.Context) (string, error) {
	text := c.QueryParam("search")
	if !cleanText(text) || len(text) > 255 {
		return "", badParam(c, "search is invalid")
	}
	return text, nil
}
