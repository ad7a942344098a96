-- +goose Up
-- Instants are microseconds since 1970 in UTC; NULL means never. Digests are raw
-- bytes. AUTOINCREMENT where an id is visible outside: ids are never given twice.

CREATE TABLE groups (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    parent_id   INTEGER REFERENCES groups (id),
    name        TEXT    NOT NULL,
    path        TEXT    NOT NULL,
    full_path   TEXT    NOT NULL,
    path_key    TEXT    NOT NULL, -- full_path in lower case
    ancestors   TEXT    NOT NULL, -- ids from the root to this group: /1/5/
    description TEXT    NOT NULL,
    visibility  TEXT    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX groups_path_key ON groups (path_key);
CREATE INDEX groups_parent ON groups (parent_id);
CREATE INDEX groups_ancestors ON groups (ancestors);

CREATE TABLE projects (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id    INTEGER NOT NULL REFERENCES groups (id),
    name        TEXT    NOT NULL,
    path        TEXT    NOT NULL,
    full_path   TEXT    NOT NULL,
    path_key    TEXT    NOT NULL,
    ancestors   TEXT    NOT NULL, -- of the group that holds it
    description TEXT    NOT NULL,
    visibility  TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX projects_path_key ON projects (path_key);
CREATE INDEX projects_group ON projects (group_id);
CREATE INDEX projects_ancestors ON projects (ancestors);
CREATE INDEX projects_visibility ON projects (visibility);

-- Groups and projects share one set of paths.
CREATE TABLE routes (
    path_key   TEXT PRIMARY KEY,
    group_id   INTEGER UNIQUE REFERENCES groups (id) ON DELETE CASCADE,
    project_id INTEGER UNIQUE REFERENCES projects (id) ON DELETE CASCADE,
    CHECK ((group_id IS NULL) <> (project_id IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    project_id INTEGER REFERENCES projects (id) ON DELETE CASCADE,
    group_id   INTEGER REFERENCES groups (id) ON DELETE CASCADE,
    key        TEXT NOT NULL,
    value      TEXT NOT NULL,
    CHECK ((group_id IS NULL) <> (project_id IS NULL))
) STRICT;
CREATE UNIQUE INDEX settings_project ON settings (project_id, key) WHERE project_id IS NOT NULL;
CREATE UNIQUE INDEX settings_group ON settings (group_id, key) WHERE group_id IS NOT NULL;

CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    username      TEXT    NOT NULL,
    username_key  TEXT    NOT NULL, -- username in lower case
    name          TEXT    NOT NULL,
    email         TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    admin         INTEGER NOT NULL,
    blocked_at    INTEGER,
    created_at    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_username_key ON users (username_key);

CREATE TABLE personal_access_tokens (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT    NOT NULL,
    scopes       TEXT    NOT NULL, -- names, separated by blanks
    session      INTEGER NOT NULL,
    digest       BLOB    NOT NULL, -- SHA-256 of the secret
    expires_at   INTEGER,
    revoked_at   INTEGER,
    last_used_at INTEGER,
    created_at   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX personal_access_tokens_digest ON personal_access_tokens (digest);
CREATE INDEX personal_access_tokens_user ON personal_access_tokens (user_id);

CREATE TABLE memberships (
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    project_id INTEGER REFERENCES projects (id) ON DELETE CASCADE,
    group_id   INTEGER REFERENCES groups (id) ON DELETE CASCADE,
    role       INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    CHECK ((group_id IS NULL) <> (project_id IS NULL))
) STRICT;
CREATE UNIQUE INDEX memberships_project ON memberships (project_id, user_id) WHERE project_id IS NOT NULL;
CREATE UNIQUE INDEX memberships_group ON memberships (group_id, user_id) WHERE group_id IS NOT NULL;
CREATE INDEX memberships_user ON memberships (user_id);

-- One sequence of ids for the tokens of projects and groups.
CREATE TABLE deploy_tokens (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT    NOT NULL,
    username     TEXT    NOT NULL,
    scopes       INTEGER NOT NULL, -- one bit each
    project_id   INTEGER REFERENCES projects (id) ON DELETE CASCADE,
    group_id     INTEGER REFERENCES groups (id) ON DELETE CASCADE,
    creator_id   INTEGER NOT NULL,
    digest       BLOB    NOT NULL, -- SHA-256 of the secret
    sealed       BLOB,
    expires_at   INTEGER,
    revoked_at   INTEGER,
    last_used_at INTEGER,
    created_at   INTEGER NOT NULL,
    CHECK ((group_id IS NULL) <> (project_id IS NULL))
) STRICT;
CREATE UNIQUE INDEX deploy_tokens_digest ON deploy_tokens (digest);
CREATE INDEX deploy_tokens_project ON deploy_tokens (project_id);
CREATE INDEX deploy_tokens_group ON deploy_tokens (group_id);

CREATE TABLE packages (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    format     TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL, -- the format's normalised form
    revision   INTEGER NOT NULL,
    living     INTEGER NOT NULL, -- versions that are not deleted
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX packages_name ON packages (project_id, format, name_key);
CREATE INDEX packages_key ON packages (format, name_key);

-- What listings and search show of a package.
CREATE TABLE listings (
    package_id  INTEGER PRIMARY KEY REFERENCES packages (id) ON DELETE CASCADE,
    version_key TEXT    NOT NULL,
    updated_at  INTEGER NOT NULL,
    terms       TEXT    NOT NULL, -- those of package_terms, sorted, one a line
    summary     BLOB    NOT NULL
) STRICT;
CREATE INDEX listings_updated ON listings (updated_at);

CREATE TABLE package_terms (
    term       TEXT    NOT NULL,
    package_id INTEGER NOT NULL REFERENCES packages (id) ON DELETE CASCADE,
    project_id INTEGER NOT NULL,
    format     TEXT    NOT NULL,
    PRIMARY KEY (term, package_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX package_terms_package ON package_terms (package_id);

-- The manifest comes last, so that reading the rest does not touch its pages.
CREATE TABLE versions (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    package_id   INTEGER NOT NULL REFERENCES packages (id) ON DELETE CASCADE,
    version      TEXT    NOT NULL,
    version_key  TEXT    NOT NULL, -- the format's normalised form
    sort_key     TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    published_by TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    state        BLOB    NOT NULL,
    manifest     BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX versions_key ON versions (package_id, version_key);

-- Reading one kind of a whole package is one scan of neighbouring rows.
CREATE TABLE fragments (
    package_id INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    version_id INTEGER NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    data       BLOB    NOT NULL,
    PRIMARY KEY (package_id, kind, version_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX fragments_version ON fragments (version_id);

CREATE TABLE blobs (
    digest     BLOB PRIMARY KEY, -- SHA-256
    size       INTEGER NOT NULL,
    sha1       BLOB    NOT NULL,
    sha512     BLOB    NOT NULL,
    md5        BLOB    NOT NULL,
    key        TEXT    NOT NULL, -- name in the bucket, never used twice
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX blobs_key ON blobs (key);

CREATE TABLE files (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    package_id INTEGER NOT NULL,
    version_id INTEGER NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    name       TEXT    NOT NULL,
    digest     BLOB    NOT NULL REFERENCES blobs (digest),
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX files_version ON files (version_id, name);
CREATE INDEX files_package ON files (package_id, name);
CREATE INDEX files_digest ON files (digest);

CREATE TABLE tags (
    package_id INTEGER NOT NULL,
    tag        TEXT    NOT NULL,
    version_id INTEGER NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    PRIMARY KEY (package_id, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX tags_version ON tags (version_id);

CREATE TABLE stars (
    package_id INTEGER NOT NULL REFERENCES packages (id) ON DELETE CASCADE,
    username   TEXT    NOT NULL,
    PRIMARY KEY (package_id, username)
) STRICT, WITHOUT ROWID;
CREATE INDEX stars_username ON stars (username);

CREATE TABLE downloads (
    package_id INTEGER NOT NULL REFERENCES packages (id) ON DELETE CASCADE,
    day        INTEGER NOT NULL, -- days since 1970 in UTC
    version_id INTEGER NOT NULL,
    count      INTEGER NOT NULL,
    PRIMARY KEY (package_id, day, version_id)
) STRICT, WITHOUT ROWID;

-- The audit log. Rows outlive what they tell of, so nothing is referenced.
CREATE TABLE events (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at INTEGER NOT NULL,
    actor_kind TEXT    NOT NULL,
    actor_id   INTEGER NOT NULL,
    actor_name TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    project_id INTEGER, -- NULL: not about one project
    subject    TEXT    NOT NULL,
    details    TEXT    NOT NULL -- JSON object
) STRICT;
CREATE INDEX events_project ON events (project_id, id);

-- +goose StatementBegin
CREATE TRIGGER events_no_update BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER events_no_delete BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;
-- +goose StatementEnd

-- What other processes must forget. Writers are one at a time, so ids are in
-- commit order.
CREATE TABLE changes (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    origin     INTEGER NOT NULL, -- the process that wrote it
    topic      TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX changes_created ON changes (created_at);
