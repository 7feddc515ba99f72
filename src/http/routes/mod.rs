//! The routes, a file a noun: parse, call, reply.

pub mod agreed_readings;
pub mod assessment_actions;
pub mod assessment_versions;
pub mod assessments;
pub mod clients;
pub mod constellations;
pub mod gap_analyses;
pub mod gap_analysis_charts;
pub mod gap_analysis_lists;
pub mod invitations;
pub mod model_versions;
pub mod models;
pub mod next_steps;
pub mod oauth;
pub mod operations;
pub mod organisation;
pub mod perspectives;
pub mod qr_codes;
pub mod redemption;
pub mod relationships;
pub mod root;
pub mod rounds;
pub mod translations;
pub mod well_known;

use actix_web::guard::{GuardContext, fn_guard};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::{scope, service_config::ServiceConfig};

use super::{problem::Problem, query::Limit};
use crate::{
    domain::{
        id::Id,
        life_cycle::{Seal, Version},
    },
    store::journal::Line,
};

/// Every route of the API. Routes are tried one after the other: the nouns that are asked for most come first.
pub fn configure(config: &mut ServiceConfig<'_>) {
    beneath(config, "/v1/assessments", |config| {
        assessments::configure(config);
        assessment_actions::configure(config);
        assessment_versions::configure(config);
    });
    beneath(config, "/v1/models", |config| {
        model_versions::configure(config);
        models::configure(config);
        translations::configure(config);
    });
    beneath(config, "/v1/gap-analyses", |config| {
        gap_analysis_lists::configure(config);
        gap_analyses::configure(config);
        gap_analysis_charts::configure(config);
    });
    beneath(config, "/v1/perspectives", perspectives::configure);
    beneath(config, "/v1/constellations", constellations::configure);
    beneath(config, "/v1/rounds", |config| {
        rounds::configure(config);
        invitations::configure(config);
        agreed_readings::configure(config);
    });
    beneath(config, "/v1/next-steps", next_steps::configure);
    beneath(config, "/v1/relationships", relationships::configure);
    beneath(config, "/v1/clients", clients::configure);
    redemption::configure(config);
    qr_codes::configure(config);
    organisation::configure(config);
    oauth::configure(config);
    operations::configure(config);
    well_known::configure(config);
    root::configure(config);
}

/// Routes that are tried only for paths that begin so: those with parameters are regular expressions.
fn beneath(config: &mut ServiceConfig<'_>, start: &'static str, routes: impl FnOnce(&mut ServiceConfig<'_>)) {
    let begins_so = move |context: &GuardContext<'_>| {
        // An escape may stand for any letter (RFC 3986, section 2.3).
        let path = percent_decode_str(context.head().uri.path());
        path.take(start.len()).eq(start.bytes())
    };
    config.service(scope::scope("").guard(fn_guard(begins_so)).configure(routes));
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
