ALTER TABLE sealed_versions ALTER document SET STATISTICS -1, ALTER levels SET STATISTICS -1;
ALTER TABLE assessments ALTER draft SET STATISTICS -1, ALTER draft_levels SET STATISTICS -1;
DROP INDEX assessments_of_rounds_by_id;
DROP INDEX assessments_by_round;
ALTER TABLE assessments DROP COLUMN round_id;
DROP TABLE responses;
DROP TABLE invitations;
DROP TABLE rounds;
