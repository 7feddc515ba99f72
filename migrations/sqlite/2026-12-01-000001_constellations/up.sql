CREATE TABLE constellations (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, id)
) STRICT;

-- The relationships of the newest version of each constellation: what assessments may name, those that are retired aside.
CREATE TABLE relationships (
    organisation_id BLOB NOT NULL,
    id BLOB NOT NULL,
    constellation_id BLOB NOT NULL,
    retired_at INTEGER,
    PRIMARY KEY (organisation_id, id),
    FOREIGN KEY (organisation_id, constellation_id) REFERENCES constellations (organisation_id, id)
) STRICT;
CREATE INDEX relationships_by_constellation ON relationships (organisation_id, constellation_id);

-- NULL: about the service as a whole. What is named cannot go: whoever names it holds its row (`store::constellations::hold`).
ALTER TABLE assessments ADD COLUMN relationship_id BLOB;
CREATE INDEX assessments_by_relationship ON assessments (organisation_id, relationship_id, id)
WHERE relationship_id IS NOT NULL;
