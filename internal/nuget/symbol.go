package nuget

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"pakhus/internal/auth"
	"pakhus/internal/registry"
	"pakhus/internal/serve"
)

// maxPDBs bounds the PDBs of one package: each is a stored file of its own.
const maxPDBs = 1000

// A PDB is stored as a file of its package's version. Its name tells how
// debuggers find it, and the checksum by which they prove that they have the
// program that it belongs to.
func symbolFileName(key SymbolKey, checksum string) string {
	return symbolPrefix(key) + checksum
}

// symbolPrefix is what the names of all PDBs with a key begin with.
func symbolPrefix(key SymbolKey) string {
	return registry.SharedPrefix + key.File + "/" + key.Signature + "/"
}

// putSymbols answers PUT /symbolpackage: the symbols of a package that was pushed
// before.
func (h *Handler) putSymbols(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	body, err := h.receive(c.Request())
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // its file is temporary
	r, err := body.Open()
	if err != nil {
		return err
	}
	contents, err := ReadSymbols(r, body.Size())
	if err != nil {
		return err
	}
	id, version := contents.Nuspec.ID, contents.Nuspec.Version
	head, parent, err := h.parent(ctx, req.project, id, version)
	if err != nil {
		return err
	}
	replace, err := h.mayReplace(ctx, req.project, id, version)
	if err != nil {
		return err
	}
	files, done, err := h.symbolFiles(contents, replace)
	defer done()
	if err != nil {
		return err
	}
	files = append(files, registry.NewFile{Name: symbolsFile(id.Key(), version.Key()), Body: body, Replace: replace})
	_, err = h.packages.Publish(ctx, []registry.Publication{{
		ProjectID: req.project.ID, Format: registry.NuGet, Name: head.Name, Key: head.Key, By: req.identity.Actor(),
		Versions: []registry.NewVersion{{Version: parent.Version, Key: parent.Key, SortKey: parent.SortKey, Grow: true, Files: files}},
	}})
	if registry.KindOf(err) == registry.Conflict {
		return registry.Errorf(registry.Conflict, "A package with the same name and version already exists: the symbols of %s %s were pushed before", id, version)
	}
	if err != nil {
		return err
	}
	warn(c.Response().Header(), contents.Warnings...)
	return c.NoContent(http.StatusCreated)
}

// parent finds the package that symbols belong to.
func (h *Handler) parent(ctx context.Context, project registry.Project, id ID, version Version) (registry.Package, registry.Version, error) {
	head, err := h.packages.Package(ctx, project.ID, registry.NuGet, id.Key())
	if err != nil && registry.KindOf(err) != registry.NotFound {
		return registry.Package{}, registry.Version{}, err
	}
	var v registry.Version
	if err == nil {
		v, err = h.packages.Version(ctx, head.ID, version.Key())
	}
	if registry.KindOf(err) == registry.NotFound || err == nil && v.Status == registry.Deleted {
		return registry.Package{}, registry.Version{}, registry.Errorf(registry.NotFound,
			"%s %s is not in this project: push the package before its symbols", id, version)
	}
	return head, v, err
}

// symbolFiles spools the PDBs of a symbol package; done closes the spools.
func (h *Handler) symbolFiles(contents *SymbolContents, replace bool) (files []registry.NewFile, done func(), err error) {
	if len(contents.PDBs) > maxPDBs {
		return nil, func() {}, registry.Errorf(registry.Invalid, "the package holds more than %d PDBs", maxPDBs)
	}
	done = func() {
		for _, f := range files {
			_ = f.Body.Close() // its file is temporary
		}
	}
	for i := range contents.PDBs {
		pdb := &contents.PDBs[i]
		key, ok := newSymbolKey(pdb.File, pdb.Key)
		if !ok {
			return files, done, registry.Errorf(registry.Invalid, "%s: the file name of this PDB cannot be part of an address", pdb.Entry)
		}
		from, err := pdb.Open()
		if err != nil {
			return files, done, err
		}
		spool, err := h.spool(from)
		if err != nil {
			return files, done, err
		}
		files = append(files, registry.NewFile{Name: symbolFileName(key, pdb.Checksum), Body: spool, Replace: replace})
	}
	return files, done, nil
}

// getSymbol answers GET /symbolfiles/:file/:key/:file. Debuggers send no
// credential by themselves, so there is another way in: where the project's
// symbol server is switched on, whoever proves by its checksum to have the
// program gets the PDB (nuget.md 8.2). For all others it does not exist.
func (h *Handler) getSymbol(c echo.Context, req *request) error {
	ctx := c.Request().Context()
	files, err := h.packages.SharedFiles(ctx, req.span(), registry.NuGet, symbolPrefix(req.path.Symbol))
	if err != nil {
		return err
	}
	asked := checksums(c.Request().Header)
	for _, f := range files {
		allowed, err := h.maySeeSymbol(ctx, req, f, asked)
		if err != nil {
			return err
		}
		if allowed {
			return h.sendSymbol(c, f.File)
		}
	}
	return registry.Errorf(registry.NotFound, "symbols not found: %s", req.path.Symbol.File)
}

func (h *Handler) maySeeSymbol(ctx context.Context, req *request, f registry.SharedFile, asked map[string]bool) (bool, error) {
	project, err := h.packages.ProjectByID(ctx, f.ProjectID)
	if registry.KindOf(err) == registry.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if auth.Allow(req.identity, auth.Read, project) == nil {
		return true, nil
	}
	checksum := f.Name[strings.LastIndexByte(f.Name, '/')+1:]
	if !asked[checksum] {
		return false, nil
	}
	enabled, err := h.packages.Setting(ctx, project, settingSymbolServer, "false")
	return enabled == "true", err
}

func (h *Handler) sendSymbol(c echo.Context, file registry.File) error {
	content, err := h.packages.Open(c.Request().Context(), file)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // only read from
	c.Response().Header().Set("Vary", "Authorization, SymbolChecksum")
	return serve.File(c, content, serve.FileMeta{
		ETag: serve.ETag(file.Blob.Digest()), Modified: file.CreatedAt, CacheControl: "private, max-age=31536000, immutable",
	})
}

// maxChecksums bounds the values of a SymbolChecksum header that are looked at.
const maxChecksums = 100

// checksums reads the SHA-256 values of a request. dotnet-symbol adds those of
// every file that it asked for before, so one that fits is enough and one that
// does not says nothing.
func checksums(header http.Header) map[string]bool {
	found := map[string]bool{}
	for _, line := range header["Symbolchecksum"] {
		for value := range strings.FieldsFuncSeq(line, func(r rune) bool { return r == ';' || r == ',' || r == ' ' }) {
			algorithm, sum, ok := strings.Cut(value, ":")
			if ok && strings.EqualFold(algorithm, "SHA256") && len(found) < maxChecksums {
				found[strings.ToLower(sum)] = true
			}
		}
	}
	return found
}
