//! Models: list, create, draft, publish, retire.

use actix_web::{
    delete, get, patch, post,
    web::{Data, Path},
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::PageQuery;
use crate::{
    auth::scope::{ReadModels, WriteModels},
    domain::model::Model,
    http::{
        body::Body,
        caller::Caller,
        paging::Paging,
        problem::Problem,
        query::Query,
        reply::{List, Reply},
    },
    service::models::{self, CreateModel, ModelItem, PatchModel, Validation},
    store::{
        db::{Db, Tx},
        models::Name,
    },
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(list_models)
        .service(create_model)
        .service(get_model)
        .service(patch_model)
        .service(get_model_draft)
        .service(discard_model_draft)
        .service(validate_model)
        .service(publish_model)
        .service(retire_model);
}

/// Names a model.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ModelPath {
    /// The model's slug or id.
    #[param(pattern = "^[a-z0-9][a-z0-9_-]{0,62}$", example = "meaningful-connections")]
    pub(super) model: String,
}

/// By which name a model is asked for. What is neither an id nor a slug names nothing.
pub(super) fn name(text: &str) -> Result<Name, Problem> {
    let by_id = text.parse().map(Name::Id);
    by_id
        .or_else(|_| text.parse().map(Name::Slug))
        .map_err(|_| Problem::not_found("model"))
}

/// List models.
///
/// Public models and the organisation's own, newest first, without their levels, themes, Safety and guide.
#[utoipa::path(
    tag = "Models",
    params(PageQuery),
    responses((status = 200, description = "A page of models", body = List<ModelItem>), Problem),
    security(("bearer" = ["models:read"])),
)]
#[get("/v1/models")]
async fn list_models(
    caller: Caller<ReadModels>,
    Query(query): Query<PageQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let paging = Paging::of(&caller, query.limit, query.cursor.as_deref())?;
    let page = paging.page();
    let (items, next) = caller.read(&db, move |tx| models::list(tx, &page)).await?;
    Ok(paging.reply(items, next))
}

/// Create a model.
///
/// Opens the first draft of a new model: from nothing, or derived from a published version, whose lineage is kept.
#[utoipa::path(
    tag = "Models",
    request_body(content = CreateModel, example = json!({
        "slug": "our-connections",
        "derived_from": {"model": "meaningful-connections", "version": 1},
        "title": "Our connections"
    })),
    responses((status = 201, description = "The draft", body = Model), Problem),
    security(("bearer" = ["models:write"])),
)]
#[post("/v1/models")]
async fn create_model(caller: Caller<WriteModels>, body: Body<Value>, db: Data<Db>) -> Result<Reply, Problem> {
    let body = body.0;
    let work = move |tx: &mut Tx<'_>| {
        let created = models::create(tx, body.clone())?;
        let location = format!("/v1/models/{}", created.shown.slug);
        Ok(Reply::found(&created).created(location).about(created.shown.id.uuid()))
    };
    caller.write(&db, work).await
}

/// Get a model.
///
/// Its newest published version or, where nothing has been published yet, its draft.
#[utoipa::path(
    tag = "Models",
    params(ModelPath),
    responses((status = 200, description = "The model", body = Model), Problem),
    security(("bearer" = ["models:read"])),
)]
#[get("/v1/models/{model}")]
async fn get_model(caller: Caller<ReadModels>, path: Path<ModelPath>, db: Data<Db>) -> Result<Reply, Problem> {
    let name = name(&path.model)?;
    Ok(Reply::found(&caller.read(&db, move |tx| models::get(tx, &name)).await?))
}

/// Change a model's draft.
///
/// A JSON merge patch (RFC 7396). Where no draft is open, the newest version's content is opened as one.
#[utoipa::path(
    tag = "Models",
    params(ModelPath),
    request_body(content = PatchModel, content_type = "application/merge-patch+json", example = json!({
        "title": "Our connections, reworded"
    })),
    responses((status = 200, description = "The draft", body = Model), Problem),
    security(("bearer" = ["models:write"])),
)]
#[patch("/v1/models/{model}")]
async fn patch_model(
    caller: Caller<WriteModels>,
    path: Path<ModelPath>,
    body: Body<Value>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (name, expected, body) = (name(&path.model)?, caller.expected()?, body.0);
    caller
        .write(&db, move |tx| {
            Ok(Reply::found(&models::patch(tx, &name, &expected, body.clone())?))
        })
        .await
}

/// Get a model's draft.
///
/// What publishing would seal. Where no draft is open, 404.
#[utoipa::path(
    tag = "Models",
    params(ModelPath),
    responses((status = 200, description = "The draft", body = Model), Problem),
    security(("bearer" = ["models:read"])),
)]
#[get("/v1/models/{model}/draft")]
async fn get_model_draft(caller: Caller<ReadModels>, path: Path<ModelPath>, db: Data<Db>) -> Result<Reply, Problem> {
    let name = name(&path.model)?;
    Ok(Reply::found(
        &caller.read(&db, move |tx| models::get_draft(tx, &name)).await?,
    ))
}

/// Discard a model's draft.
///
/// What has been published stays. A model that was never published goes altogether.
#[utoipa::path(
    tag = "Models",
    params(ModelPath),
    responses((status = 204, description = "The draft is gone"), Problem),
    security(("bearer" = ["models:write"])),
)]
#[delete("/v1/models/{model}/draft")]
async fn discard_model_draft(
    caller: Caller<WriteModels>,
    path: Path<ModelPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (name, expected) = (name(&path.model)?, caller.expected()?);
    caller
        .write(&db, move |tx| {
            models::discard_draft(tx, &name, &expected).map(|()| Reply::no_content())
        })
        .await
}

/// Validate a model's draft.
///
/// Says what would keep it from being published. Nothing is stored.
#[utoipa::path(
    tag = "Models",
    params(ModelPath),
    responses((status = 200, description = "What was found", body = Validation), Problem),
    security(("bearer" = ["models:read"])),
)]
#[post("/v1/models/{model}/validate")]
async fn validate_model(caller: Caller<ReadModels>, path: Path<ModelPath>, db: Data<Db>) -> Result<Reply, Problem> {
    let name = name(&path.model)?;
    Ok(Reply::json(
        &caller.read(&db, move |tx| models::validate(tx, &name)).await?,
    ))
}

/// Publish a model.
///
/// Seals the draft as the next version, for ever.
#[utoipa::path(
    tag = "Models",
    params(ModelPath),
    responses((status = 200, description = "The published version", body = Model), Problem),
    security(("bearer" = ["models:write"])),
)]
#[post("/v1/models/{model}/publish")]
async fn publish_model(caller: Caller<WriteModels>, path: Path<ModelPath>, db: Data<Db>) -> Result<Reply, Problem> {
    let (name, expected) = (name(&path.model)?, caller.expected()?);
    caller
        .write(&db, move |tx| Ok(Reply::found(&models::publish(tx, &name, &expected)?)))
        .await
}

/// Retire a model.
///
/// No new assessments are made with it; drafts that are open may still be submitted.
#[utoipa::path(
    tag = "Models",
    params(ModelPath),
    responses((status = 200, description = "The retired model", body = Model), Problem),
    security(("bearer" = ["models:write"])),
)]
#[post("/v1/models/{model}/retire")]
async fn retire_model(caller: Caller<WriteModels>, path: Path<ModelPath>, db: Data<Db>) -> Result<Reply, Problem> {
    let (name, expected) = (name(&path.model)?, caller.expected()?);
    caller
        .write(&db, move |tx| Ok(Reply::found(&models::retire(tx, &name, &expected)?)))
        .await
}
