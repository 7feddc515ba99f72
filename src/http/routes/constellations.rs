//! Constellations.

use actix_web::{
    get, patch, post,
    web::{self, Data, Path},
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{DiffQuery, PageQuery, VersionItem, id, version};
use crate::{
    auth::scope::{ReadConstellations, ReadGapAnalyses, Requires, WriteConstellations},
    domain::{
        constellation::{Authored, Constellation, ConstellationItem},
        fault::Fault,
        id::{ConstellationId, GapAnalysisId},
    },
    http::{
        body::Body,
        caller::Caller,
        negotiate::{Format, FormatQuery, format},
        paging::Paging,
        problem::{self, Problem},
        query::{ExternalIdParameter, Limit, Query, required},
        render::{
            constellation::{graphml, mermaid, svg},
            svg::Theme,
        },
        reply::{Caching, List, Reply, etag},
    },
    service::{
        constellations::{self, PatchConstellation, Weighed},
        diff::Diff,
    },
    store::db::{Db, Tx},
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(list_constellations)
        .service(create_constellation)
        .service(get_constellation)
        .service(patch_constellation)
        .service(list_constellation_versions)
        .service(get_constellation_version)
        .service(diff_constellation_versions);
}

/// Names a constellation.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct ConstellationPath {
    /// The constellation's id.
    #[param(format = Uuid, example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    constellation: String,
}

impl ConstellationPath {
    fn id(&self) -> Result<ConstellationId, Problem> {
        id(&self.constellation, "constellation")
    }
}

/// Names a version of a constellation.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct ConstellationVersionPath {
    /// The constellation's id.
    #[param(format = Uuid, example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    constellation: String,
    /// The version, 1 or more.
    #[param(value_type = i32, minimum = 1, example = 1)]
    version: String,
}

impl ConstellationVersionPath {
    fn id(&self) -> Result<ConstellationId, Problem> {
        id(&self.constellation, "constellation")
    }
}

/// Which constellations to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ConstellationsQuery {
    /// With this name in another system, as `system|value`.
    #[param(nullable = false, value_type = Option<String>, max_length = 401, pattern = r"^[^|\x00-\x1f\x7f-\x9f\ufffd]+\|[^\x00-\x1f\x7f-\x9f\ufffd]+$", example = "https://crm.example.org|service-12")]
    external_id: Option<ExternalIdParameter>,
    /// How many items a page holds.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<Limit>,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(nullable = false, max_length = 1000, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// How to show a constellation.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DrawingQuery {
    /// The representation to send, whatever `Accept` says.
    #[param(nullable = false, inline)]
    format: Option<Format>,
    /// On which ground a picture is drawn.
    #[param(nullable = false, inline)]
    theme: Option<Theme>,
    /// Mark in the picture how the relationships stand, and which are the weakest, by this gap analysis. Needs the scope
    /// `gap_analyses:read` as well.
    #[param(nullable = false, value_type = Option<GapAnalysisId>)]
    gap_analysis: Option<GapAnalysisId>,
}

/// How to show a version of a constellation.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct VersionDrawingQuery {
    /// The representation to send, whatever `Accept` says.
    #[param(nullable = false, inline)]
    format: Option<Format>,
    /// On which ground a picture is drawn.
    #[param(nullable = false, inline)]
    theme: Option<Theme>,
}

const FORMATS: &[Format] = &[Format::Json, Format::Svg, Format::Mermaid, Format::GraphMl];

/// The constellation in this form. A large one takes a while to draw: neither a worker nor a database's thread waits for it.
async fn rendered(
    format: Format,
    theme: Theme,
    shown: Constellation,
    weighed: Option<Weighed>,
) -> Result<Reply, Problem> {
    Ok(match format {
        Format::Svg => {
            let drawn = web::block(move || svg(&shown, theme, weighed.as_ref())).await;
            Reply::picture(drawn.map_err(|_| Problem::new(&problem::INTERNAL, "The picture could not be drawn."))?)
        }
        Format::Mermaid => Reply::bytes(format.media_type(), mermaid(&shown)),
        Format::GraphMl => Reply::bytes(format.media_type(), graphml(&shown)),
        Format::Json | Format::Csv | Format::Markdown => Reply::json(&shown),
    })
}

/// List constellations.
///
/// The organisation's own, newest first, without their parties and relationships.
#[utoipa::path(
    tag = "Constellations",
    params(ConstellationsQuery),
    responses((status = 200, description = "A page of constellations", body = List<ConstellationItem>), Problem),
    security(("bearer" = ["constellations:read"])),
)]
#[get("/v1/constellations")]
async fn list_constellations(
    caller: Caller<ReadConstellations>,
    Query(query): Query<ConstellationsQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let paging = Paging::of(&caller, query.limit, query.cursor.as_deref())?;
    let page = paging.page();
    let name = query.external_id.map(|ExternalIdParameter(name)| name);
    let (items, next) = caller
        .read(&db, move |tx| constellations::list(tx, name.as_ref(), &page))
        .await?;
    Ok(paging.reply(items, next))
}

/// Create a constellation.
///
/// Seals its version 1 at once: constellations have no draft. At most 50 parties and 200 relationships. No personal data is
/// needed: a party's label is a role.
#[utoipa::path(
    tag = "Constellations",
    request_body(content = Authored, example = json!({
        "title": "Supported housing",
        "parties": [
            {"key": "residents", "kind": "service_user", "label": "Residents"},
            {"key": "key_worker", "kind": "team_member", "label": "Key worker"}
        ],
        "relationships": [
            {"from": "key_worker", "to": "residents", "cardinality": {"from": "one", "to": "some"}, "setting": "hybrid",
             "label": "Weekly visits"},
            {"from": "residents", "to": "residents", "cardinality": {"from": "many", "to": "many"}, "label": "Peer support"}
        ]
    })),
    responses((status = 201, description = "The constellation", body = Constellation), Problem),
    security(("bearer" = ["constellations:write"])),
)]
#[post("/v1/constellations")]
async fn create_constellation(
    caller: Caller<WriteConstellations>,
    body: Body<Authored>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let body = body.0;
    let work = move |tx: &mut Tx<'_>| {
        let created = constellations::create(tx, body.clone())?;
        let location = format!("/v1/constellations/{}", created.shown.id);
        Ok(Reply::found(&created).created(location).about(created.shown.id.uuid()))
    };
    caller.write(&db, work).await
}

/// Get a constellation.
///
/// Its newest version: as JSON; as a picture of what stands today, in which how the relationships stand by a gap analysis can be
/// marked; as a Mermaid flowchart of the same; or as `GraphML`, what is retired included.
#[utoipa::path(
    tag = "Constellations",
    params(ConstellationPath, DrawingQuery),
    responses(
        (status = 200, description = "The constellation", content(
            (Constellation = "application/json"), (String = "image/svg+xml"), (String = "text/vnd.mermaid"),
            (String = "application/graphml+xml"),
        )),
        Problem,
    ),
    security(("bearer" = ["constellations:read"])),
)]
#[get("/v1/constellations/{constellation}")]
async fn get_constellation(
    caller: Caller<ReadConstellations>,
    path: Path<ConstellationPath>,
    Query(query): Query<DrawingQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let DrawingQuery {
        format,
        theme,
        gap_analysis,
    } = query;
    let format = self::format(caller.request(), FormatQuery { format }, FORMATS)?;
    if gap_analysis.is_some() {
        if !caller.scopes().contains(ReadGapAnalyses::SCOPE) {
            return Err(Problem::insufficient_scope(ReadGapAnalyses::SCOPE.as_str()));
        }
        if format != Format::Svg {
            let fault = Fault::new("/gap_analysis", "invalid", "Only a picture shows a gap analysis.");
            let problem = Problem::new(&problem::INVALID_PARAMETER, "The representation shows no gap analysis.");
            return Err(problem.with_faults(vec![fault]));
        }
    }
    let id = path.id()?;
    let work = move |tx: &mut Tx<'_>| {
        let found = constellations::get(tx, id)?;
        let weighed = gap_analysis
            .map(|id| constellations::weighed(tx, &found.shown, id))
            .transpose()?;
        Ok((found, weighed))
    };
    let (found, weighed) = caller.read(&db, work).await?;
    let form = format.suffix().trim_start_matches('-');
    let representation = match &weighed {
        Some(weighed) => format!("{form}-{}", weighed.version),
        None => form.to_owned(),
    };
    let reply = rendered(format, theme.unwrap_or_default(), found.shown, weighed).await?;
    Ok(reply.tagged(etag(found.revision, &representation)))
}

/// Change a constellation.
///
/// A JSON merge patch (RFC 7396). Seals the next version at once. Lists are replaced as a whole: get them, change them, and
/// send them back. A relationship with its `id` is the one that it was, one without is new. What an assessment names cannot
/// vanish: a relationship that is left out then stays, retired, as do the parties it refers to; whatever is named again
/// without `retired` is back. Between whom it is does not change any more either.
#[utoipa::path(
    tag = "Constellations",
    params(ConstellationPath),
    request_body(content = PatchConstellation, content_type = "application/merge-patch+json", example = json!({
        "description": "Four houses, one team."
    })),
    responses((status = 200, description = "The next version", body = Constellation), Problem),
    security(("bearer" = ["constellations:write"])),
)]
#[patch("/v1/constellations/{constellation}")]
async fn patch_constellation(
    caller: Caller<WriteConstellations>,
    path: Path<ConstellationPath>,
    body: Body<Value>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, expected, body) = (path.id()?, caller.expected()?, body.0);
    caller
        .write(&db, move |tx| {
            Ok(Reply::found(&constellations::patch(tx, id, &expected, body.clone())?))
        })
        .await
}

/// List a constellation's versions.
///
/// Newest first, without what they say.
#[utoipa::path(
    tag = "Constellations",
    params(ConstellationPath, PageQuery),
    responses((status = 200, description = "A page of versions", body = List<VersionItem>), Problem),
    security(("bearer" = ["constellations:read"])),
)]
#[get("/v1/constellations/{constellation}/versions")]
async fn list_constellation_versions(
    caller: Caller<ReadConstellations>,
    path: Path<ConstellationPath>,
    Query(query): Query<PageQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let id = path.id()?;
    let paging = Paging::of(&caller, query.limit, query.cursor.as_deref())?;
    let page = paging.page();
    let (lines, next) = caller
        .read(&db, move |tx| constellations::versions(tx, id, &page))
        .await?;
    Ok(paging.reply(lines.into_iter().map(VersionItem::from).collect(), next))
}

/// Get a version of a constellation.
///
/// It never changes. The same forms as of the constellation itself.
#[utoipa::path(
    tag = "Constellations",
    params(ConstellationVersionPath, VersionDrawingQuery),
    responses(
        (status = 200, description = "The version", content(
            (Constellation = "application/json"), (String = "image/svg+xml"), (String = "text/vnd.mermaid"),
            (String = "application/graphml+xml"),
        )),
        Problem,
    ),
    security(("bearer" = ["constellations:read"])),
)]
#[get("/v1/constellations/{constellation}/versions/{version}")]
async fn get_constellation_version(
    caller: Caller<ReadConstellations>,
    path: Path<ConstellationVersionPath>,
    Query(query): Query<VersionDrawingQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let VersionDrawingQuery { format, theme } = query;
    let format = self::format(caller.request(), FormatQuery { format }, FORMATS)?;
    let (id, version) = (path.id()?, version(&path.version)?);
    let shown = caller
        .read(&db, move |tx| constellations::version(tx, id, version))
        .await?;
    let digest = shown.seal.as_ref().map(|seal| seal.digest.as_str().to_owned());
    let reply = rendered(format, theme.unwrap_or_default(), shown, None).await?;
    let tagged = reply.tagged(format!("\"{}{}\"", digest.unwrap_or_default(), format.suffix()));
    // How a picture is drawn may change, unlike what the version says.
    Ok(if format == Format::Json {
        tagged.cached(Caching::ForCaller)
    } else {
        tagged
    })
}

/// Compare two versions of a constellation.
///
/// All that differs, as a JSON Patch.
#[utoipa::path(
    tag = "Constellations",
    params(ConstellationVersionPath, DiffQuery),
    responses((status = 200, description = "What differs", body = Diff), Problem),
    security(("bearer" = ["constellations:read"])),
)]
#[get("/v1/constellations/{constellation}/versions/{version}/diff")]
async fn diff_constellation_versions(
    caller: Caller<ReadConstellations>,
    path: Path<ConstellationVersionPath>,
    Query(query): Query<DiffQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let (id, to) = (path.id()?, version(&path.version)?);
    let from = required(query.from, "from")?;
    Ok(Reply::json(
        &caller
            .read(&db, move |tx| constellations::diff(tx, id, from, to))
            .await?,
    ))
}
