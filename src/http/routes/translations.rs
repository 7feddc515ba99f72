//! Translations of models: data, written into a draft and sealed with it.

use actix_web::{
    delete, get, put,
    web::{Data, Path},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    model_versions::ModelVersionPath,
    models::{ModelPath, name},
    version,
};
use crate::{
    auth::scope::{ReadModels, WriteModels},
    domain::{
        language::LanguageTag,
        model::{ModelTranslation, Translation, TranslationItem},
    },
    http::{
        body::Body,
        caller::Caller,
        problem::Problem,
        reply::{Caching, List, Reply, etag},
    },
    service::{models, translations},
    store::db::{Db, Tx},
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(list_model_draft_translations)
        .service(get_model_draft_translation)
        .service(put_model_draft_translation)
        .service(delete_model_draft_translation)
        .service(list_model_version_translations)
        .service(get_model_version_translation);
}

/// Names a translation of a model's draft.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct DraftTranslationPath {
    /// The model's slug or id.
    #[param(pattern = "^[a-z0-9][a-z0-9_-]{0,62}$", example = "our-connections")]
    model: String,
    /// The language.
    #[param(value_type = LanguageTag, example = "en-GB-x-easyread")]
    language: String,
}

/// Names a translation of a version of a model.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct VersionTranslationPath {
    /// The model's slug or id.
    #[param(pattern = "^[a-z0-9][a-z0-9_-]{0,62}$", example = "our-connections")]
    model: String,
    /// The version, 1 or more.
    #[param(value_type = i32, minimum = 1, example = 1)]
    version: String,
    /// The language.
    #[param(value_type = LanguageTag, example = "en-GB-x-easyread")]
    language: String,
}

/// The language in a path. What is no tag is the language of nothing.
fn language(text: &str) -> Result<LanguageTag, Problem> {
    text.parse().map_err(|_| not_found())
}

fn not_found() -> Problem {
    Problem::not_found("translation")
}

/// All there are: a model has at most 50.
fn page(items: Vec<TranslationItem>) -> Reply {
    Reply::json(&List {
        data: items,
        next_cursor: None,
    })
}

/// List a draft's translations.
///
/// All of them on one page, by language: what each lacks, and what of it may be out of date; without what they say.
#[utoipa::path(
    tag = "Models",
    params(ModelPath),
    responses((status = 200, description = "The translations", body = List<TranslationItem>), Problem),
    security(("bearer" = ["models:read"])),
)]
#[get("/v1/models/{model}/draft/translations")]
async fn list_model_draft_translations(
    caller: Caller<ReadModels>,
    path: Path<ModelPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let name = name(&path.model)?;
    let listed = caller
        .read(&db, move |tx| translations::list_of_draft(tx, &name))
        .await?;
    Ok(page(listed.shown).tagged(etag(listed.revision, "")))
}

/// Get a translation of a draft.
///
/// Its ETag is the model's, for whatever changes the model may change what the translation lacks.
#[utoipa::path(
    tag = "Models",
    params(DraftTranslationPath),
    responses((status = 200, description = "The translation", body = ModelTranslation), Problem),
    security(("bearer" = ["models:read"])),
)]
#[get("/v1/models/{model}/draft/translations/{language}")]
async fn get_model_draft_translation(
    caller: Caller<ReadModels>,
    path: Path<DraftTranslationPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (name, language) = (name(&path.model)?, language(&path.language)?);
    let work = move |tx: &mut Tx<'_>| translations::get_of_draft(tx, &name, &language);
    Ok(Reply::found(&caller.read(&db, work).await?))
}

/// Put a translation into a draft.
///
/// What the model says in words, in another language, by the model's own keys: a key that the model has not is refused, one
/// that is left out is listed as missing, and shown in the model's own words. Where no draft is open, the newest version's
/// content is opened as one. `If-Match` is the model's ETag, so that the words are made of the text that stands. Publishing
/// seals the translations with the version: those of a published version never change, and another language is another
/// version. A model has at most 50 translations, of at most 1 MiB together. The model's own text is English (`en`).
#[utoipa::path(
    tag = "Models",
    params(DraftTranslationPath),
    request_body(content = Translation, example = json!({
        "title": "Our connections, in easy words",
        "levels": {"early_stages": "Just starting", "forming": "Getting there"},
        "themes": {"feelings": {"label": "How we feel", "stem": {"individual": "I want to", "collective": "We want to"}}},
        "elements": {"feelings.heard": "know that somebody listens"}
    })),
    responses(
        (status = 200, description = "The translation", body = ModelTranslation),
        (status = 201, description = "The translation into a new language", body = ModelTranslation),
        Problem,
    ),
    security(("bearer" = ["models:write"])),
)]
#[put("/v1/models/{model}/draft/translations/{language}")]
async fn put_model_draft_translation(
    caller: Caller<WriteModels>,
    path: Path<DraftTranslationPath>,
    body: Body<Translation>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (name, language) = (name(&path.model)?, language(&path.language)?);
    let (expected, body) = (caller.expected()?, body.0);
    let location = format!("/v1/models/{}/draft/translations/{language}", path.model);
    let work = move |tx: &mut Tx<'_>| {
        let (put, is_new) = translations::put(tx, &name, &language, &expected, body.clone())?;
        let reply = Reply::found(&put);
        Ok(if is_new { reply.created(location.clone()) } else { reply })
    };
    caller.write(&db, work).await
}

/// Delete a translation from a draft.
///
/// Published versions keep theirs.
#[utoipa::path(
    tag = "Models",
    params(DraftTranslationPath),
    responses((status = 204, description = "The draft has no such translation any more"), Problem),
    security(("bearer" = ["models:write"])),
)]
#[delete("/v1/models/{model}/draft/translations/{language}")]
async fn delete_model_draft_translation(
    caller: Caller<WriteModels>,
    path: Path<DraftTranslationPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (name, language, expected) = (name(&path.model)?, language(&path.language)?, caller.expected()?);
    let work =
        move |tx: &mut Tx<'_>| translations::remove(tx, &name, &language, &expected).map(|()| Reply::no_content());
    caller.write(&db, work).await
}

/// List a version's translations.
///
/// All of them on one page, by language, without what they say. They never change.
#[utoipa::path(
    tag = "Models",
    params(ModelVersionPath),
    responses((status = 200, description = "The translations", body = List<TranslationItem>), Problem),
    security(("bearer" = ["models:read"])),
)]
#[get("/v1/models/{model}/versions/{version}/translations")]
async fn list_model_version_translations(
    caller: Caller<ReadModels>,
    path: Path<ModelVersionPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (name, version) = (name(&path.model)?, version(&path.version)?);
    let (head, sealed) = caller.read(&db, move |tx| models::sealed(tx, &name, version)).await?;
    Ok(page(sealed.content.languages())
        .tagged(format!("\"{}-translations\"", sealed.seal.digest.as_str()))
        .cached(Caching::of(head.owner)))
}

/// Get a translation of a version.
///
/// It never changes.
#[utoipa::path(
    tag = "Models",
    params(VersionTranslationPath),
    responses((status = 200, description = "The translation", body = ModelTranslation), Problem),
    security(("bearer" = ["models:read"])),
)]
#[get("/v1/models/{model}/versions/{version}/translations/{language}")]
async fn get_model_version_translation(
    caller: Caller<ReadModels>,
    path: Path<VersionTranslationPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (name, version, language) = (name(&path.model)?, version(&path.version)?, language(&path.language)?);
    let (head, sealed) = caller.read(&db, move |tx| models::sealed(tx, &name, version)).await?;
    let translation = sealed.content.translation(&language).ok_or_else(not_found)?;
    let etag = format!("\"{}-translations-{language}\"", sealed.seal.digest.as_str());
    Ok(Reply::json(&translation).tagged(etag).cached(Caching::of(head.owner)))
}
