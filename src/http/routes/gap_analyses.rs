//! Gap analyses.

use actix_web::{
    get, post,
    web::{self, Data, Path},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{DiffQuery, PageQuery, VersionItem, gap_analysis_charts::radar, id, version};
use crate::{
    auth::scope::{ReadGapAnalyses, ReadNextSteps, Requires, WriteGapAnalyses},
    domain::{
        gap_analysis::{GapAnalysis, Request},
        id::GapAnalysisId,
        language::OWN,
        model::InLanguage,
        next_step::NextStep,
    },
    http::{
        body::Body,
        caller::Caller,
        edge::nothing_here,
        negotiate::{Format, FormatQuery, Languages, content_language, format},
        paging::Paging,
        problem::Problem,
        query::{Query, required},
        render::{csv, report},
        reply::{List, Reply, etag},
        voice::Voice,
    },
    service::{
        self, Expected, Revised,
        computation::{self, Computed, Preview},
        diff::Diff,
        gap_analyses::{self, Recomputed},
        next_steps, respondents,
    },
    store::{
        self,
        db::{Db, Tx},
    },
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(create_gap_analysis)
        .service(preview_gap_analysis)
        .route("/v1/gap-analyses/preview", web::to(nothing_here))
        .service(get_gap_analysis)
        .service(recompute_gap_analysis)
        .service(list_gap_analysis_versions)
        .service(get_gap_analysis_version)
        .service(diff_gap_analysis_versions);
}

/// Names a gap analysis.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct GapAnalysisPath {
    /// The gap analysis's id.
    #[param(format = Uuid, example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    gap_analysis: String,
}

impl GapAnalysisPath {
    fn id(&self) -> Result<GapAnalysisId, Problem> {
        id(&self.gap_analysis, "gap analysis")
    }
}

/// Names a version of a gap analysis.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct GapAnalysisVersionPath {
    /// The gap analysis's id.
    #[param(format = Uuid, example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    gap_analysis: String,
    /// The version, 1 or more.
    #[param(value_type = i32, minimum = 1, example = 1)]
    version: String,
}

const FORMATS: &[Format] = &[Format::Json, Format::Csv, Format::Svg, Format::Markdown];

/// The analysis in one of its forms, and what tells its `ETag` from others. Report and radar have the model's words in the
/// language of the reader; JSON and CSV, which programs read, are the same for everybody. A report also says what is done next.
fn rendered(
    tx: &mut Tx<'_>,
    format: Format,
    languages: &Languages,
    shown: GapAnalysis,
    next_steps: &[NextStep],
) -> service::Result<(Reply, String)> {
    let for_programs = |reply: Reply| (reply.with("Content-Language", OWN), format.suffix().to_owned());
    Ok(match format {
        Format::Json | Format::Mermaid | Format::GraphMl => for_programs(Reply::json(&shown)),
        Format::Csv => {
            let model = gap_analyses::definition(tx, &shown.analysis)?;
            let damaged = |_| store::error::Error::Corrupt("an analysis cannot be written as CSV");
            let table = csv::csv(&shown, &model.content).map_err(damaged)?;
            for_programs(Reply::bytes(format.media_type(), table))
        }
        Format::Svg | Format::Markdown => {
            let model = gap_analyses::definition(tx, &shown.analysis)?;
            let words = languages.choose(&model.content);
            let reply = if format == Format::Svg {
                radar(&shown, &words)
            } else {
                report(shown, &words, next_steps)
            };
            (reply, format!("{}-{}", format.suffix(), words.language))
        }
    })
}

/// The analysis as a report; around the model's words stand sentences of ours.
fn report(shown: GapAnalysis, words: &InLanguage<'_>, next_steps: &[NextStep]) -> Reply {
    let analysis = shown.analysis.with_labels_of(&words.definition);
    let report = report::markdown(&GapAnalysis { analysis, ..shown }, &words.definition, next_steps);
    Reply::bytes(Format::Markdown.media_type(), report).with("Content-Language", content_language(words, true))
}

fn sealed(revised: &Revised<GapAnalysis>) -> Reply {
    let reply = Reply::found(revised);
    match revised.shown.id {
        Some(id) => reply.about(id.uuid()),
        None => reply,
    }
}

fn location(revised: &Revised<GapAnalysis>) -> String {
    revised
        .shown
        .id
        .map(|id| format!("/v1/gap-analyses/{id}"))
        .unwrap_or_default()
}

/// Create a gap analysis.
///
/// Analyses the named or the selected submitted assessments, and seals the result as version 1.
#[utoipa::path(
    tag = "Gap analyses",
    request_body(content = Request, example = json!({
        "title": "Spring review",
        "select": {"model": "meaningful-connections", "perspectives": ["service_user", "team"]}
    })),
    responses((status = 201, description = "The gap analysis", body = GapAnalysis), Problem),
    security(("bearer" = ["gap_analyses:write"])),
)]
#[post("/v1/gap-analyses")]
async fn create_gap_analysis(
    caller: Caller<WriteGapAnalyses>,
    body: Body<Request>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let body = body.0;
    let compute = move |tx: &mut Tx<'_>| computation::compute_checked(tx, body.clone());
    let seal = |tx: &mut Tx<'_>, computed: &Computed| {
        let created = gap_analyses::create(tx, computed)?;
        Ok(sealed(&created).created(location(&created)))
    };
    caller.write_computed(&db, compute, seal).await
}

/// Preview a gap analysis.
///
/// Analyses stored assessments, or ratings that are not stored. Nothing is kept.
#[utoipa::path(
    tag = "Gap analyses",
    request_body(content = Preview, example = json!({
        "model": "meaningful-connections",
        "ratings": [
            {"perspective": "service_user", "ratings": {"feelings.heard": {"current": "early_stages", "desired": "maturing"}}},
            {"perspective": "team", "ratings": {"feelings.heard": {"current": "maturing", "desired": "embedded"}}}
        ]
    })),
    responses((status = 200, description = "The preview", body = GapAnalysis), Problem),
    security(("bearer" = ["gap_analyses:read"])),
)]
#[post("/v1/gap-analyses/preview")]
async fn preview_gap_analysis(
    caller: Caller<ReadGapAnalyses>,
    body: Body<Preview>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let body = body.0;
    Ok(Reply::json(
        &caller
            .read(&db, move |tx| computation::preview(tx, body.clone()))
            .await?,
    ))
}

/// Get a gap analysis.
///
/// Its newest version: as JSON, as CSV (one row an element and perspective), as a radar chart of the current and desired
/// medians, or as a report that a team can read. Chart and report name elements, themes and levels in the reader's language,
/// where the model version is translated into it; the sentences around them are English. The report says what is being done, the
/// next steps, where the caller may read them (`next_steps:read`).
#[utoipa::path(
    tag = "Gap analyses",
    params(GapAnalysisPath, FormatQuery),
    responses(
        (status = 200, description = "The gap analysis", content(
            (GapAnalysis = "application/json"), (String = "text/csv"), (String = "image/svg+xml"), (String = "text/markdown"),
        )),
        Problem,
    ),
    security(("bearer" = ["gap_analyses:read"]), ("respondent" = [])),
)]
#[get("/v1/gap-analyses/{gap_analysis}")]
async fn get_gap_analysis(
    caller: Voice<ReadGapAnalyses>,
    path: Path<GapAnalysisPath>,
    Query(query): Query<FormatQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let format = format(caller.request(), query, FORMATS)?;
    let languages = Languages::of(caller.request());
    let id = path.id()?;
    let shows_steps = format == Format::Markdown && caller.scopes().contains(ReadNextSteps::SCOPE);
    let respondent = caller.actor().respondent;
    let work = move |tx: &mut Tx<'_>| {
        if let Some(respondent) = respondent {
            respondents::reads_gap_analysis(tx, &respondent, id)?;
        }
        let found = gap_analyses::get(tx, id)?;
        let steps = if shows_steps {
            Some(next_steps::of_analysis(tx, id)?)
        } else {
            None
        };
        let (next_steps, revisions) = steps.map_or_else(Default::default, |(steps, sum)| (steps, format!("-{sum}")));
        let (reply, suffix) = rendered(tx, format, &languages, found.shown, &next_steps)?;
        let representation = format!("{}{revisions}", suffix.trim_start_matches('-'));
        Ok(reply.tagged(etag(found.revision, &representation)))
    };
    caller.read(&db, work).await
}

/// Recompute a gap analysis.
///
/// Resolves its assessments anew, without those that were withdrawn since, and seals the next version: 201; or, where
/// assessments, baseline and formula are the same, none: 200.
#[utoipa::path(
    tag = "Gap analyses",
    params(GapAnalysisPath),
    responses(
        (status = 200, description = "The version that still stands", body = GapAnalysis),
        (status = 201, description = "The next version", body = GapAnalysis),
        Problem,
    ),
    security(("bearer" = ["gap_analyses:write"])),
)]
#[post("/v1/gap-analyses/{gap_analysis}/recompute")]
async fn recompute_gap_analysis(
    caller: Caller<WriteGapAnalyses>,
    path: Path<GapAnalysisPath>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, expected): (_, Expected) = (path.id()?, caller.expected()?);
    let sealing = expected.clone();
    let compute = move |tx: &mut Tx<'_>| gap_analyses::recompute(tx, id, &expected);
    let seal = move |tx: &mut Tx<'_>, computed: &Computed| {
        Ok(match gap_analyses::seal_recomputed(tx, id, &sealing, computed)? {
            Recomputed::Same(revised) => sealed(&revised),
            Recomputed::Next(revised) => sealed(&revised).created(location(&revised)),
        })
    };
    caller.write_computed(&db, compute, seal).await
}

/// List a gap analysis's versions.
///
/// Newest first, without what they say. Numbers of erased versions are never given again.
#[utoipa::path(
    tag = "Gap analyses",
    params(GapAnalysisPath, PageQuery),
    responses((status = 200, description = "A page of versions", body = List<VersionItem>), Problem),
    security(("bearer" = ["gap_analyses:read"])),
)]
#[get("/v1/gap-analyses/{gap_analysis}/versions")]
async fn list_gap_analysis_versions(
    caller: Caller<ReadGapAnalyses>,
    path: Path<GapAnalysisPath>,
    Query(query): Query<PageQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let id = path.id()?;
    let paging = Paging::of(&caller, query.limit, query.cursor.as_deref())?;
    let page = paging.page();
    let (lines, next) = caller
        .read(&db, move |tx| gap_analyses::versions(tx, id, &page))
        .await?;
    Ok(paging.reply(lines.into_iter().map(VersionItem::from).collect(), next))
}

/// Get a version of a gap analysis.
///
/// It never changes; it is erased with any assessment that it counted. Its report has no next steps, which go on changing: the report
/// of the gap analysis itself has them.
#[utoipa::path(
    tag = "Gap analyses",
    params(GapAnalysisVersionPath, FormatQuery),
    responses(
        (status = 200, description = "The version", content(
            (GapAnalysis = "application/json"), (String = "text/csv"), (String = "image/svg+xml"), (String = "text/markdown"),
        )),
        Problem,
    ),
    security(("bearer" = ["gap_analyses:read"])),
)]
#[get("/v1/gap-analyses/{gap_analysis}/versions/{version}")]
async fn get_gap_analysis_version(
    caller: Caller<ReadGapAnalyses>,
    path: Path<GapAnalysisVersionPath>,
    Query(query): Query<FormatQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let format = format(caller.request(), query, FORMATS)?;
    let languages = Languages::of(caller.request());
    let (id, version) = (id(&path.gap_analysis, "gap analysis")?, version(&path.version)?);
    let work = move |tx: &mut Tx<'_>| {
        let shown = gap_analyses::version(tx, id, version)?;
        let digest = shown.seal.as_ref().map(|seal| seal.digest.clone());
        let (reply, suffix) = rendered(tx, format, &languages, shown, &[])?;
        Ok(match digest {
            Some(digest) => reply.tagged(format!("\"{}{suffix}\"", digest.as_str())),
            None => reply,
        })
    };
    caller.read(&db, work).await
}

/// Compare two versions of a gap analysis.
///
/// All that differs, as a JSON Patch.
#[utoipa::path(
    tag = "Gap analyses",
    params(GapAnalysisVersionPath, DiffQuery),
    responses((status = 200, description = "What differs", body = Diff), Problem),
    security(("bearer" = ["gap_analyses:read"])),
)]
#[get("/v1/gap-analyses/{gap_analysis}/versions/{version}/diff")]
async fn diff_gap_analysis_versions(
    caller: Caller<ReadGapAnalyses>,
    path: Path<GapAnalysisVersionPath>,
    Query(query): Query<DiffQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, to) = (id(&path.gap_analysis, "gap analysis")?, version(&path.version)?);
    let from = required(query.from, "from")?;
    Ok(Reply::json(
        &caller.read(&db, move |tx| gap_analyses::diff(tx, id, from, to)).await?,
    ))
}
