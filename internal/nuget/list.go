package nuget

import (
	"context"

	"github.com/labstack/echo/v4"

	"pakhus/internal/serve"
)

// getList answers GET /download/:id/index.json: all versions, unlisted ones too,
// because builds that name one exactly must go on. Restores read nothing else
// (nuget.md 0.1).
func (h *Handler) getList(c echo.Context, req *request) error {
	all, err := h.find(c.Request().Context(), req, req.path.ID)
	if err != nil {
		return err
	}
	return h.send(c, req, all, "nuget/list", func(ctx context.Context) ([]byte, error) {
		versions, err := h.load(ctx, req.path.ID, all)
		if err != nil {
			return nil, err
		}
		b := append(make([]byte, 0, 16+16*len(versions)), `{"versions":[`...)
		for i := range versions {
			if i > 0 {
				b = append(b, ',')
			}
			b = serve.AppendJSON(b, versions[i].Key)
		}
		return append(b, ']', '}'), nil
	})
}
