-- +goose Up
-- Downloads of all days, so that search can tell them without adding up days.
CREATE TABLE download_totals (
    package_id BIGINT NOT NULL REFERENCES packages (id) ON DELETE CASCADE,
    version_id BIGINT NOT NULL,
    count      BIGINT NOT NULL,
    PRIMARY KEY (package_id, version_id)
);
INSERT INTO download_totals (package_id, version_id, count)
SELECT package_id, version_id, SUM(count) FROM downloads GROUP BY package_id, version_id;
