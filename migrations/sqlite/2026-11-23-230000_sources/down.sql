CREATE TABLE gap_analysis_sources (
    organisation_id BLOB NOT NULL,
    source_id BLOB NOT NULL,
    source_version INTEGER NOT NULL,
    gap_analysis_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, source_id, gap_analysis_id, version),
    FOREIGN KEY (organisation_id, gap_analysis_id) REFERENCES gap_analyses (organisation_id, id) ON DELETE CASCADE
) STRICT;
INSERT INTO gap_analysis_sources (organisation_id, source_id, source_version, gap_analysis_id, version)
SELECT organisation_id, source_id, source_version, gap_analysis_id, version FROM analysis_sources;
CREATE INDEX gap_analysis_sources_by_analysis ON gap_analysis_sources (organisation_id, gap_analysis_id, version);
DROP TABLE analysis_sources;
