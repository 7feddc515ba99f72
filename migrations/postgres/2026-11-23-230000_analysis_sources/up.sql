-- What each version of a gap analysis was computed from, in one row: for each source its id and, in four bytes, its version. A row a
-- source was written to another place each, which took longer than everything else about sealing an analysis.
CREATE TABLE analysis_sources (
    organisation_id uuid NOT NULL,
    gap_analysis_id uuid NOT NULL,
    version integer NOT NULL,
    sources bytea NOT NULL,
    PRIMARY KEY (organisation_id, gap_analysis_id, version),
    FOREIGN KEY (organisation_id, gap_analysis_id) REFERENCES gap_analyses (organisation_id, id) ON DELETE CASCADE
);
-- Ids cannot be compressed.
ALTER TABLE analysis_sources ALTER sources SET STORAGE EXTERNAL;
INSERT INTO analysis_sources (organisation_id, gap_analysis_id, version, sources)
SELECT organisation_id, gap_analysis_id, version,
    decode(string_agg(encode(uuid_send(source_id), 'hex') || lpad(to_hex(source_version), 8, '0'), '' ORDER BY source_id), 'hex')
FROM gap_analysis_sources GROUP BY organisation_id, gap_analysis_id, version;
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
