-- +goose Up
-- Paths that projects were moved away from.
CREATE TABLE project_redirects (
    path_key   TEXT COLLATE "C" PRIMARY KEY,
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE
);
CREATE INDEX project_redirects_project ON project_redirects (project_id);
