package registry

import (
	"context"
	"errors"
	"io"
)

// Publish adds versions, all of them or none: the bytes first, then all rows in
// one transaction. An existing version is Conflict; the next read then shows with
// what. When it returns nil, every replica's next read shows the versions.
func (s *Service) Publish(ctx context.Context, pubs []Publication) ([]Package, error) {
	bodies := map[string]*Spool{}
	for _, p := range pubs {
		for _, v := range p.Versions {
			for _, f := range v.Files {
				bodies[f.Body.Digests().Digest()] = f.Body
			}
		}
	}
	heads, err := s.publish(ctx, pubs, bodies)
	if errors.Is(err, ErrBlobGone) { // collected as garbage between look-up and commit
		heads, err = s.publish(ctx, pubs, bodies)
	}
	if KindOf(err) == Conflict {
		// Somebody was faster, and it may be that nobody heard of it yet. Who looks
		// what is there now must not be told what was there before.
		for _, p := range pubs {
			s.Forget([]Change{PackageChange(p.Format, p.Key)})
		}
	}
	if err != nil {
		return nil, err
	}
	for _, p := range pubs {
		if len(p.Versions) > 0 {
			s.opts.OnPublish(p.Format)
		}
	}
	return heads, nil
}

func (s *Service) publish(ctx context.Context, pubs []Publication, bodies map[string]*Spool) ([]Package, error) {
	written := map[string]Blob{}
	for digest, body := range bodies {
		blob, err := s.storeBody(ctx, body)
		if err != nil {
			s.dropBlobs(ctx, written)
			return nil, err
		}
		if blob.Key != "" {
			written[digest] = blob
		}
	}
	heads, err := s.store.SavePublication(ctx, pubs, written)
	switch KindOf(err) {
	case Conflict, Invalid, NotFound:
		// The database said no for sure, so nothing names these bytes. After any
		// other failure the commit may have happened: garbage collection decides.
		s.dropBlobs(ctx, written)
	}
	return heads, err
}

// storeBody waits for a body that was written ahead, or writes it.
func (s *Service) storeBody(ctx context.Context, body *Spool) (Blob, error) {
	if blob, began, err := body.take(); began {
		return blob, err
	}
	r, err := body.Open()
	if err != nil {
		return Blob{}, err
	}
	return s.writeBlob(ctx, body.Digests(), r)
}

// writeBlob stores a body unless its bytes are stored already; then the zero
// Blob is returned.
func (s *Service) writeBlob(ctx context.Context, digests Digests, body io.Reader) (Blob, error) {
	digest := digests.Digest()
	_, err := s.store.FindBlob(ctx, digest)
	if err == nil {
		return Blob{}, nil
	}
	if KindOf(err) != NotFound {
		return Blob{}, err
	}
	key, err := newBlobKey(digest)
	if err != nil {
		return Blob{}, err
	}
	if err := s.blobs.Write(ctx, key, body, digests.Size); err != nil {
		return Blob{}, err
	}
	return Blob{Digests: digests, Key: key, CreatedAt: s.Now()}, nil
}

// dropBlobs removes bytes that no row will name. What cannot be removed now,
// garbage collection removes later.
func (s *Service) dropBlobs(ctx context.Context, written map[string]Blob) {
	for _, b := range written {
		_ = s.blobs.Delete(context.WithoutCancel(ctx), b.Key)
	}
}

// Edit changes what is there of one package. A stale revision is Conflict.
func (s *Service) Edit(ctx context.Context, e Edit) (Package, error) {
	return s.store.SaveEdit(ctx, e)
}

// Versions, Version, Fragments, Fragment and Tags read what the formats build
// documents from; see Store.

// Versions lists all versions without Manifest, in publish order, tombstones
// included.
func (s *Service) Versions(ctx context.Context, packageID int64) ([]Version, error) {
	return s.store.ListVersions(ctx, packageID)
}

// Version gives one version, tombstones included.
func (s *Service) Version(ctx context.Context, packageID int64, key string) (Version, error) {
	return s.store.FindVersion(ctx, packageID, key)
}

// Fragments gives one kind of fragment of all versions that are not deleted.
func (s *Service) Fragments(ctx context.Context, packageID int64, kind FragmentKind) ([]Fragment, error) {
	return s.store.ListFragments(ctx, packageID, kind)
}

// Fragment gives one fragment.
func (s *Service) Fragment(ctx context.Context, versionID int64, kind FragmentKind) ([]byte, error) {
	return s.store.FindFragment(ctx, versionID, kind)
}

// Notes gives notes by version key and name.
func (s *Service) Notes(ctx context.Context, q NoteQuery) ([]Note, error) {
	return s.store.ListNotes(ctx, q)
}

// WithheldFiles gives the withheld files of a package.
func (s *Service) WithheldFiles(ctx context.Context, packageID int64) ([]WithheldFile, error) {
	return s.store.ListWithheld(ctx, packageID)
}

// Files gives the files of one version by name.
func (s *Service) Files(ctx context.Context, versionID int64) ([]File, error) {
	return s.store.ListFiles(ctx, versionID)
}

// PackageKeys gives keys of packages in a range; see Store.ListPackageKeys.
func (s *Service) PackageKeys(ctx context.Context, f PackageFilter, from, to string, limit int) ([]string, error) {
	return s.store.ListPackageKeys(ctx, f, from, to, limit)
}

// Tags gives tag to version key.
func (s *Service) Tags(ctx context.Context, packageID int64) (map[string]string, error) {
	return s.store.ListTags(ctx, packageID)
}

// Search finds packages; see Store.SearchPackages.
func (s *Service) Search(ctx context.Context, q SearchQuery) ([]Found, int64, error) {
	return s.store.SearchPackages(ctx, q)
}

// PackagesByTerm gives the packages of one project whose listing has exactly
// this term.
func (s *Service) PackagesByTerm(ctx context.Context, projectID int64, format Format, term string) ([]Package, error) {
	return s.store.FindPackagesByTerm(ctx, projectID, format, term)
}

// ListPackages lists packages by name.
func (s *Service) ListPackages(ctx context.Context, f PackageFilter, page Page) ([]Package, int64, error) {
	return s.store.ListPackages(ctx, f, page)
}

// Star adds or removes a user's star.
func (s *Service) Star(ctx context.Context, packageID int64, user string, starred bool) error {
	return s.store.SaveStar(ctx, packageID, user, starred)
}

// Stars lists the users who starred a package.
func (s *Service) Stars(ctx context.Context, packageID int64) ([]string, error) {
	return s.store.ListStars(ctx, packageID)
}

// Starred lists the packages that a user starred.
func (s *Service) Starred(ctx context.Context, format Format, user string) ([]Package, error) {
	return s.store.ListStarred(ctx, format, user)
}
