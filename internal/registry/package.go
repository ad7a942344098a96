package registry

import "time"

// Package is the head of a package: a name in a project, in one format.
type Package struct {
	ID        int64
	ProjectID int64
	Format    Format
	Name      string // as the publisher wrote it
	Key       string // the format's normalised form; unique per project and format
	// Revision grows by one with every visible change. It is npm's _rev and the
	// seed of every ETag.
	Revision  int64
	CreatedAt time.Time
	UpdatedAt time.Time // time of the change that made Revision
}

// Status is the state of a version.
type Status string

// The states of a version. Deleted is a tombstone: the coordinates stay taken.
const (
	Listed   Status = "listed"
	Unlisted Status = "unlisted" // out of listings, still served by exact version
	Deleted  Status = "deleted"
)

// Version is one version of a package.
type Version struct {
	ID        int64 // GitLab's "package id"
	PackageID int64
	Version   string // as published
	Key       string // the format's normalised form; unique per package
	// SortKey orders versions as the format does when compared as bytes.
	SortKey string
	Status  Status
	// Manifest is the metadata document that the version came with, as published
	// less what the format says is dropped. It never changes.
	Manifest []byte
	// State is a document of the format's own about what may change, such as
	// npm's deprecation text.
	State       []byte
	PublishedBy string // user name of the publishing identity
	CreatedAt   time.Time
}

// File is one stored file of a version.
type File struct {
	ID        int64
	PackageID int64
	VersionID int64
	// Name is unique in its version. For npm and NuGet it is our own, made from
	// parsed coordinates, never a client's text.
	Name string
	Blob Blob
	// Withheld keeps the file from readers: a checksum that its publisher sent is
	// not that of its bytes.
	Withheld  bool
	CreatedAt time.Time
}

// SharedPrefix begins the names of files that are found without knowing their
// package, such as the symbols of a NuGet package.
const SharedPrefix = "@"

// SharedFile is such a file, with the project that holds it.
type SharedFile struct {
	File
	ProjectID int64
}

// NoteKind says what a note is about. Each format has its own.
type NoteKind string

// NoteKey names a note.
type NoteKey struct {
	Kind       NoteKind
	VersionKey string // empty: of the package itself
	Name       string // keeps notes of one kind and version apart; may be empty
}

// Note is a small fact that a format keeps of a package or of one of its
// versions. Notes of a version go with it.
type Note struct {
	NoteKey
	Value []byte
	// Due is the moment from which the note holds; the zero time is never. A
	// moment that has passed stays when the note is written again, one that is to
	// come is moved: what holds once, holds for good.
	Due time.Time
	// Existing moves the due time of a note that is there, and writes nothing else.
	Existing bool
}

// Holds tells whether the note is due.
func (n Note) Holds(now time.Time) bool { return !n.Due.IsZero() && !n.Due.After(now) }

// FragmentKind names a piece of a prepared document. Each format has its own.
type FragmentKind string

// Fragment is one version's piece of a prepared document: documents are made
// by concatenating the fragments of their versions.
type Fragment struct {
	VersionID int64
	Data      []byte
}

// Actor is who makes a change, for rows and the audit log.
type Actor struct {
	Kind string // "deploy_token", "user", "command"
	ID   int64
	Name string // user name
}

// Publication adds versions, or files to versions, of one package.
type Publication struct {
	ProjectID int64
	Format    Format
	Name, Key string
	Versions  []NewVersion
	// Tags to set, in the same transaction.
	Tags []TagChange
	// Listing replaces what listings and search know of the package, when set.
	Listing *Listing
	// Relist makes the listing from the summary of the one that is there, nil when
	// there is none, so that publications at the same time do not lose what the
	// others brought. It is called in the transaction, perhaps several times: it
	// must not have effects of its own. It counts instead of Listing.
	Relist func(summary []byte) (*Listing, error)
	// Notes to write and to drop. A publication of notes alone is one too: it
	// makes the package when there is none.
	Notes     []Note
	DropNotes []NoteKey
	By        Actor
}

// NewVersion is a version to add.
type NewVersion struct {
	Version, Key, SortKey string
	Manifest, State       []byte
	Fragments             map[FragmentKind][]byte
	Files                 []NewFile
	// Grow lets the files join the version if it exists already, as Maven's
	// versions do. Without it an existing version is a Conflict.
	Grow bool
	// Replace lets the version take the place of one that exists, which is listed
	// then. Files of other names stay.
	Replace bool
	// Revive lets a deleted version live again, as Maven's snapshots do.
	Revive bool
}

// NewFile is a file to add.
type NewFile struct {
	Name string
	Body *Spool // what to store; its digests are known
	// Replace lets other bytes take the place of a file of this name.
	Replace bool
	// ReplaceWithheld lets them if that file is withheld.
	ReplaceWithheld bool
	// Over, when set, is what the file takes the place of: the SHA-256 of the file
	// of this name, or all zero for none. When something else is there by then, it
	// is Conflict.
	Over *[32]byte
}

// TagChange sets a tag.
type TagChange struct {
	Tag        string
	VersionKey string
	// IfAbsent leaves a tag that exists as it is.
	IfAbsent bool
}

// Listing is what listings and search show of a package, taken from the
// version that represents it.
type Listing struct {
	VersionKey string // version that represents the package
	Summary    []byte // document of the format's own, served in search results
	// Terms are lower-case words that search finds the package by.
	Terms []string
	// Facets are bits of the format's own that searches can ask for.
	Facets uint32
}

// Edit changes what is there of one package in one transaction.
type Edit struct {
	PackageID int64
	// Revision that the edit was computed from: another one is Conflict. With 0 the
	// edit is right whatever changed meanwhile.
	Revision int64
	// Versions to change, by version id.
	Versions []VersionEdit
	// SetTags sets tags to versions by key; DropTags removes them.
	SetTags  []TagChange
	DropTags []string
	// Files to change.
	Files     []FileEdit
	Notes     []Note
	DropNotes []NoteKey
	Listing   *Listing
	// Delete removes the package with all its versions, leaving tombstones.
	Delete bool
	By     Actor
	Action string // for the audit log: "deprecate", "unpublish", "dist-tag"
}

// FileEdit changes one file.
type FileEdit struct {
	FileID   int64
	Drop     bool // removes it
	Withheld bool // otherwise, whether it is withheld
}

// VersionEdit changes one version.
type VersionEdit struct {
	VersionID int64
	State     []byte                  // unchanged when nil
	Fragments map[FragmentKind][]byte // replaced by kind; others stay
	Status    Status                  // unchanged when empty; Deleted drops files, fragments, notes and tags
}
