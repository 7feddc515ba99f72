//! The published versions of models, and what is made of them: diffs, forms, guides.

use actix_web::{
    get,
    web::{Bytes, Data, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    DiffQuery, PageQuery, VersionItem,
    models::{ModelPath, name},
    version,
};
use crate::{
    auth::scope::ReadModels,
    domain::{
        language::LanguageTag,
        life_cycle::Version,
        model::{Form, GuideStep, Head, InLanguage, Model, TextPointer},
        slug::Slug,
    },
    http::{
        caller::Caller,
        negotiate::{Format, FormatQuery, Languages, content_language, format},
        paging::Paging,
        problem::Problem,
        query::{self, Query, required},
        render::report::text as escape_markdown,
        rendered::{Asked, Rendered},
        reply::{Caching, JSON, List, Reply},
        voice::Voice,
    },
    service::{
        self,
        models::{self, ModelDiff},
        respondents,
    },
    store::{
        self,
        db::{Db, Tx},
    },
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(get_form)
        .service(get_model_version)
        .service(list_model_versions)
        .service(diff_model_versions)
        .service(get_guide);
}

/// Names a version of a model.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct ModelVersionPath {
    /// The model's slug or id.
    #[param(pattern = "^[a-z0-9][a-z0-9_-]{0,62}$", example = "meaningful-connections")]
    pub(super) model: String,
    /// The version, 1 or more.
    #[param(value_type = i32, minimum = 1, example = 1)]
    pub(super) version: String,
}

/// From which perspective a form asks.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FormQuery {
    /// The slug of the perspective.
    #[param(required = true, nullable = false, value_type = Slug, example = "service_user")]
    perspective: Option<Slug>,
}

/// The steps by which a team works with a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Guide {
    /// The model.
    model: Slug,
    /// Its version.
    #[schema(value_type = i32, minimum = 1)]
    version: Version,
    /// The model's title.
    #[schema(max_length = 200)]
    title: String,
    /// The language of its texts.
    language: LanguageTag,
    /// What the translation lacks, as pointers into it: that is in the model's own words, which are English.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<TextPointer>, required = false, max_items = 2000)]
    untranslated: Vec<String>,
    /// The steps, in order.
    #[schema(max_items = 200)]
    steps: Vec<GuideStep>,
}

/// List a model's versions.
///
/// Newest first, without what they say.
#[utoipa::path(
    tag = "Models",
    params(ModelPath, PageQuery),
    responses((status = 200, description = "A page of versions", body = List<VersionItem>), Problem),
    security(("bearer" = ["models:read"])),
)]
#[get("/v1/models/{model}/versions")]
async fn list_model_versions(
    caller: Caller<ReadModels>,
    path: Path<ModelPath>,
    Query(query): Query<PageQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let name = name(&path.model)?;
    let paging = Paging::of(&caller, query.limit, query.cursor.as_deref())?;
    let page = paging.page();
    let (lines, next) = caller.read(&db, move |tx| models::versions(tx, &name, &page)).await?;
    Ok(paging.reply(lines.into_iter().map(VersionItem::from).collect(), next))
}

/// Get a version of a model.
///
/// It never changes.
#[utoipa::path(
    tag = "Models",
    params(ModelVersionPath),
    responses((status = 200, description = "The version", body = Model), Problem),
    security(("bearer" = ["models:read"])),
)]
#[get("/v1/models/{model}/versions/{version}")]
async fn get_model_version(
    caller: Caller<ReadModels>,
    path: Path<ModelVersionPath>,
    db: Data<Db>,
    rendered: Data<Rendered>,
) -> Result<Reply, Problem> {
    if let Some(reply) = rendered.find(caller.actor().organisation, caller.request()) {
        return Ok(reply);
    }
    let (name, version) = (name(&path.model)?, version(&path.version)?);
    let asked = Asked::by(caller.request());
    let work = move |tx: &mut Tx<'_>| {
        let (head, sealed) = models::sealed(tx, &name, version)?;
        let etag = format!("\"{}\"", sealed.seal.digest.as_str());
        let body = json(&head.showing_version(&sealed))?;
        let reply = Reply::bytes(JSON, body).tagged(etag);
        Ok(rendered.keep(head.owner, asked.clone(), reply))
    };
    caller.read(&db, work).await
}

fn json(value: &impl Serialize) -> service::Result<Bytes> {
    let damaged = |_| store::error::Error::Corrupt("a document cannot be written as JSON");
    Ok(serde_json::to_vec(value).map(Bytes::from).map_err(damaged)?)
}

/// Compare two versions of a model.
///
/// Element by element: same, reworded, added, retired, split, merged; and all that differs, as a JSON Patch.
#[utoipa::path(
    tag = "Models",
    params(ModelVersionPath, DiffQuery),
    responses((status = 200, description = "What differs", body = ModelDiff), Problem),
    security(("bearer" = ["models:read"])),
)]
#[get("/v1/models/{model}/versions/{version}/diff")]
async fn diff_model_versions(
    caller: Caller<ReadModels>,
    path: Path<ModelVersionPath>,
    Query(query): Query<DiffQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (name, to) = (name(&path.model)?, version(&path.version)?);
    let from = required(query.from, "from")?;
    Ok(Reply::json(
        &caller.read(&db, move |tx| models::diff(tx, &name, from, to)).await?,
    ))
}

/// Get a form.
///
/// A version of a model, ready to render: in the perspective's voice and the reader's language, with the JSON Schema that
/// a complete `ratings` object meets.
#[utoipa::path(
    tag = "Models",
    params(ModelVersionPath, FormQuery),
    responses((status = 200, description = "The form", body = Form), Problem),
    security(("bearer" = ["models:read"]), ("respondent" = [])),
)]
#[get("/v1/models/{model}/versions/{version}/form")]
async fn get_form(
    caller: Voice<ReadModels>,
    path: Path<ModelVersionPath>,
    db: Data<Db>,
    rendered: Data<Rendered>,
) -> Result<Reply, Problem> {
    let theirs = match caller.actor().respondent {
        Some(respondent) => {
            let query: FormQuery = query::parse(caller.request().query_string())?;
            let (name, version) = (name(&path.model)?, version(&path.version)?);
            let perspective = required(query.perspective, "perspective")?;
            let work = move |tx: &mut Tx<'_>| respondents::reads_form(tx, &respondent, &name, version, &perspective);
            Some(caller.read(&db, work).await?)
        }
        None => None,
    };
    if let Some(reply) = rendered.find(caller.actor().organisation, caller.request()) {
        return Ok(reply);
    }
    let query: FormQuery = query::parse(caller.request().query_string())?;
    let (name, version) = (name(&path.model)?, version(&path.version)?);
    let perspective = required(query.perspective, "perspective")?;
    let (asked, languages) = (Asked::by(caller.request()), Languages::of(caller.request()));
    let work = move |tx: &mut Tx<'_>| {
        let (head, sealed) = models::sealed(tx, &name, version)?;
        let by_slug = store::perspectives::Name::Slug(perspective.clone());
        let life = match &theirs {
            Some(theirs) => theirs.clone(),
            None => service::perspectives::find(tx, &by_slug)?,
        };
        let words = languages.choose(&sealed.content);
        let form = Form::of(
            &head.showing_version(&sealed),
            version,
            &life.showing(&life.newest),
            &words,
        );
        let (digest, spoken) = (sealed.seal.digest.as_str(), life.newest.version);
        let etag = format!("\"{digest}-{}-{spoken}-{}\"", life.slug, words.language);
        let language = content_language(&words, !form.untranslated.is_empty());
        let reply = Reply::bytes(JSON, json(&form)?)
            .tagged(etag)
            .with("Content-Language", language);
        // An organisation's own perspective may change its voice, and with it the form.
        Ok(if life.owner.is_nil() {
            rendered.keep(head.owner, asked.clone(), reply)
        } else {
            reply
        })
    };
    caller.read(&db, work).await
}

/// Get the guide.
///
/// The steps by which a team works with the model, as JSON or as Markdown, in the reader's language.
#[utoipa::path(
    tag = "Models",
    params(ModelVersionPath, FormatQuery),
    responses(
        (status = 200, description = "The guide", content((Guide = "application/json"), (String = "text/markdown"))),
        Problem,
    ),
    security(("bearer" = ["models:read"])),
)]
#[get("/v1/models/{model}/versions/{version}/guide")]
async fn get_guide(
    caller: Caller<ReadModels>,
    path: Path<ModelVersionPath>,
    Query(query): Query<FormatQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let format = format(caller.request(), query, &[Format::Json, Format::Markdown])?;
    let (name, version) = (name(&path.model)?, version(&path.version)?);
    let (head, sealed) = caller.read(&db, move |tx| models::sealed(tx, &name, version)).await?;
    let words = Languages::of(caller.request()).choose(&sealed.content);
    let guide = Guide::of(&head, version, &words);
    let reply = match format {
        Format::Markdown => Reply::bytes(format.media_type(), guide.markdown()),
        _ => Reply::json(&guide),
    };
    let digest = sealed.seal.digest.as_str();
    let etag = format!("\"{digest}-guide{}-{}\"", format.suffix(), words.language);
    Ok(reply.tagged(etag).cached(Caching::of(head.owner)).with(
        "Content-Language",
        content_language(&words, !guide.untranslated.is_empty()),
    ))
}

impl Guide {
    /// The guide of a version.
    pub(in crate::http) fn of(head: &Head, version: Version, words: &InLanguage<'_>) -> Self {
        let is_shown = |at: &&String| *at == "/title" || at.starts_with("/guide/");
        Self {
            model: head.slug.clone(),
            version,
            title: words.definition.title.clone(),
            language: words.language.clone(),
            untranslated: words.untranslated.iter().filter(is_shown).cloned().collect(),
            steps: words.definition.guide.clone(),
        }
    }

    fn markdown(&self) -> String {
        let steps = self.steps.iter().zip(1..).map(|(step, number)| {
            format!(
                "\n## {number}. {}\n\n{}\n",
                escape_markdown(&step.title),
                escape_markdown(&step.text)
            )
        });
        format!("# {}\n", escape_markdown(&self.title)) + &steps.collect::<String>()
    }
}
