//! Lists of gap analyses.

use actix_web::{get, web::Data};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    auth::scope::ReadGapAnalyses,
    domain::{
        gap_analysis::GapAnalysisItem,
        id::{RelationshipId, RoundId},
        moment::{DateOrTime, Moment},
    },
    http::{
        caller::Caller,
        paging::Paging,
        problem::Problem,
        query::{Limit, Query},
        reply::{List, Reply},
    },
    service::gap_analyses,
    store::{db::Db, gap_analysis_lists::Filter},
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config.service(list_gap_analyses);
}

/// Which gap analyses to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct GapAnalysesQuery {
    /// Changed at or after (RFC 3339, or a date); orders by the last change, oldest first.
    #[param(nullable = false, value_type = Option<DateOrTime>, example = "2026-01-01")]
    updated_since: Option<Moment>,
    /// What this round found.
    #[param(nullable = false, value_type = Option<RoundId>)]
    round: Option<RoundId>,
    /// What rounds about this relationship found.
    #[param(nullable = false, value_type = Option<RelationshipId>)]
    relationship: Option<RelationshipId>,
    /// How many items a page holds.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<Limit>,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(nullable = false, max_length = 1000, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// List gap analyses.
///
/// The organisation's own, without their inputs, readings and findings: newest first or, with `updated_since`, the longest
/// unchanged first.
#[utoipa::path(
    tag = "Gap analyses",
    params(GapAnalysesQuery),
    responses((status = 200, description = "A page of gap analyses", body = List<GapAnalysisItem>), Problem),
    security(("bearer" = ["gap_analyses:read"])),
)]
#[get("/v1/gap-analyses")]
async fn list_gap_analyses(
    caller: Caller<ReadGapAnalyses>,
    Query(query): Query<GapAnalysesQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let paging = Paging::of(&caller, query.limit, query.cursor.as_deref())?;
    let page = paging.page();
    let filter = Filter {
        updated_since: query.updated_since,
        round: query.round,
        relationship: query.relationship,
    };
    let (items, next) = caller
        .read(&db, move |tx| gap_analyses::list(tx, &filter, &page))
        .await?;
    Ok(paging.reply(items, next))
}
