-- +goose Up
-- What a search filters by without looking anywhere else: see registry.Listing.
ALTER TABLE package_terms ADD COLUMN facets INTEGER NOT NULL DEFAULT 0;
