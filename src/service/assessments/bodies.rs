//! What requests say of assessments.

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema, Type},
};

use crate::domain::{
    external_id::ExternalId,
    id::RelationshipId,
    level::Level,
    life_cycle::Version,
    ratings::Ratings,
    slug::{ElementKey, Slug},
};

/// A new assessment, as complete as it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAssessment {
    /// The model to rate.
    #[schema(example = "meaningful-connections")]
    pub model: Slug,
    /// The version of that model; the newest where it is not said.
    #[schema(value_type = Option<i32>, nullable = false, minimum = 1)]
    pub model_version: Option<Version>,
    /// From whose perspective.
    #[schema(example = "service_user")]
    pub perspective: Slug,
    /// The relationship it is about, of the newest version of a constellation; the service as a whole where none is named.
    #[serde(default)]
    #[schema(nullable = false)]
    pub relationship: Option<RelationshipId>,
    /// The caller's own reference to who answered. No personal data is needed here.
    #[schema(nullable = false, max_length = 200, example = "respondent-17")]
    pub respondent_ref: Option<String>,
    /// The ratings so far, by element.
    #[serde(default)]
    #[schema(value_type = BTreeMap<ElementKey, crate::domain::ratings::Rating>)]
    pub ratings: Ratings,
    /// The assessment's names in other systems.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub external_ids: Vec<ExternalId>,
    /// Whether the respondent agrees that research may use this, where they were asked.
    #[schema(nullable = false)]
    pub research_consent: Option<bool>,
}

/// What to change of an assessment's draft (JSON merge patch, RFC 7396): one rating can be saved alone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the schema against which a patch is checked; it is applied as JSON"
)]
pub struct PatchAssessment {
    /// The caller's own reference to who answered; `null` takes it away.
    #[schema(max_length = 200, example = "respondent-17")]
    respondent_ref: Option<String>,
    /// The ratings to change, by element; `null` takes a rating away, or all of them.
    #[schema(value_type = Option<BTreeMap<ElementKey, RatingOrNull>>)]
    ratings: Option<BTreeMap<ElementKey, Option<PatchRating>>>,
    /// The assessment's names in other systems, all of them; `null` takes them away.
    #[schema(max_items = 20)]
    external_ids: Option<Vec<ExternalId>>,
    /// Whether the respondent agrees that research may use this; `null` where they were not asked.
    research_consent: Option<bool>,
}

/// What to change of one rating; `null` takes a part of it away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the schema against which a patch is checked; it is applied as JSON"
)]
pub struct PatchRating {
    /// Where we are.
    current: Option<Level>,
    /// Where we want to be.
    desired: Option<Level>,
    /// What the respondent wants to say with it.
    #[schema(max_length = 4000)]
    note: Option<String>,
    /// The element does not apply.
    not_applicable: Option<bool>,
    /// Why it does not apply.
    #[schema(max_length = 4000)]
    reason: Option<String>,
}

/// A change of one rating, or `null`, which takes the rating away: for the schema only.
struct RatingOrNull;

impl PartialSchema for RatingOrNull {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::Null))
            .item(Ref::from_schema_name(PatchRating::name()))
            .description(Some("What to change of the rating, or `null`, which takes it away."))
            .into()
    }
}

impl ToSchema for RatingOrNull {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((PatchRating::name().into(), PatchRating::schema()));
        PatchRating::schemas(schemas);
    }
}
