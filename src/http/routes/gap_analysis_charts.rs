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
    domain::{gap_analysis::GapAnalysis, model::InLanguage, slug::Slug},
    http::{
        negotiate::{Languages, content_language},
        problem::Problem,
        query::{Query, refused},
        render::{
            charts::{self, Chart, Labels, Whose},
            svg::Theme,
        },
        reply::{Reply, etag},
        voice::Voice,
    },
    service::{gap_analyses, respondents},
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

/// A picture of an analysis; around the model's words stand sentences of ours.
fn drawn(chart: Chart, shown: &GapAnalysis, words: &InLanguage<'_>, whose: &[Whose], theme: Theme) -> Reply {
    let labels = Labels::of(&words.definition, words.language.as_str());
    Reply::picture(chart.draw(shown, labels, whose, theme)).with("Content-Language", content_language(words, true))
}

/// The radar of everybody: a gap analysis as a picture.
pub(super) fn radar(shown: &GapAnalysis, words: &InLanguage<'_>) -> Reply {
    drawn(Chart::Radar, shown, words, &[Whose::All], Theme::Light)
}

/// Get a chart of a gap analysis.
///
/// Its newest version as a picture: a radar of the themes, a dumbbell of the perception gaps, a heat map of elements and
/// perspectives, or the distribution of the ratings. Each has a title, a description, and all its figures in words, for who
/// hears it. Elements, themes and levels are named in the reader's language, where the model version is translated into it.
#[utoipa::path(
    tag = "Gap analyses",
    params(ChartPath, ChartQuery),
    responses((status = 200, description = "The chart", content((String = "image/svg+xml"))), Problem),
    security(("bearer" = ["gap_analyses:read"]), ("respondent" = [])),
)]
#[get("/v1/gap-analyses/{gap_analysis}/charts/{chart}")]
async fn get_gap_analysis_chart(
    caller: Voice<ReadGapAnalyses>,
    path: Path<ChartPath>,
    Query(query): Query<ChartQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let id = id(&path.gap_analysis, "gap analysis")?;
    let chart = Chart::of_name(&path.chart).ok_or_else(|| Problem::not_found("chart"))?;
    let languages = Languages::of(caller.request());
    let respondent = caller.actor().respondent;
    let work = move |tx: &mut Tx<'_>| {
        if let Some(respondent) = respondent {
            respondents::reads_gap_analysis(tx, &respondent, id)?;
        }
        let found = gap_analyses::get(tx, id)?;
        let analysis = &found.shown.analysis;
        let whose = match charts::whose(chart, analysis, query.perspective.as_ref(), query.compare.as_ref()) {
            Ok(whose) => whose,
            Err(faults) => return Ok(Err(refused(faults))),
        };
        let model = gap_analyses::definition(tx, analysis)?;
        let words = languages.choose(&model.content);
        let reply = drawn(chart, &found.shown, &words, &whose, query.theme.unwrap_or_default());
        let representation = format!("{}-{}", chart.name(), words.language);
        Ok(Ok(reply.tagged(etag(found.revision, &representation))))
    };
    caller.read(&db, work).await?
}
