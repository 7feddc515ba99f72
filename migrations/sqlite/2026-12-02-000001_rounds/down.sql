DROP INDEX assessments_of_rounds_by_id;
DROP INDEX assessments_by_round;
ALTER TABLE assessments DROP COLUMN round_id;
DROP TABLE responses;
DROP TABLE invitations;
DROP TABLE rounds;
