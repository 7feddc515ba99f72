CREATE TABLE rounds (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    status TEXT NOT NULL,
    content TEXT NOT NULL,
    -- Of the newest version of a constellation, like an assessment's; NULL: about the service as a whole.
    relationship_id BLOB,
    constellation_id BLOB,
    constellation_version INTEGER,
    gap_analysis_id BLOB,
    opens_at INTEGER,
    closes_at INTEGER,
    opened_at INTEGER,
    closed_at INTEGER,
    revealed_at INTEGER,
    cancelled_at INTEGER,
    -- Whether what was submitted to it counts as changed since its reveal, for who asks for what has changed.
    is_told INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, id)
) STRICT;
CREATE INDEX rounds_by_relationship ON rounds (organisation_id, relationship_id) WHERE relationship_id IS NOT NULL;
CREATE INDEX rounds_by_gap_analysis ON rounds (organisation_id, gap_analysis_id) WHERE gap_analysis_id IS NOT NULL;
-- What the job looks for, in all organisations.
CREATE INDEX rounds_to_open ON rounds (opens_at) WHERE status = 'draft';
CREATE INDEX rounds_to_close ON rounds (closes_at) WHERE status = 'open';
CREATE INDEX rounds_to_tell ON rounds (revealed_at) WHERE status = 'revealed' AND NOT is_told;

-- Found by SHA-256("i" || token). No time, no order: what a shared one makes when it is redeemed tells nothing of when.
CREATE TABLE invitations (
    organisation_id BLOB NOT NULL,
    id BLOB NOT NULL,
    round_id BLOB NOT NULL,
    token_hash BLOB NOT NULL,
    perspective TEXT NOT NULL,
    uses INTEGER NOT NULL,
    used INTEGER NOT NULL,
    -- Whether it was made for somebody who redeemed a shared one: these are not listed.
    is_personal INTEGER NOT NULL,
    -- In named rounds alone: who is invited, and the id under which they answer.
    label TEXT,
    external_id TEXT,
    response_id BLOB,
    PRIMARY KEY (organisation_id, id),
    FOREIGN KEY (organisation_id, round_id) REFERENCES rounds (organisation_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_by_round ON invitations (organisation_id, round_id, id);
CREATE INDEX invitations_by_response ON invitations (organisation_id, response_id) WHERE response_id IS NOT NULL;
-- Whoever redeems a token does not say whose it is.
CREATE INDEX invitations_by_token ON invitations (token_hash);

-- What respondents save until they submit it, and for ever what they submitted to anonymous rounds. The id is the UUID of
-- SHA-256("a" || token) until then, and that of SHA-256("r" || receipt) afterwards. A row without a draft and without a version
-- only says that its token was used. No time, no order, nothing that leads back.
CREATE TABLE responses (
    organisation_id BLOB NOT NULL,
    id BLOB NOT NULL,
    round_id BLOB NOT NULL,
    model_id BLOB NOT NULL,
    perspective TEXT NOT NULL,
    revision INTEGER NOT NULL,
    version INTEGER,
    document TEXT,
    levels BLOB,
    digest TEXT,
    draft TEXT,
    draft_levels BLOB,
    draft_based_on INTEGER,
    PRIMARY KEY (organisation_id, id),
    FOREIGN KEY (organisation_id, round_id) REFERENCES rounds (organisation_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX responses_by_round ON responses (organisation_id, round_id, perspective);
-- Whoever redeems a receipt does not say whose it is.
CREATE INDEX responses_by_id ON responses (id);

-- Until its round is revealed, nobody sees it but its respondent.
ALTER TABLE assessments ADD COLUMN round_id BLOB;
CREATE INDEX assessments_by_round ON assessments (organisation_id, round_id, id) WHERE round_id IS NOT NULL;
CREATE INDEX assessments_of_rounds_by_id ON assessments (id) WHERE round_id IS NOT NULL;

-- SQLite, which has counted nothing, takes whatever has an organisation for ten rows, and would search all of the organisation's rather
-- than use an index. (To let it count would copy rows into its statistics, erased ones among them.)
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('invitations', 'invitations', '1000000 10000 1'),
    ('invitations', 'invitations_by_round', '1000000 10000 500 1'),
    ('invitations', 'invitations_by_response', '1000000 10000 1'),
    ('invitations', 'invitations_by_token', '1000000 1'),
    ('responses', 'responses', '1000000 10000 1'),
    ('responses', 'responses_by_round', '1000000 10000 500 100'),
    ('responses', 'responses_by_id', '1000000 1');
