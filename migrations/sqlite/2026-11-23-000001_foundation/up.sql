-- Every primary, unique and foreign key begins with the organisation; ids are made in the program.
CREATE TABLE organisations (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE clients (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    previous_secret_hash TEXT,
    previous_secret_until INTEGER,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (organisation_id, id)
) STRICT;
-- The token endpoint knows a client's id before it knows its organisation.
CREATE INDEX clients_by_id ON clients (id);

-- The service's own keys: the organisation is nil.
CREATE TABLE signing_keys (
    organisation_id BLOB NOT NULL,
    id BLOB NOT NULL,
    private_key BLOB NOT NULL,
    public_key BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    active_from INTEGER NOT NULL,
    retired_at INTEGER,
    PRIMARY KEY (organisation_id, id)
) STRICT;

-- Raised whenever a client or a key changes; read by every process every 2 s.
CREATE TABLE auth_revisions (
    organisation_id BLOB NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL
) STRICT;

CREATE TABLE models (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    id BLOB NOT NULL,
    slug TEXT NOT NULL,
    revision INTEGER NOT NULL,
    version INTEGER,
    draft TEXT,
    draft_based_on INTEGER,
    retired_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, id),
    UNIQUE (organisation_id, slug)
) STRICT;

CREATE TABLE perspectives (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    id BLOB NOT NULL,
    slug TEXT NOT NULL,
    revision INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, id),
    UNIQUE (organisation_id, slug)
) STRICT;

CREATE TABLE assessments (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    id BLOB NOT NULL,
    model_id BLOB NOT NULL,
    model TEXT NOT NULL,
    model_version INTEGER NOT NULL,
    perspective TEXT NOT NULL,
    revision INTEGER NOT NULL,
    version INTEGER,
    draft TEXT,
    draft_levels BLOB,
    draft_based_on INTEGER,
    submitted_at INTEGER,
    withdrawn_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, id)
) STRICT;
CREATE INDEX assessments_by_update ON assessments (organisation_id, updated_at, id);
CREATE INDEX assessments_by_submission ON assessments (organisation_id, model_id, submitted_at, id);
CREATE INDEX assessments_by_perspective ON assessments (organisation_id, perspective, id);
CREATE INDEX assessments_withdrawn ON assessments (organisation_id, withdrawn_at) WHERE withdrawn_at IS NOT NULL;

CREATE TABLE gap_analyses (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    version INTEGER NOT NULL,
    last_version INTEGER NOT NULL,
    request TEXT NOT NULL,
    -- What lists show of the newest version, whose document may be long.
    summary TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, id)
) STRICT;
CREATE INDEX gap_analyses_by_update ON gap_analyses (organisation_id, updated_at, id);

-- What each version of a gap analysis was computed from: assessments, and the analysis it was compared with.
CREATE TABLE gap_analysis_sources (
    organisation_id BLOB NOT NULL,
    source_id BLOB NOT NULL,
    source_version INTEGER NOT NULL,
    gap_analysis_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, source_id, gap_analysis_id, version),
    FOREIGN KEY (organisation_id, gap_analysis_id) REFERENCES gap_analyses (organisation_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX gap_analysis_sources_by_analysis ON gap_analysis_sources (organisation_id, gap_analysis_id, version);

-- The journal: every sealed version of every kind of resource. An assessment's levels are one byte an element.
CREATE TABLE sealed_versions (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    resource_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    document TEXT NOT NULL,
    levels BLOB,
    digest TEXT NOT NULL,
    sealed_at INTEGER NOT NULL,
    sealed_by BLOB NOT NULL,
    PRIMARY KEY (organisation_id, resource_id, version)
) STRICT;

CREATE TABLE external_ids (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    kind TEXT NOT NULL,
    system TEXT NOT NULL,
    value TEXT NOT NULL,
    resource_id BLOB NOT NULL,
    PRIMARY KEY (organisation_id, kind, system, value)
) STRICT;
CREATE INDEX external_ids_by_resource ON external_ids (organisation_id, resource_id);

CREATE TABLE events (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    resource_id BLOB NOT NULL,
    what TEXT NOT NULL,
    version INTEGER,
    client_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, id)
) STRICT;
CREATE INDEX events_by_resource ON events (organisation_id, resource_id);

-- `status` is NULL while the first request runs; `body` is NULL once it was erased.
CREATE TABLE idempotency_keys (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    client_id BLOB NOT NULL,
    key TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    status INTEGER,
    body BLOB,
    content_type TEXT,
    location TEXT,
    etag TEXT,
    resource_id BLOB,
    erased_at INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, client_id, key, method, path)
) STRICT;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_by_resource ON idempotency_keys (organisation_id, resource_id);
