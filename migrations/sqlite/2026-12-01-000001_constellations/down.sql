DROP INDEX assessments_by_relationship;
ALTER TABLE assessments DROP COLUMN relationship_id;
DROP TABLE relationships;
DROP TABLE constellations;
