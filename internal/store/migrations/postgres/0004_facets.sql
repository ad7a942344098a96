-- +goose Up
-- What a search filters by without looking anywhere else: see registry.Listing.
ALTER TABLE package_terms ADD COLUMN facets BIGINT NOT NULL DEFAULT 0;
-- Whether a package has a term is asked by both, as SQLite's index answers it.
DROP INDEX package_terms_package;
CREATE INDEX package_terms_package ON package_terms (package_id, term);
