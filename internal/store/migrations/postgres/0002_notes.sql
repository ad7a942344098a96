-- +goose Up
-- What a format notes of a package beyond its files: see registry.Note.
CREATE TABLE package_notes (
    package_id  BIGINT NOT NULL REFERENCES packages (id) ON DELETE CASCADE,
    kind        TEXT COLLATE "C" NOT NULL,
    version_key TEXT COLLATE "C" NOT NULL, -- empty: of the package itself
    name        TEXT COLLATE "C" NOT NULL,
    value       BYTEA NOT NULL,
    due         BIGINT, -- NULL: never
    PRIMARY KEY (package_id, kind, version_key, name)
);
CREATE INDEX package_notes_version ON package_notes (package_id, version_key);

-- Files that are kept from readers until their checksums fit.
ALTER TABLE files ADD COLUMN withheld BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX files_withheld ON files (package_id) WHERE withheld;
