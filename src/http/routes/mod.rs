//! The routes, a file a noun: parse, call, reply.

pub mod assessment_actions;
pub mod assessment_versions;
pub mod assessments;
pub mod clients;
pub mod gap_analyses;
pub mod model_versions;
pub mod models;
pub mod oauth;
pub mod operations;
pub mod organisation;
pub mod perspectives;
pub mod root;
pub mod translations;
pub mod well_known;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{problem::Problem, query::Limit};
use crate::{
    domain::{
        id::Id,
        life_cycle::{Seal, Version},
    },
    store::journal::Line,
};

/// Every route of the API.
pub fn configure(config: &mut ServiceConfig<'_>) {
    root::configure(config);
    operations::configure(config);
    oauth::configure(config);
    well_known::configure(config);
    organisation::configure(config);
    clients::configure(config);
    models::configure(config);
    model_versions::configure(config);
    translations::configure(config);
    perspectives::configure(config);
    assessments::configure(config);
    assessment_actions::configure(config);
    assessment_versions::configure(config);
    gap_analyses::configure(config);
}

/// A page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many items a page holds.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<Limit>,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(nullable = false, max_length = 1000, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

/// Which version to compare with.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DiffQuery {
    /// The version to compare from.
    #[param(value_type = i32, minimum = 1, required = true, nullable = false, example = 1)]
    from: Option<Version>,
}

/// A line in the list of a resource's versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct VersionItem {
    /// The number, 1 or more.
    #[schema(value_type = i32, minimum = 1)]
    pub version: Version,
    /// Its seal.
    #[serde(flatten)]
    #[schema(inline)]
    pub seal: Seal,
}

impl From<Line> for VersionItem {
    fn from(line: Line) -> Self {
        Self {
            version: line.version,
            seal: line.seal(),
        }
    }
}

/// The id in a path. A malformed one is an id of nothing.
fn id<K>(text: &str, what: &str) -> Result<Id<K>, Problem> {
    text.parse().map_err(|_| Problem::not_found(what))
}

/// The number of a version in a path. A malformed one is the number of nothing.
fn version(text: &str) -> Result<Version, Problem> {
    match text.parse() {
        Ok(number @ 1..) if text.starts_with(|c: char| c.is_ascii_digit()) => Ok(number),
        _ => Err(Problem::not_found("version")),
    }
}
