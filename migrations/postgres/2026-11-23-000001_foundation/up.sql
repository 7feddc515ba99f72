-- Every primary, unique and foreign key begins with the organisation; ids are made in the program.
CREATE TABLE organisations (
    id uuid NOT NULL PRIMARY KEY,
    name text NOT NULL,
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE clients (
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    id uuid NOT NULL,
    name text NOT NULL,
    scopes text NOT NULL,
    secret_hash text NOT NULL,
    previous_secret_hash text,
    previous_secret_until timestamptz,
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revoked_at timestamptz,
    PRIMARY KEY (organisation_id, id)
);
-- The token endpoint knows a client's id before it knows its organisation.
CREATE INDEX clients_by_id ON clients (id);

-- The service's own keys: the organisation is nil.
CREATE TABLE signing_keys (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    private_key bytea NOT NULL,
    public_key bytea NOT NULL,
    created_at timestamptz NOT NULL,
    active_from timestamptz NOT NULL,
    retired_at timestamptz,
    PRIMARY KEY (organisation_id, id)
);

-- Raised whenever a client or a key changes; read by every process every 2 s.
CREATE TABLE auth_revisions (
    organisation_id uuid NOT NULL PRIMARY KEY,
    revision bigint NOT NULL
);

CREATE TABLE models (
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    id uuid NOT NULL,
    slug text NOT NULL,
    revision bigint NOT NULL,
    version integer,
    draft jsonb,
    draft_based_on integer,
    retired_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, id),
    UNIQUE (organisation_id, slug)
);

CREATE TABLE perspectives (
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    id uuid NOT NULL,
    slug text NOT NULL,
    revision bigint NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, id),
    UNIQUE (organisation_id, slug)
);

CREATE TABLE assessments (
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    id uuid NOT NULL,
    model_id uuid NOT NULL,
    model text NOT NULL,
    model_version integer NOT NULL,
    perspective text NOT NULL,
    revision bigint NOT NULL,
    version integer,
    draft jsonb,
    draft_levels bytea,
    draft_based_on integer,
    submitted_at timestamptz,
    withdrawn_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, id)
);
CREATE INDEX assessments_by_update ON assessments (organisation_id, updated_at, id);
CREATE INDEX assessments_by_submission ON assessments (organisation_id, model_id, submitted_at, id);
CREATE INDEX assessments_by_perspective ON assessments (organisation_id, perspective, id);
CREATE INDEX assessments_withdrawn ON assessments (organisation_id, withdrawn_at) WHERE withdrawn_at IS NOT NULL;

CREATE TABLE gap_analyses (
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    id uuid NOT NULL,
    revision bigint NOT NULL,
    version integer NOT NULL,
    last_version integer NOT NULL,
    request jsonb NOT NULL,
    -- What lists show of the newest version, whose document may be long.
    summary jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, id)
);
CREATE INDEX gap_analyses_by_update ON gap_analyses (organisation_id, updated_at, id);

-- What each version of a gap analysis was computed from: assessments, and the analysis it was compared with.
CREATE TABLE gap_analysis_sources (
    organisation_id uuid NOT NULL,
    source_id uuid NOT NULL,
    source_version integer NOT NULL,
    gap_analysis_id uuid NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (organisation_id, source_id, gap_analysis_id, version),
    FOREIGN KEY (organisation_id, gap_analysis_id) REFERENCES gap_analyses (organisation_id, id) ON DELETE CASCADE
);
CREATE INDEX gap_analysis_sources_by_analysis ON gap_analysis_sources (organisation_id, gap_analysis_id, version);

-- The journal: every sealed version of every kind of resource. An assessment's levels are one byte an element.
CREATE TABLE sealed_versions (
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    resource_id uuid NOT NULL,
    version integer NOT NULL,
    kind text NOT NULL,
    document jsonb NOT NULL,
    levels bytea,
    digest text NOT NULL,
    sealed_at timestamptz NOT NULL,
    sealed_by uuid NOT NULL,
    PRIMARY KEY (organisation_id, resource_id, version)
);

CREATE TABLE external_ids (
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    kind text NOT NULL,
    system text NOT NULL,
    value text NOT NULL,
    resource_id uuid NOT NULL,
    PRIMARY KEY (organisation_id, kind, system, value)
);
CREATE INDEX external_ids_by_resource ON external_ids (organisation_id, resource_id);

CREATE TABLE events (
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    id uuid NOT NULL,
    kind text NOT NULL,
    resource_id uuid NOT NULL,
    what text NOT NULL,
    version integer,
    client_id uuid NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, id)
);
CREATE INDEX events_by_resource ON events (organisation_id, resource_id);

-- `status` is NULL while the first request runs; `body` is NULL once it was erased.
CREATE TABLE idempotency_keys (
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    client_id uuid NOT NULL,
    key text NOT NULL,
    method text NOT NULL,
    path text NOT NULL,
    fingerprint bytea NOT NULL,
    status integer,
    body bytea,
    content_type text,
    location text,
    etag text,
    resource_id uuid,
    erased_at timestamptz,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (organisation_id, client_id, key, method, path)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_by_resource ON idempotency_keys (organisation_id, resource_id);
