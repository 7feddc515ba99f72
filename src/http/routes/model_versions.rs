//! The published versions of models, and what is made of them: diffs, forms, guides.

use std::sync::Arc;

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
        perspective::Perspective,
        slug::Slug,
    },
    http::{
        caller::Caller,
        negotiate::{Format, FormatQuery, Languages, content_language, format},
        paging::Paging,
        problem::Problem,
        query::{Query, required},
        render::report::text as escape_markdown,
        rendered::{Asked, Rendered, Rendering, Shape, reply},
        reply::{Caching, List, Reply},
    },
    service::{
        self,
        models::{self, ModelDiff},
    },
    store::{
        self,
        db::{Db, Tx},
        models::SealedModel,
    },
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(list_model_versions)
        .service(get_model_version)
        .service(diff_model_versions)
        .service(get_form)
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

/// Who may keep something made of a published version.
pub(super) fn caching(head: &Head) -> Caching {
    if head.owner.is_nil() {
        Caching::ForEveryone
    } else {
        Caching::ForCaller
    }
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
    let (name, version) = (name(&path.model)?, version(&path.version)?);
    let asked = Asked {
        model: path.into_inner().model,
        version,
        shape: Shape::Whole,
        language: None,
    };
    if let Some(reply) = rendered.find(caller.actor().organisation, &asked, &Languages::default()) {
        return Ok(reply);
    }
    let work = move |tx: &mut Tx<'_>| {
        let (head, sealed) = models::sealed(tx, &name, version)?;
        let rendering = Rendering {
            etag: format!("\"{}\"", sealed.seal.digest.as_str()),
            body: json(&head.showing_version(&sealed))?,
            content_language: None,
            translations: Arc::default(),
        };
        rendered.keep(head.owner, asked.clone(), rendering.clone());
        Ok(reply(head.owner, rendering))
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
    security(("bearer" = ["models:read"])),
)]
#[get("/v1/models/{model}/versions/{version}/form")]
async fn get_form(
    caller: Caller<ReadModels>,
    path: Path<ModelVersionPath>,
    Query(query): Query<FormQuery>,
    db: Data<Db>,
    rendered: Data<Rendered>,
) -> Result<Reply, Problem> {
    let (name, version) = (name(&path.model)?, version(&path.version)?);
    let perspective = required(query.perspective, "perspective")?;
    let asked = Asked {
        model: path.into_inner().model,
        version,
        shape: Shape::Form(perspective.clone()),
        language: None,
    };
    let languages = Languages::of(caller.request());
    if let Some(reply) = rendered.find(caller.actor().organisation, &asked, &languages) {
        return Ok(reply);
    }
    let work = move |tx: &mut Tx<'_>| {
        let (head, sealed) = models::sealed(tx, &name, version)?;
        let by_slug = store::perspectives::Name::Slug(perspective.clone());
        let life = service::perspectives::find(tx, &by_slug)?;
        let (model, perspective) = (head.showing_version(&sealed), life.showing(&life.newest));
        let language = languages.choose(&sealed.content.translations.keys());
        let chosen = form(&model, &sealed, &perspective, language)?;
        if !life.owner.is_nil() {
            // An organisation's own perspective may change its voice, and with it the form.
            return Ok(reply(head.owner, chosen).cached(Caching::Ask));
        }
        if language.is_some() {
            // That of the own text is kept as well: it tells which translations there are.
            rendered.keep(head.owner, asked.clone(), form(&model, &sealed, &perspective, None)?);
        }
        let asked = Asked {
            language: language.cloned(),
            ..asked.clone()
        };
        rendered.keep(head.owner, asked, chosen.clone());
        Ok(reply(head.owner, chosen))
    };
    caller.read(&db, work).await
}

/// A form, rendered in a language.
fn form(
    model: &Model,
    sealed: &SealedModel,
    perspective: &Perspective,
    language: Option<&LanguageTag>,
) -> service::Result<Rendering> {
    let words = sealed.content.in_language(language);
    let form = Form::of(model, sealed.version, perspective, &words);
    let (digest, slug, spoken) = (sealed.seal.digest.as_str(), &perspective.slug, perspective.version);
    let translations = sealed.content.translations.keys();
    Ok(Rendering {
        etag: format!("\"{digest}-{slug}-{spoken}-{}\"", words.language),
        body: json(&form)?,
        content_language: Some(content_language(&words, !form.untranslated.is_empty())),
        translations: translations.cloned().collect(),
    })
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
    let language = Languages::of(caller.request());
    let words = sealed
        .content
        .in_language(language.choose(&sealed.content.translations.keys()));
    let guide = Guide::of(&head, version, &words);
    let reply = match format {
        Format::Markdown => Reply::bytes(format.media_type(), guide.markdown()),
        _ => Reply::json(&guide),
    };
    let digest = sealed.seal.digest.as_str();
    let etag = format!("\"{digest}-guide{}-{}\"", format.suffix(), words.language);
    Ok(reply.tagged(etag).cached(caching(&head)).with(
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
