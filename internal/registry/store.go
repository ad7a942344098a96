package registry

import (
	"context"
	"time"
)

// Store keeps the rows of the domain. Each method is one use case and one
// transaction; when a method that writes returns nil, what it wrote survives a
// crash, and a change row tells every replica what to forget.
//
// Unless a method says otherwise, an absent thing is NotFound, a broken
// uniqueness rule is Conflict, and a database that does not answer is
// Unavailable. Implementations are safe for concurrent use.
type Store interface {
	NamespaceStore
	PackageStore
	BlobStore

	// Check really asks the database whether it answers.
	Check(ctx context.Context) error
}

// NamespaceStore keeps groups and projects.
type NamespaceStore interface {
	// CreateGroup stores a group; an id of 0 gets the next free one, another id
	// that is taken is Conflict. Path, parent and visibility are checked already.
	CreateGroup(ctx context.Context, g Group, by Actor) (Group, error)
	FindGroup(ctx context.Context, id int64) (Group, error)
	FindGroupByPath(ctx context.Context, fullPath string) (Group, error)
	// ListGroups lists the groups that readers may see, by full path: those that
	// are public to them, covered, or that hold a project of theirs.
	ListGroups(ctx context.Context, f GroupFilter, page Page) (groups []Group, total int64, err error)
	// DeleteGroup removes an empty group with its tokens and members; one that
	// still holds projects or groups is Conflict.
	DeleteGroup(ctx context.Context, id int64, by Actor) error

	CreateProject(ctx context.Context, p Project, by Actor) (Project, error)
	FindProject(ctx context.Context, id int64) (Project, error)
	FindProjectByPath(ctx context.Context, fullPath string) (Project, error)
	// FindMovedProject gives the project that was moved away from a path, unless a
	// group or project has taken the path since.
	FindMovedProject(ctx context.Context, oldPath string) (Project, error)
	ListProjects(ctx context.Context, f ProjectFilter, page Page) (projects []Project, total int64, err error)
	// UpdateProject stores name, description and visibility.
	UpdateProject(ctx context.Context, p Project, by Actor) (Project, error)
	// MoveProject puts the project under another group or path. Tokens of the old
	// group stop reaching it in the same transaction.
	MoveProject(ctx context.Context, id int64, p Project, by Actor) (Project, error)
	// DeleteProject removes the project, its packages, tokens and members.
	DeleteProject(ctx context.Context, id int64, by Actor) error

	// FindSettings gives what is set for one project or group itself, by key.
	FindSettings(ctx context.Context, at Span) (map[string]string, error)
	// ListSettingValues gives the values that a key has for any project or group,
	// each once, ascending.
	ListSettingValues(ctx context.Context, key string) ([]string, error)
	// SaveSetting sets a key for a project or group, or removes it when value is nil.
	SaveSetting(ctx context.Context, at Span, key string, value *string, by Actor) error
}

// GroupFilter selects groups.
type GroupFilter struct {
	Readers  Readers
	ParentID int64  // direct children of this group, when set
	Search   string // part of name or path, without regard to case
}

// ProjectFilter selects projects.
type ProjectFilter struct {
	Readers    Readers
	Span       Span
	ParentID   int64      // direct children of this group, when set
	Visibility Visibility // all when empty
	Search     string     // part of name or path, without regard to case
}

// PackageStore keeps packages, versions, files and tags.
type PackageStore interface {
	// FindPackages gives every project's package of this name, by id; none is an
	// empty slice.
	FindPackages(ctx context.Context, format Format, key string) ([]Package, error)
	// ListPackages lists packages by name, but none whose versions are all deleted.
	ListPackages(ctx context.Context, f PackageFilter, page Page) (packages []Package, total int64, err error)
	// SearchPackages finds packages of which every term begins one of the listing's
	// terms; total counts all that match. First comes the package of the exact key,
	// then those that have a term as a whole word. Facets count with terms only;
	// OncePerKey without terms is Internal.
	SearchPackages(ctx context.Context, q SearchQuery) (found []Found, total int64, err error)

	// FindPackagesByTerm gives the packages of one project whose listing has
	// exactly this term, by id; none is an empty slice.
	FindPackagesByTerm(ctx context.Context, projectID int64, format Format, term string) ([]Package, error)

	// ListVersions gives all versions without Manifest, in publish order,
	// tombstones included.
	ListVersions(ctx context.Context, packageID int64) ([]Version, error)
	// FindVersion gives one version, tombstones included.
	FindVersion(ctx context.Context, packageID int64, key string) (Version, error)
	// ListFragments gives one kind of fragment of all versions that are not
	// deleted, in publish order.
	ListFragments(ctx context.Context, packageID int64, kind FragmentKind) ([]Fragment, error)
	FindFragment(ctx context.Context, versionID int64, kind FragmentKind) ([]byte, error)
	// ListTags gives tag to version key.
	ListTags(ctx context.Context, packageID int64) (map[string]string, error)
	// ListFiles gives the files of one version by name.
	ListFiles(ctx context.Context, versionID int64) ([]File, error)
	// FindFile gives a file by its name alone: file names of one package are
	// unique for npm and NuGet. A file of a deleted version is NotFound.
	FindFile(ctx context.Context, packageID int64, name string) (File, error)

	// ListSharedFiles gives up to limit files in a span whose names begin with
	// prefix, which begins with SharedPrefix itself, the oldest first.
	ListSharedFiles(ctx context.Context, span Span, format Format, prefix string, limit int) ([]SharedFile, error)
	// FindVersionFile gives a file by its name and its version's key.
	FindVersionFile(ctx context.Context, packageID int64, versionKey, name string) (File, error)
	// ListWithheld gives the withheld files of a package, with the keys of their
	// versions.
	ListWithheld(ctx context.Context, packageID int64) ([]WithheldFile, error)
	// ListNotes gives notes by version key and name.
	ListNotes(ctx context.Context, q NoteQuery) ([]Note, error)
	// ListPackageKeys gives the keys of packages that have living versions, each
	// once, ascending from one key up to, not including, another.
	ListPackageKeys(ctx context.Context, f PackageFilter, from, to string, limit int) ([]string, error)

	// SavePublication adds all of it or nothing. blobs has, by digest, the bodies
	// that were just written to the bucket; when a digest has a row by then, that
	// row stays. A body that is not in blobs must have a row: one that is gone
	// again (collected as garbage) is ErrBlobGone, and nothing is stored: write it
	// anew. A tombstone counts as an existing version, also for Grow,
	// unless Revive is set. All
	// publications are one transaction; an absent project is NotFound.
	SavePublication(ctx context.Context, pubs []Publication, blobs map[string]Blob) ([]Package, error)
	// SaveEdit changes one package; a stale revision is Conflict.
	SaveEdit(ctx context.Context, e Edit) (Package, error)

	// SaveStar adds or removes a user's star, which is a visible change.
	SaveStar(ctx context.Context, packageID int64, user string, starred bool) error
	ListStars(ctx context.Context, packageID int64) (users []string, err error)
	ListStarred(ctx context.Context, format Format, user string) ([]Package, error)

	// AddDownloads adds counts per day.
	AddDownloads(ctx context.Context, counts []DownloadCount) error
	// SumDownloads sums the downloads of a package since a day.
	SumDownloads(ctx context.Context, packageID int64, since time.Time) (int64, error)
	// FindDownloads gives the downloads of some packages on all days; one that
	// nobody has downloaded is left out.
	FindDownloads(ctx context.Context, packageIDs []int64) (map[int64]Downloads, error)
}

// PackageFilter selects packages.
type PackageFilter struct {
	Readers Readers
	Span    Span
	Format  Format // all when empty
}

// NoteQuery asks for the notes of one kind.
type NoteQuery struct {
	PackageID  int64
	Kind       NoteKind
	VersionKey string    // of all versions when empty
	NotHeld    time.Time // only those that do not hold at this moment, when set
}

// WithheldFile is a withheld file of a version.
type WithheldFile struct {
	File
	VersionKey string
}

// SearchQuery asks for packages.
type SearchQuery struct {
	Readers Readers
	Span    Span
	Format  Format
	Terms   []string // all must match; none lists the newest first
	Having  []string // whole terms that the package must have; they do not count for the order
	Not     []string // none may match
	Exact   string   // package key that comes first when it matches
	Facets  uint32   // listings with at least one of these bits, unless it is 0
	// ByKey orders by package key, and by project where several have it.
	ByKey bool
	// OncePerKey takes packages of several projects with one key for one, of which
	// the first in the order is found. It needs a format and terms.
	OncePerKey bool
	From       string // no package key below it
	// NoTotal saves counting; the total is then 0.
	NoTotal bool
	Offset  int
	Limit   int
}

// Found is a search result.
type Found struct {
	Package Package
	Summary []byte // the listing's summary
	// Shared is set by OncePerKey where another project has the key too, whether
	// or not the search reaches it.
	Shared bool
}

// DownloadCount is how often a version was downloaded on a day.
type DownloadCount struct {
	VersionID int64
	PackageID int64
	Day       time.Time // 00:00 UTC
	Count     int64
}

// Downloads is how often a package was downloaded.
type Downloads struct {
	Total    int64            // of all versions, also of those that are gone
	Versions map[string]int64 // by version key
}

// ErrBlobGone says that a blob which was there is there no more.
var ErrBlobGone = Errorf(Unavailable, "the stored bytes were removed meanwhile; try again")

// BlobStore keeps the rows about blobs.
type BlobStore interface {
	// FindBlob gives the blob with a digest (SHA-256 in hex).
	FindBlob(ctx context.Context, digest string) (Blob, error)
	// ListBlobs gives up to limit blobs with a digest after the given one, ascending.
	ListBlobs(ctx context.Context, after string, limit int) ([]Blob, error)
	// FindBlobKeys tells which of the bucket keys belong to a blob.
	FindBlobKeys(ctx context.Context, keys []string) (map[string]bool, error)
	// ListUnusedBlobs gives up to limit blobs that no file names and that are older
	// than before, with a digest after the given one, ascending.
	ListUnusedBlobs(ctx context.Context, before time.Time, after string, limit int) ([]Blob, error)
	// DeleteUnusedBlob removes the row unless a file names it: then it is Conflict.
	DeleteUnusedBlob(ctx context.Context, digest string) error
}

// Change tells what a committed transaction changed, so that replicas forget it.
type Change struct {
	Topic Topic
	Key   string // for TopicPackage: format, a slash, and the package key; else empty
}

// Topic is what a change is about.
type Topic string

// The topics of changes.
const (
	TopicPackage   Topic = "package"   // a package's head moved
	TopicNamespace Topic = "namespace" // groups, projects, settings
	TopicAccess    Topic = "access"    // tokens, users, memberships
)

// PackageChange is the change of a package of this format and key.
func PackageChange(format Format, key string) Change {
	return Change{Topic: TopicPackage, Key: string(format) + "/" + key}
}

// Listener learns of changes, in-process ones before the writing call returns.
type Listener interface {
	// Forget drops what the changes name from caches.
	Forget(changes []Change)
	// SetLive tells whether changes of others arrive. While they do not, caches
	// must be bypassed: slow, never stale.
	SetLive(live bool)
}
