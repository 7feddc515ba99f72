CREATE TABLE gap_analysis_sources (
    organisation_id BLOB NOT NULL,
    source_id BLOB NOT NULL,
    source_version INTEGER NOT NULL,
    gap_analysis_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, source_id, gap_analysis_id, version),
    FOREIGN KEY (organisation_id, gap_analysis_id) REFERENCES gap_analyses (organisation_id, id) ON DELETE CASCADE
) STRICT;
-- The last two bytes of a version, which SQLite reads no number from: versions stay below 65,536.
WITH RECURSIVE each (organisation_id, gap_analysis_id, version, place, sources) AS (
    SELECT organisation_id, gap_analysis_id, version, 1, sources FROM analysis_sources
    UNION ALL
    SELECT organisation_id, gap_analysis_id, version, place + 20, sources FROM each WHERE place + 20 < length(sources)
)
INSERT INTO gap_analysis_sources (organisation_id, source_id, source_version, gap_analysis_id, version)
SELECT organisation_id, substr(sources, place, 16),
    instr('123456789ABCDEF', substr(hex(substr(sources, place + 18, 2)), 1, 1)) * 4096
    + instr('123456789ABCDEF', substr(hex(substr(sources, place + 18, 2)), 2, 1)) * 256
    + instr('123456789ABCDEF', substr(hex(substr(sources, place + 18, 2)), 3, 1)) * 16
    + instr('123456789ABCDEF', substr(hex(substr(sources, place + 18, 2)), 4, 1)),
    gap_analysis_id, version
FROM each;
CREATE INDEX gap_analysis_sources_by_analysis ON gap_analysis_sources (organisation_id, gap_analysis_id, version);
DROP TABLE analysis_sources;
