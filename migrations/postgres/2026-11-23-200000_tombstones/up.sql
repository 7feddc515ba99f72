-- What a backup that is restored must not undo: erased and withdrawn assessments, revoked clients, replaced secrets. Only
-- ids, no answers.
-- It refers to no organisation: one that a restored backup does not have yet may have erased something all the same.
CREATE TABLE tombstones (
    organisation_id uuid NOT NULL,
    resource_id uuid NOT NULL,
    what text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, resource_id, what)
);

INSERT INTO tombstones (organisation_id, resource_id, what, at)
SELECT organisation_id, resource_id, 'assessment_erased', max(at) FROM events
WHERE kind = 'assessment' AND what = 'erased' GROUP BY organisation_id, resource_id;

INSERT INTO tombstones (organisation_id, resource_id, what, at)
SELECT organisation_id, resource_id, 'withdrawal_taken_back', max(at) FROM events
WHERE kind = 'assessment' AND what = 'restored' GROUP BY organisation_id, resource_id;

INSERT INTO tombstones (organisation_id, resource_id, what, at)
SELECT organisation_id, id, 'assessment_withdrawn', withdrawn_at FROM assessments WHERE withdrawn_at IS NOT NULL;

INSERT INTO tombstones (organisation_id, resource_id, what, at)
SELECT organisation_id, id, 'client_revoked', revoked_at FROM clients WHERE revoked_at IS NOT NULL;

INSERT INTO tombstones (organisation_id, resource_id, what, at)
SELECT organisation_id, id, 'secret_replaced', updated_at FROM clients
WHERE revoked_at IS NULL AND previous_secret_hash IS NOT NULL;
