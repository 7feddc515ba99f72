//! The tables, as both databases have them. The migrations say what each column is for.

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    organisations (id) {
        id -> Uid,
        name -> Text,
        revision -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    clients (organisation_id, id) {
        organisation_id -> Uid,
        id -> Uid,
        name -> Text,
        scopes -> Text,
        secret_hash -> Text,
        previous_secret_hash -> Nullable<Text>,
        previous_secret_until -> Nullable<Instant>,
        revision -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        revoked_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    signing_keys (organisation_id, id) {
        organisation_id -> Uid,
        id -> Uid,
        private_key -> Binary,
        public_key -> Binary,
        created_at -> Instant,
        active_from -> Instant,
        retired_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    auth_revisions (organisation_id) {
        organisation_id -> Uid,
        revision -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    models (organisation_id, id) {
        organisation_id -> Uid,
        id -> Uid,
        slug -> Text,
        revision -> BigInt,
        version -> Nullable<Integer>,
        draft -> Nullable<Document>,
        draft_based_on -> Nullable<Integer>,
        retired_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    perspectives (organisation_id, id) {
        organisation_id -> Uid,
        id -> Uid,
        slug -> Text,
        revision -> BigInt,
        version -> Integer,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    constellations (organisation_id, id) {
        organisation_id -> Uid,
        id -> Uid,
        revision -> BigInt,
        version -> Integer,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    relationships (organisation_id, id) {
        organisation_id -> Uid,
        id -> Uid,
        constellation_id -> Uid,
        retired_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    assessments (organisation_id, id) {
        organisation_id -> Uid,
        id -> Uid,
        model_id -> Uid,
        model -> Text,
        model_version -> Integer,
        perspective -> Text,
        revision -> BigInt,
        version -> Nullable<Integer>,
        draft -> Nullable<Document>,
        draft_levels -> Nullable<Binary>,
        draft_based_on -> Nullable<Integer>,
        submitted_at -> Nullable<Instant>,
        withdrawn_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
        relationship_id -> Nullable<Uid>,
        round_id -> Nullable<Uid>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    gap_analyses (organisation_id, id) {
        organisation_id -> Uid,
        id -> Uid,
        revision -> BigInt,
        version -> Integer,
        last_version -> Integer,
        request -> Document,
        summary -> Document,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    analysis_sources (organisation_id, gap_analysis_id, version) {
        organisation_id -> Uid,
        gap_analysis_id -> Uid,
        version -> Integer,
        sources -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    next_steps (organisation_id, id) {
        organisation_id -> Uid,
        id -> Uid,
        revision -> BigInt,
        version -> Integer,
        gap_analysis_id -> Uid,
        round_id -> Nullable<Uid>,
        element -> Text,
        status -> Text,
        due -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    agreed_readings (organisation_id, id) {
        organisation_id -> Uid,
        id -> Uid,
        revision -> BigInt,
        version -> Integer,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    sealed_versions (organisation_id, resource_id, version) {
        organisation_id -> Uid,
        resource_id -> Uid,
        version -> Integer,
        kind -> Text,
        document -> Document,
        levels -> Nullable<Binary>,
        digest -> Text,
        sealed_at -> Instant,
        sealed_by -> Uid,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    external_ids (organisation_id, kind, system, value) {
        organisation_id -> Uid,
        kind -> Text,
        system -> Text,
        value -> Text,
        resource_id -> Uid,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    events (organisation_id, id) {
        organisation_id -> Uid,
        id -> Uid,
        kind -> Text,
        resource_id -> Uid,
        what -> Text,
        version -> Nullable<Integer>,
        client_id -> Uid,
        at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    idempotency_keys (organisation_id, client_id, key, method, path) {
        organisation_id -> Uid,
        client_id -> Uid,
        key -> Text,
        method -> Text,
        path -> Text,
        fingerprint -> Binary,
        status -> Nullable<Integer>,
        body -> Nullable<Binary>,
        content_type -> Nullable<Text>,
        location -> Nullable<Text>,
        etag -> Nullable<Text>,
        resource_id -> Nullable<Uid>,
        erased_at -> Nullable<Instant>,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    tombstones (organisation_id, resource_id, what) {
        organisation_id -> Uid,
        resource_id -> Uid,
        what -> Text,
        at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    rounds (organisation_id, id) {
        organisation_id -> Uid,
        id -> Uid,
        revision -> BigInt,
        status -> Text,
        content -> Document,
        relationship_id -> Nullable<Uid>,
        constellation_id -> Nullable<Uid>,
        constellation_version -> Nullable<Integer>,
        gap_analysis_id -> Nullable<Uid>,
        opens_at -> Nullable<Instant>,
        closes_at -> Nullable<Instant>,
        opened_at -> Nullable<Instant>,
        closed_at -> Nullable<Instant>,
        revealed_at -> Nullable<Instant>,
        cancelled_at -> Nullable<Instant>,
        is_told -> Bool,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    invitations (organisation_id, id) {
        organisation_id -> Uid,
        id -> Uid,
        round_id -> Uid,
        token_hash -> Binary,
        perspective -> Text,
        uses -> Integer,
        used -> Integer,
        is_personal -> Bool,
        label -> Nullable<Text>,
        external_id -> Nullable<Document>,
        response_id -> Nullable<Uid>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
    use crate::store::fork::{Document, Instant, Uid};

    responses (organisation_id, id) {
        organisation_id -> Uid,
        id -> Uid,
        round_id -> Uid,
        model_id -> Uid,
        perspective -> Text,
        revision -> BigInt,
        version -> Nullable<Integer>,
        document -> Nullable<Document>,
        levels -> Nullable<Binary>,
        digest -> Nullable<Text>,
        draft -> Nullable<Document>,
        draft_levels -> Nullable<Binary>,
        draft_based_on -> Nullable<Integer>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    organisations,
    clients,
    signing_keys,
    auth_revisions,
    models,
    perspectives,
    constellations,
    relationships,
    rounds,
    invitations,
    responses,
    assessments,
    gap_analyses,
    analysis_sources,
    next_steps,
    agreed_readings,
    sealed_versions,
    external_ids,
    events,
    idempotency_keys,
    tombstones,
);
