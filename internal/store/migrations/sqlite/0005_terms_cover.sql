-- +goose Up
-- The table is its own index here: there is nothing to change.
SELECT 1;
