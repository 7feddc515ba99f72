CREATE TABLE rounds (
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    id uuid NOT NULL,
    revision bigint NOT NULL,
    status text NOT NULL,
    content jsonb NOT NULL,
    -- Of the newest version of a constellation, like an assessment's; NULL: about the service as a whole.
    relationship_id uuid,
    constellation_id uuid,
    constellation_version integer,
    gap_analysis_id uuid,
    opens_at timestamptz,
    closes_at timestamptz,
    opened_at timestamptz,
    closed_at timestamptz,
    revealed_at timestamptz,
    cancelled_at timestamptz,
    -- Whether what was submitted to it counts as changed since its reveal, for who asks for what has changed.
    is_told boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, id)
);
CREATE INDEX rounds_by_relationship ON rounds (organisation_id, relationship_id) WHERE relationship_id IS NOT NULL;
CREATE INDEX rounds_by_gap_analysis ON rounds (organisation_id, gap_analysis_id) WHERE gap_analysis_id IS NOT NULL;
-- What the job looks for, in all organisations.
CREATE INDEX rounds_to_open ON rounds (opens_at) WHERE status = 'draft';
CREATE INDEX rounds_to_close ON rounds (closes_at) WHERE status = 'open';
CREATE INDEX rounds_to_tell ON rounds (revealed_at) WHERE status = 'revealed' AND NOT is_told;

-- Found by SHA-256("i" || token). No time, no order: what a shared one makes when it is redeemed tells nothing of when.
CREATE TABLE invitations (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    round_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    perspective text NOT NULL,
    uses integer NOT NULL,
    used integer NOT NULL,
    -- Whether it was made for somebody who redeemed a shared one: these are not listed.
    is_personal boolean NOT NULL,
    -- In named rounds alone: who is invited, and the id under which they answer.
    label text,
    external_id jsonb,
    response_id uuid,
    PRIMARY KEY (organisation_id, id),
    FOREIGN KEY (organisation_id, round_id) REFERENCES rounds (organisation_id, id)
);
CREATE INDEX invitations_by_round ON invitations (organisation_id, round_id, id);
CREATE INDEX invitations_by_response ON invitations (organisation_id, response_id) WHERE response_id IS NOT NULL;
-- Whoever redeems a token does not say whose it is.
CREATE INDEX invitations_by_token ON invitations (token_hash);

-- What respondents save until they submit it, and for ever what they submitted to anonymous rounds. The id is the UUID of
-- SHA-256("a" || token) until then, and that of SHA-256("r" || receipt) afterwards. A row without a draft and without a version
-- only says that its token was used. No time, no order, nothing that leads back.
CREATE TABLE responses (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    round_id uuid NOT NULL,
    model_id uuid NOT NULL,
    perspective text NOT NULL,
    revision bigint NOT NULL,
    version integer,
    document jsonb,
    levels bytea,
    digest text,
    draft jsonb,
    draft_levels bytea,
    draft_based_on integer,
    PRIMARY KEY (organisation_id, id),
    FOREIGN KEY (organisation_id, round_id) REFERENCES rounds (organisation_id, id)
);
CREATE INDEX responses_by_round ON responses (organisation_id, round_id, perspective);
-- Whoever redeems a receipt does not say whose it is.
CREATE INDEX responses_by_id ON responses (id);

-- Until its round is revealed, nobody sees it but its respondent.
ALTER TABLE assessments ADD COLUMN round_id uuid;
CREATE INDEX assessments_by_round ON assessments (organisation_id, round_id, id) WHERE round_id IS NOT NULL;
CREATE INDEX assessments_of_rounds_by_id ON assessments (id) WHERE round_id IS NOT NULL;

-- What ANALYZE notes of these (their most frequent values, among others) would outlive what is erased.
ALTER TABLE responses ALTER id SET STATISTICS 0, ALTER document SET STATISTICS 0, ALTER levels SET STATISTICS 0,
    ALTER digest SET STATISTICS 0, ALTER draft SET STATISTICS 0, ALTER draft_levels SET STATISTICS 0;
ALTER TABLE assessments ALTER draft SET STATISTICS 0, ALTER draft_levels SET STATISTICS 0;
ALTER TABLE sealed_versions ALTER document SET STATISTICS 0, ALTER levels SET STATISTICS 0;
