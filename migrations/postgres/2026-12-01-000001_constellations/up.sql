CREATE TABLE constellations (
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    id uuid NOT NULL,
    revision bigint NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, id)
);

-- The relationships of the newest version of each constellation: what assessments may name, those that are retired aside.
CREATE TABLE relationships (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    constellation_id uuid NOT NULL,
    retired_at timestamptz,
    PRIMARY KEY (organisation_id, id),
    FOREIGN KEY (organisation_id, constellation_id) REFERENCES constellations (organisation_id, id)
);
CREATE INDEX relationships_by_constellation ON relationships (organisation_id, constellation_id);

-- NULL: about the service as a whole. What is named cannot go: whoever names it holds its row (`store::constellations::hold`).
ALTER TABLE assessments ADD COLUMN relationship_id uuid;
CREATE INDEX assessments_by_relationship ON assessments (organisation_id, relationship_id, id)
WHERE relationship_id IS NOT NULL;
