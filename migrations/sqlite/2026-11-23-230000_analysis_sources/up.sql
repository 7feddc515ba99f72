-- What each version of a gap analysis was computed from, in one row: for each source its id and, in four bytes, its version. A row a
-- source was written to another place each, which took longer than everything else about sealing an analysis.
CREATE TABLE analysis_sources (
    organisation_id BLOB NOT NULL,
    gap_analysis_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    sources BLOB NOT NULL,
    PRIMARY KEY (organisation_id, gap_analysis_id, version),
    FOREIGN KEY (organisation_id, gap_analysis_id) REFERENCES gap_analyses (organisation_id, id) ON DELETE CASCADE
) STRICT;
INSERT INTO analysis_sources (organisation_id, gap_analysis_id, version, sources)
SELECT organisation_id, gap_analysis_id, version, unhex(group_concat(hex(source_id) || printf('%08x', source_version), ''))
FROM gap_analysis_sources GROUP BY organisation_id, gap_analysis_id, version;
DROP TABLE gap_analysis_sources;
