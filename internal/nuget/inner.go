package nuget

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/labstack/echo/v4"

	"pakhus/internal/registry"
)

// innerFiles are the files out of a package that have addresses of their own.
// What an icon is, its bytes say and not its name.
var innerFiles = map[FileKind]struct {
	contentType string // empty: by content
	body        func(*PackageContents) []byte
}{
	FileReadme:  {"text/markdown; charset=utf-8", func(p *PackageContents) []byte { return p.Readme }},
	FileLicense: {"text/plain; charset=utf-8", func(p *PackageContents) []byte { return p.License }},
	FileIcon:    {"", func(p *PackageContents) []byte { return p.Icon }},
}

// sendInner sends the readme, icon or license out of the package. They are
// looked for in the stored package when somebody asks, and kept with the other
// documents: most are never asked for.
func (h *Handler) sendInner(c echo.Context, req *request, all []found) error {
	inner := innerFiles[req.path.File]
	return h.sendPart(c, req, all, inner.contentType, func(ctx context.Context, _ registry.Version) ([]byte, error) {
		file, err := h.findFile(ctx, all, packageFile(req.path.ID.Key(), req.path.Version.Key()))
		if err != nil {
			return nil, err
		}
		contents, err := h.readStored(ctx, file)
		if err != nil {
			return nil, err
		}
		body := inner.body(contents)
		if body == nil {
			return nil, registry.Errorf(registry.NotFound, "%s %s has no %s", req.path.ID, req.path.Version, req.path.File)
		}
		return body, nil
	})
}

// readStored reads a package that was pushed.
func (h *Handler) readStored(ctx context.Context, file registry.File) (*PackageContents, error) {
	content, err := h.packages.Open(ctx, file)
	if err != nil {
		return nil, err
	}
	contents, err := ReadPackage(&readerAt{content: content}, content.Size())
	if registry.KindOf(err) == registry.Invalid { // it was not when it was pushed
		err = registry.Wrapf(registry.Internal, err, "stored package %d", file.ID)
	}
	return contents, errors.Join(err, content.Close())
}

// readerAt reads a stored file at any place.
type readerAt struct {
	mu      sync.Mutex
	content io.ReadSeeker
}

func (r *readerAt) ReadAt(p []byte, offset int64) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.content.Seek(offset, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(r.content, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}
