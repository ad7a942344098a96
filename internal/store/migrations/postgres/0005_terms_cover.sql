-- +goose Up
-- Counting what a search finds needs nothing but this index then.
ALTER TABLE package_terms DROP CONSTRAINT package_terms_pkey;
ALTER TABLE package_terms ADD PRIMARY KEY (term, package_id) INCLUDE (project_id, format, facets);
