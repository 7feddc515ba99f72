//! Gap analyses as charts.

use actix_web::{
    get,
    web::{Data, Path},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::id;
use crate::{
    auth::scope::ReadGapAnalyses,
    domain::{
        gap_analysis::GapAnalysis,
        model::{Definition, LANGUAGE},
        slug::Slug,
    },
    http::{
        caller::Caller,
        problem::{self, Problem},
        query::Query,
        render::{
            charts::{self, Chart, Labels, Whose},
            svg::Theme,
        },
        reply::{Reply, etag},
    },
    service::gap_analyses,
    store::db::{Db, Tx},
};

/// Registers the route.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config.service(get_gap_analysis_chart);
}

/// Names a chart of a gap analysis.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct ChartPath {
    /// The gap analysis's id.
    #[param(format = Uuid, example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    gap_analysis: String,
    /// The chart.
    #[param(value_type = Chart, inline, example = "radar")]
    chart: String,
}

/// How to draw a chart, and of whose readings.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ChartQuery {
    /// On which ground to draw; `light` where it is not said.
    #[param(nullable = false, inline)]
    theme: Option<Theme>,
    /// The perspective whose readings to draw; `all` counts everybody together. Where none is named, a radar and a distribution
    /// show `all`, a dumbbell and a heat map each perspective.
    #[param(nullable = false, value_type = Option<Slug>, example = "service_user")]
    perspective: Option<Slug>,
    /// A second perspective, or `all`: laid over the first, or the other end.
    #[param(nullable = false, value_type = Option<Slug>, example = "team")]
    compare: Option<Slug>,
}

/// The radar of everybody: a gap analysis as a picture.
pub(super) fn radar(shown: &GapAnalysis, definition: &Definition) -> Reply {
    let labels = Labels::of(definition, LANGUAGE);
    Reply::picture(Chart::Radar.draw(shown, labels, &[Whose::All], Theme::Light))
}

/// Get a chart of a gap analysis.
///
/// Its newest version as a picture: a radar of the themes, a dumbbell of the perception gaps, a heat map of elements and
/// perspectives, or the distribution of the ratings. Each has a title, a description, and all its figures in words, for who
/// hears it.
#[utoipa::path(
    tag = "Gap analyses",
    params(ChartPath, ChartQuery),
    responses((status = 200, description = "The chart", content((String = "image/svg+xml"))), Problem),
    security(("bearer" = ["gap_analyses:read"])),
)]
#[get("/v1/gap-analyses/{gap_analysis}/charts/{chart}")]
async fn get_gap_analysis_chart(
    caller: Caller<ReadGapAnalyses>,
    path: Path<ChartPath>,
    Query(query): Query<ChartQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let id = id(&path.gap_analysis, "gap analysis")?;
    let chart = Chart::of_name(&path.chart).ok_or_else(|| Problem::not_found("chart"))?;
    let work = move |tx: &mut Tx<'_>| {
        let found = gap_analyses::get(tx, id)?;
        let analysis = &found.shown.analysis;
        let whose = match charts::whose(chart, analysis, query.perspective.as_ref(), query.compare.as_ref()) {
            Ok(whose) => whose,
            Err(faults) => {
                let detail = format!("The query has {} fault(s).", faults.len());
                return Ok(Err(
                    Problem::new(&problem::INVALID_PARAMETER, detail).with_faults(faults)
                ));
            }
        };
        let sealed = gap_analyses::definition(tx, analysis)?;
        let labels = Labels::of(&sealed.content, LANGUAGE);
        let svg = chart.draw(&found.shown, labels, &whose, query.theme.unwrap_or_default());
        let tag = etag(found.revision, &format!("{}-{LANGUAGE}", chart.name()));
        Ok(Ok(Reply::picture(svg).tagged(tag).with("Content-Language", LANGUAGE)))
    };
    caller.read(&db, work).await?
}
