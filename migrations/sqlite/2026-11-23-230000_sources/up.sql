-- What each version of a gap analysis was computed from, in one tree instead of three: an analysis of 500 assessments writes 500
-- rows, each in another place.
CREATE TABLE analysis_sources (
    organisation_id BLOB NOT NULL,
    source_id BLOB NOT NULL,
    source_version INTEGER NOT NULL,
    gap_analysis_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, source_id, gap_analysis_id, version)
) STRICT, WITHOUT ROWID;
INSERT INTO analysis_sources (organisation_id, source_id, source_version, gap_analysis_id, version)
SELECT organisation_id, source_id, source_version, gap_analysis_id, version FROM gap_analysis_sources;
DROP TABLE gap_analysis_sources;
