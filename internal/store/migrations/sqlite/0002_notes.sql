-- +goose Up
-- What a format notes of a package beyond its files: see registry.Note.
CREATE TABLE package_notes (
    package_id  INTEGER NOT NULL REFERENCES packages (id) ON DELETE CASCADE,
    kind        TEXT    NOT NULL,
    version_key TEXT    NOT NULL, -- empty: of the package itself
    name        TEXT    NOT NULL,
    value       BLOB    NOT NULL,
    due         INTEGER, -- NULL: never
    PRIMARY KEY (package_id, kind, version_key, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX package_notes_version ON package_notes (package_id, version_key);

-- Files that are kept from readers until their checksums fit.
ALTER TABLE files ADD COLUMN withheld INTEGER NOT NULL DEFAULT 0;
CREATE INDEX files_withheld ON files (package_id) WHERE withheld <> 0;
