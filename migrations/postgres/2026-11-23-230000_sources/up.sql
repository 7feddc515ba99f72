-- What each version of a gap analysis was computed from, with one index instead of two, and no look-up a row: an analysis of 500
-- assessments writes 500 rows, each in another place.
CREATE TABLE analysis_sources (
    organisation_id uuid NOT NULL,
    source_id uuid NOT NULL,
    source_version integer NOT NULL,
    gap_analysis_id uuid NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (organisation_id, source_id, gap_analysis_id, version)
);
INSERT INTO analysis_sources (organisation_id, source_id, source_version, gap_analysis_id, version)
SELECT organisation_id, source_id, source_version, gap_analysis_id, version FROM gap_analysis_sources;
DROP TABLE gap_analysis_sources;

-- Documents are compressed several times as fast by LZ4, where PostgreSQL was built with it.
DO $$
BEGIN
    EXECUTE 'ALTER TABLE models ALTER draft SET COMPRESSION lz4';
    EXECUTE 'ALTER TABLE assessments ALTER draft SET COMPRESSION lz4';
    EXECUTE 'ALTER TABLE gap_analyses ALTER request SET COMPRESSION lz4, ALTER summary SET COMPRESSION lz4';
    EXECUTE 'ALTER TABLE sealed_versions ALTER document SET COMPRESSION lz4';
    EXECUTE 'ALTER TABLE idempotency_keys ALTER body SET COMPRESSION lz4';
EXCEPTION
    WHEN feature_not_supported OR syntax_error THEN NULL;
END
$$;
