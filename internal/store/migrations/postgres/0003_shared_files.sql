-- +goose Up
-- Files that are found without their package: see registry.SharedPrefix.
CREATE INDEX files_shared ON files (name) WHERE name >= '@' AND name < 'A';
