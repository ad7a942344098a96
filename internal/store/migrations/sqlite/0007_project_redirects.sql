-- +goose Up
-- Paths that projects were moved away from.
CREATE TABLE project_redirects (
    path_key   TEXT PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX project_redirects_project ON project_redirects (project_id);
