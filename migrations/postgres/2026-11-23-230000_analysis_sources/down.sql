DO $$
BEGIN
    EXECUTE 'ALTER TABLE models ALTER draft SET COMPRESSION default';
    EXECUTE 'ALTER TABLE assessments ALTER draft SET COMPRESSION default';
    EXECUTE 'ALTER TABLE gap_analyses ALTER request SET COMPRESSION default, ALTER summary SET COMPRESSION default';
    EXECUTE 'ALTER TABLE sealed_versions ALTER document SET COMPRESSION default';
    EXECUTE 'ALTER TABLE idempotency_keys ALTER body SET COMPRESSION default';
EXCEPTION
    WHEN feature_not_supported OR syntax_error THEN NULL;
END
$$;
CREATE TABLE gap_analysis_sources (
    organisation_id uuid NOT NULL,
    source_id uuid NOT NULL,
    source_version integer NOT NULL,
    gap_analysis_id uuid NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (organisation_id, source_id, gap_analysis_id, version),
    FOREIGN KEY (organisation_id, gap_analysis_id) REFERENCES gap_analyses (organisation_id, id) ON DELETE CASCADE
);
INSERT INTO gap_analysis_sources (organisation_id, source_id, source_version, gap_analysis_id, version)
SELECT organisation_id, encode(substr(sources, place, 16), 'hex')::uuid,
    ('x' || encode(substr(sources, place + 16, 4), 'hex'))::bit(32)::integer, gap_analysis_id, version
FROM analysis_sources, generate_series(1, length(sources), 20) AS place;
CREATE INDEX gap_analysis_sources_by_analysis ON gap_analysis_sources (organisation_id, gap_analysis_id, version);
DROP TABLE analysis_sources;
