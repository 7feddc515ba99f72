//! Assessments: created, saved, submitted, amended, withdrawn, erased.

use actix_web::{
    get, patch, post, put,
    web::{self, Data, Path},
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::id;
use crate::{
    auth::scope::{ReadAssessments, WriteAssessments},
    domain::{
        assessment::{Assessment, AssessmentStatus},
        external_id::ExternalId,
        id::{AssessmentId, RelationshipId, RoundId},
        moment::{DateOrTime, Moment},
        slug::Slug,
    },
    http::{
        body::Body,
        caller::Caller,
        edge::nothing_here,
        paging::Paging,
        problem::Problem,
        query::{ExternalIdParameter, Limit, Query, required},
        reply::{List, Reply},
        voice::Voice,
    },
    service::{
        Expected, Revised,
        assessments::{self, CreateAssessment, PatchAssessment},
        models::Validation,
        upsert::upsert,
    },
    store::{
        assessment_lists::Filter,
        db::{Db, Tx},
    },
};

/// Registers the routes. What stands in a path is matched before what is named by a parameter.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(list_assessments)
        .service(create_assessment)
        .service(validate_assessment)
        .route("/v1/assessments/validate", web::to(nothing_here))
        .service(upsert_assessment)
        .route("/v1/assessments/by-external-id", web::to(nothing_here))
        .service(get_assessment)
        .service(patch_assessment);
}

/// Names an assessment.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AssessmentPath {
    /// The assessment's id.
    #[param(format = Uuid, example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    assessment: String,
}

impl AssessmentPath {
    /// The id that the path names.
    pub(super) fn id(&self) -> Result<AssessmentId, Problem> {
        id(&self.assessment, "assessment")
    }
}

/// Which assessments to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AssessmentsQuery {
    /// In this state; without one, all but the withdrawn.
    #[param(nullable = false, inline)]
    status: Option<AssessmentStatus>,
    /// From this perspective (its slug).
    #[param(nullable = false, value_type = Option<Slug>, example = "team")]
    perspective: Option<Slug>,
    /// Of this model (its slug).
    #[param(nullable = false, value_type = Option<Slug>, example = "meaningful-connections")]
    model: Option<Slug>,
    /// About this relationship.
    #[param(nullable = false, value_type = Option<RelationshipId>)]
    relationship: Option<RelationshipId>,
    /// Of this round: nothing until it is revealed, and of an anonymous round nothing ever. How far it has come is in the round.
    #[param(nullable = false, value_type = Option<RoundId>)]
    round: Option<RoundId>,
    /// With this name in another system, as `system|value`.
    #[param(nullable = false, value_type = Option<String>, max_length = 401, pattern = r"^[^|\x00-\x1f\x7f-\x9f\ufffd]+\|[^\x00-\x1f\x7f-\x9f\ufffd]+$", example = "https://crm.example.org|case-4711")]
    external_id: Option<ExternalIdParameter>,
    /// Changed at or after (RFC 3339, or a date); orders by the last change, oldest first.
    #[param(nullable = false, value_type = Option<DateOrTime>, example = "2026-01-01")]
    updated_since: Option<Moment>,
    /// Submitted (its newest version) at or after.
    #[param(nullable = false, value_type = Option<DateOrTime>, example = "2026-01-01")]
    submitted_from: Option<Moment>,
    /// Submitted (its newest version) before.
    #[param(nullable = false, value_type = Option<DateOrTime>, example = "2026-04-01")]
    submitted_to: Option<Moment>,
    /// How many items a page holds.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<Limit>,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(nullable = false, max_length = 1000, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// The name of an assessment in another system.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NameQuery {
    /// The system.
    #[param(required = true, nullable = false, value_type = String, min_length = 1, max_length = 200, pattern = r"^[^|\x00-\x1f\x7f-\x9f\ufffd]+$", example = "https://crm.example.org")]
    system: Option<String>,
    /// The name in that system.
    #[param(required = true, nullable = false, value_type = String, min_length = 1, max_length = 200, pattern = r"^[^\x00-\x1f\x7f-\x9f\ufffd]+$", example = "case-4711")]
    value: Option<String>,
}

/// A saved assessment; erasing it blanks the answer.
pub(super) fn saved(revised: &Revised<Assessment>) -> Reply {
    Reply::found(revised).about(revised.shown.id.uuid())
}

/// List assessments.
///
/// The organisation's own, without their ratings: newest first or, with `updated_since`, the longest unchanged first.
#[utoipa::path(
    tag = "Assessments",
    params(AssessmentsQuery),
    responses((status = 200, description = "A page of assessments", body = List<Assessment>), Problem),
    security(("bearer" = ["assessments:read"])),
)]
#[get("/v1/assessments")]
async fn list_assessments(
    caller: Caller<ReadAssessments>,
    Query(query): Query<AssessmentsQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let paging = Paging::of(&caller, query.limit, query.cursor.as_deref())?;
    let page = paging.page();
    let filter = Filter {
        status: query.status,
        perspective: query.perspective,
        model: query.model,
        relationship: query.relationship,
        round: query.round,
        external_id: query.external_id.map(|ExternalIdParameter(name)| name),
        updated_since: query.updated_since,
        submitted_from: query.submitted_from,
        submitted_to: query.submitted_to,
    };
    let (items, next) = caller
        .read(&db, move |tx| assessments::list(tx, &filter, &page))
        .await?;
    Ok(paging.reply(items, next))
}

/// Create an assessment.
///
/// Opens its first draft, as complete as it is.
#[utoipa::path(
    tag = "Assessments",
    request_body(content = CreateAssessment, example = json!({
        "model": "meaningful-connections",
        "perspective": "service_user",
        "ratings": {"feelings.heard": {"current": "early_stages", "desired": "maturing", "note": "I had to say it twice."}},
        "external_ids": [{"system": "https://crm.example.org", "value": "case-4711"}]
    })),
    responses((status = 201, description = "The draft", body = Assessment), Problem),
    security(("bearer" = ["assessments:write"])),
)]
#[post("/v1/assessments")]
async fn create_assessment(
    caller: Caller<WriteAssessments>,
    body: Body<CreateAssessment>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let body = body.0;
    let work = move |tx: &mut Tx<'_>| {
        let created = assessments::create(tx, body.clone())?;
        Ok(saved(&created).created(format!("/v1/assessments/{}", created.shown.id)))
    };
    caller.write(&db, work).await
}

/// Validate an assessment.
///
/// Says everything that would keep it from being submitted. Nothing is stored.
#[utoipa::path(
    tag = "Assessments",
    request_body(content = CreateAssessment, example = json!({
        "model": "meaningful-connections",
        "perspective": "service_user",
        "ratings": {"feelings.heard": {"current": "early_stages", "desired": "maturing"}}
    })),
    responses((status = 200, description = "What was found", body = Validation), Problem),
    security(("bearer" = ["assessments:read"])),
)]
#[post("/v1/assessments/validate")]
async fn validate_assessment(
    caller: Caller<ReadAssessments>,
    body: Body<CreateAssessment>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let body = body.0;
    Ok(Reply::json(
        &caller
            .read(&db, move |tx| assessments::validate(tx, body.clone()))
            .await?,
    ))
}

/// Create or replace an assessment by its external id.
///
/// Creates the assessment that another system knows by this name, or replaces its draft; of a submitted assessment, the
/// next draft is opened. `If-Match` and `If-None-Match: *` are honoured where they are sent.
#[utoipa::path(
    tag = "Assessments",
    params(NameQuery),
    request_body(content = CreateAssessment, example = json!({
        "model": "meaningful-connections",
        "perspective": "team",
        "ratings": {"feelings.heard": {"current": "maturing", "desired": "embedded"}}
    })),
    responses(
        (status = 200, description = "The replaced draft", body = Assessment),
        (status = 201, description = "The new draft", body = Assessment),
        Problem,
    ),
    security(("bearer" = ["assessments:write"])),
)]
#[put("/v1/assessments/by-external-id")]
async fn upsert_assessment(
    caller: Caller<WriteAssessments>,
    Query(query): Query<NameQuery>,
    body: Body<CreateAssessment>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let name = ExternalId {
        system: required(query.system, "system")?,
        value: required(query.value, "value")?,
    };
    let (expected, body): (Expected, _) = (caller.expected_or_absent()?, body.0);
    let work = move |tx: &mut Tx<'_>| {
        let (is_new, put) = upsert(tx, &name, &expected, body.clone())?;
        let reply = saved(&put);
        Ok(if is_new {
            reply.created(format!("/v1/assessments/{}", put.shown.id))
        } else {
            reply
        })
    };
    caller.write(&db, work).await
}

/// Get an assessment.
///
/// Its newest submitted version or, where nothing has been submitted yet, its draft.
#[utoipa::path(
    tag = "Assessments",
    params(AssessmentPath),
    responses((status = 200, description = "The assessment", body = Assessment), Problem),
    security(("bearer" = ["assessments:read"]), ("respondent" = [])),
)]
#[get("/v1/assessments/{assessment}")]
async fn get_assessment(
    caller: Voice<ReadAssessments>,
    path: Path<AssessmentPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let id = path.id()?;
    Ok(Reply::found(
        &caller.read(&db, move |tx| assessments::get(tx, id)).await?,
    ))
}

/// Change an assessment's draft.
///
/// A JSON merge patch (RFC 7396), so that one rating can be saved alone. Model, version, perspective and
/// relationship do not change. No answer is kept for the `Idempotency-Key` of a respondent: a patch that stands already is answered
/// again (200), whatever its `If-Match`, and a stale one that says something else is refused with 412.
#[utoipa::path(
    tag = "Assessments",
    params(AssessmentPath),
    request_body(content = PatchAssessment, content_type = "application/merge-patch+json", example = json!({
        "ratings": {"feelings.heard": {"current": "forming"}}
    })),
    responses((status = 200, description = "The draft", body = Assessment), Problem),
    security(("bearer" = ["assessments:write"]), ("respondent" = [])),
)]
#[patch("/v1/assessments/{assessment}")]
async fn patch_assessment(
    caller: Voice<WriteAssessments>,
    path: Path<AssessmentPath>,
    body: Body<Value>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, expected, body) = (path.id()?, caller.expected()?, body.0);
    caller
        .write(&db, move |tx| {
            Ok(saved(&assessments::patch(tx, id, &expected, body.clone())?))
        })
        .await
}
