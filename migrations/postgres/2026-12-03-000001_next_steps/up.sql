CREATE TABLE next_steps (
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    id uuid NOT NULL,
    revision bigint NOT NULL,
    version integer NOT NULL,
    -- No foreign key: a next step outlives an analysis that is erased.
    gap_analysis_id uuid NOT NULL,
    round_id uuid,
    element text NOT NULL,
    -- What the newest version says.
    status text NOT NULL,
    due timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, id)
);
CREATE INDEX next_steps_by_analysis ON next_steps (organisation_id, gap_analysis_id, id);
CREATE INDEX next_steps_by_round ON next_steps (organisation_id, round_id, id) WHERE round_id IS NOT NULL;

-- What the team agreed on after its round was revealed: one a round, whose id it has in the journal.
CREATE TABLE agreed_readings (
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    id uuid NOT NULL,
    revision bigint NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, id)
);
