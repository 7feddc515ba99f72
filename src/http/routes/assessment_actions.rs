//! What is done with an assessment as a whole: submit, amend, withdraw, restore, erase, migrate.

use actix_web::{
    delete, post,
    web::{Data, Path},
};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::{Uuid, Version};

use super::assessments::{AssessmentPath, saved};
use crate::{
    auth::scope::WriteAssessments,
    domain::assessment::Assessment,
    http::{
        body::Body,
        caller::Caller,
        problem::{self, Problem},
        reply::Reply,
        voice::Voice,
    },
    service::{
        erasure,
        migration::{self, Migrate, Migration},
        respondents, transitions,
    },
    store::db::{Db, Tx},
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(submit_assessment)
        .service(amend_assessment)
        .service(withdraw_assessment)
        .service(restore_assessment)
        .service(erase_assessment)
        .service(migrate_assessment);
}

/// Withdraw an assessment.
///
/// It is never analysed again, can be restored for 30 days, and is erased then. What a respondent has not submitted yet, or submitted to
/// an anonymous round, is erased at once: nobody could restore it for them.
#[utoipa::path(
    tag = "Assessments",
    params(AssessmentPath),
    responses((status = 204, description = "It is withdrawn"), Problem),
    security(("bearer" = ["assessments:write"]), ("respondent" = [])),
)]
#[delete("/v1/assessments/{assessment}")]
async fn withdraw_assessment(
    caller: Voice<WriteAssessments>,
    path: Path<AssessmentPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, expected) = (path.id()?, caller.expected()?);
    caller
        .write(&db, move |tx| {
            transitions::withdraw(tx, id, &expected).map(|()| Reply::no_content())
        })
        .await
}

/// A respondent's idempotency key: their receipt is derived of it, and so it has to be one that nobody guesses.
fn random_key<S>(caller: &Caller<S>) -> Result<Option<Uuid>, Problem> {
    let Some(key) = caller.idempotency_key()? else {
        return Ok(None);
    };
    let key = Uuid::try_parse(&key).ok();
    let unfit = "Idempotency-Key: a respondent's is a random UUID (version 4), of which the receipt is derived.";
    match key.filter(|key| key.get_version() == Some(Version::Random)) {
        Some(key) => Ok(Some(key)),
        None => Err(Problem::new(&problem::INVALID_HEADER, unfit)),
    }
}

/// Submit an assessment.
///
/// Seals its draft as the next immutable version. Everything that is missing is listed by pointer. What a respondent submits for the
/// first time gets another `id`, to which nothing leads but the `receipt` that this answer shows once. Where the answer was lost, the
/// same request with the same `Idempotency-Key` is answered again: a respondent's has to be a random UUID (version 4), because the receipt
/// is derived of it.
#[utoipa::path(
    tag = "Assessments",
    params(AssessmentPath),
    responses((status = 200, description = "The submitted version", body = Assessment), Problem),
    security(("bearer" = ["assessments:write"]), ("respondent" = [])),
)]
#[post("/v1/assessments/{assessment}/submit")]
async fn submit_assessment(
    caller: Voice<WriteAssessments>,
    path: Path<AssessmentPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, expected) = (path.id()?, caller.expected()?);
    if caller.actor().respondent.is_some() {
        let (key, random) = (random_key(&caller)?, rand::random());
        let work = move |tx: &mut Tx<'_>| respondents::submit(tx, id, &expected, key, random);
        return caller.write(&db, move |tx| Ok(saved(&work(tx)?))).await;
    }
    caller
        .write(&db, move |tx| Ok(saved(&transitions::submit(tx, id, &expected)?)))
        .await
}

/// Amend an assessment.
///
/// Opens the next draft from the newest version.
#[utoipa::path(
    tag = "Assessments",
    params(AssessmentPath),
    responses((status = 200, description = "The draft", body = Assessment), Problem),
    security(("bearer" = ["assessments:write"]), ("respondent" = [])),
)]
#[post("/v1/assessments/{assessment}/amend")]
async fn amend_assessment(
    caller: Voice<WriteAssessments>,
    path: Path<AssessmentPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, expected) = (path.id()?, caller.expected()?);
    caller
        .write(&db, move |tx| Ok(saved(&transitions::amend(tx, id, &expected)?)))
        .await
}

/// Restore a withdrawn assessment.
///
/// Takes the withdrawal back: it is what it was before, and counts in analyses again. What somebody withdrew from a round, nobody but
/// they restore, by their receipt, while the round takes answers.
#[utoipa::path(
    tag = "Assessments",
    params(AssessmentPath),
    responses((status = 200, description = "The assessment", body = Assessment), Problem),
    security(("bearer" = ["assessments:write"]), ("respondent" = [])),
)]
#[post("/v1/assessments/{assessment}/restore")]
async fn restore_assessment(
    caller: Voice<WriteAssessments>,
    path: Path<AssessmentPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, expected) = (path.id()?, caller.expected()?);
    caller
        .write(&db, move |tx| Ok(saved(&transitions::restore(tx, id, &expected)?)))
        .await
}

/// Erase an assessment.
///
/// At once and for good: its versions, its notes, the stored answers, and every version of a gap analysis that counted it
/// or was compared with one that did. Such an analysis is sealed anew from what remains.
#[utoipa::path(
    tag = "Assessments",
    params(AssessmentPath),
    responses((status = 204, description = "It is erased"), Problem),
    security(("bearer" = ["assessments:write"]), ("respondent" = [])),
)]
#[post("/v1/assessments/{assessment}/erase")]
async fn erase_assessment(
    caller: Voice<WriteAssessments>,
    path: Path<AssessmentPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, expected) = (path.id()?, caller.expected()?);
    caller
        .write(&db, move |tx| {
            erasure::erase(tx, id, &expected).map(|()| Reply::no_content())
        })
        .await
}

/// Migrate an assessment to a later version of its model.
///
/// Shows the effect element by element and, unless it is a dry run, opens a draft on the later version. No level is guessed.
#[utoipa::path(
    tag = "Assessments",
    params(AssessmentPath),
    request_body(content = Migrate, example = json!({"to_version": 2, "dry_run": true})),
    responses((status = 200, description = "The effect", body = Migration), Problem),
    security(("bearer" = ["assessments:write"])),
)]
#[post("/v1/assessments/{assessment}/migrate")]
async fn migrate_assessment(
    caller: Caller<WriteAssessments>,
    path: Path<AssessmentPath>,
    body: Body<Migrate>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, expected, body) = (path.id()?, caller.expected()?, body.0);
    let work =
        move |tx: &mut Tx<'_>| Ok(Reply::found(&migration::migrate(tx, id, &expected, body.clone())?).about(id.uuid()));
    caller.write(&db, work).await
}
