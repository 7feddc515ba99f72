CREATE TABLE next_steps (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    version INTEGER NOT NULL,
    -- No foreign key: a next step outlives an analysis that is erased.
    gap_analysis_id BLOB NOT NULL,
    round_id BLOB,
    element TEXT NOT NULL,
    -- What the newest version says.
    status TEXT NOT NULL,
    due INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, id)
) STRICT;
CREATE INDEX next_steps_by_analysis ON next_steps (organisation_id, gap_analysis_id, id);
CREATE INDEX next_steps_by_round ON next_steps (organisation_id, round_id, id) WHERE round_id IS NOT NULL;

-- What the team agreed on after its round was revealed: one a round, whose id it has in the journal.
CREATE TABLE agreed_readings (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, id)
) STRICT;
