//! Relationships, through all the rounds about them.

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
        digest::Digest,
        fault::Fault,
        gap_analysis::timeline::{Filter, Timeline},
        id::RelationshipId,
        language::OWN,
        model::Definition,
        perspective::ALL,
        slug::{ElementKey, Slug, is_key},
    },
    http::{
        caller::Caller,
        negotiate::{Format, FormatQuery, Languages, content_language, format},
        problem::Problem,
        query::{Query, refused},
        render::{
            charts::{Labels, timeline},
            svg::Theme,
        },
        reply::Reply,
    },
    service,
    store::db::{Db, Tx},
};

/// Registers the route.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config.service(get_relationship_timeline);
}

/// Names a relationship.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct RelationshipPath {
    /// The relationship's id.
    #[param(format = Uuid, example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    relationship: String,
}

/// Which series to tell, and how to draw them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TimelineQuery {
    /// Of this perspective; `all` is everybody together. Where none is named, a picture shows every perspective of one element, and
    /// everybody together of several.
    #[param(nullable = false, value_type = Option<Slug>, example = "service_user")]
    perspective: Option<Slug>,
    /// Of this element.
    #[param(nullable = false, value_type = Option<ElementKey>, example = "feelings.heard")]
    element: Option<ElementKey>,
    /// Of the elements of this theme of the model; `safety` for the considerations.
    #[param(
        nullable = false,
        max_length = 60,
        pattern = "^[a-z][a-z0-9_]{0,59}$",
        example = "feelings"
    )]
    theme_key: Option<String>,
    /// On which ground a picture is drawn.
    #[param(nullable = false, inline)]
    theme: Option<Theme>,
    /// The representation to send, whatever `Accept` says.
    #[param(nullable = false, inline)]
    format: Option<Format>,
}

const FORMATS: &[Format] = &[Format::Json, Format::Svg];

/// Get a relationship's timeline.
///
/// The medians of every revealed round about the relationship, by perspective and element, as series that are ready to plot; where
/// there is no point, `null`, and the reason: withheld, unrated, not heard, or not in the round's model. Or a line chart of the
/// current medians. What is asked for and no round knows is a fault of the query, once there is a round.
#[utoipa::path(
    tag = "Gap analyses",
    params(RelationshipPath, TimelineQuery),
    responses(
        (status = 200, description = "The timeline", content((Timeline = "application/json"), (String = "image/svg+xml"))),
        Problem,
    ),
    security(("bearer" = ["gap_analyses:read"])),
)]
#[get("/v1/relationships/{relationship}/timeline")]
async fn get_relationship_timeline(
    caller: Caller<ReadGapAnalyses>,
    path: Path<RelationshipPath>,
    Query(query): Query<TimelineQuery>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let TimelineQuery {
        format: named, theme, ..
    } = query;
    let format = format(caller.request(), FormatQuery { format: named }, FORMATS)?;
    let id: RelationshipId = id(&path.relationship, "relationship")?;
    let filter = filter(query, format)?;
    let languages = Languages::of(caller.request());
    let work = move |tx: &mut Tx<'_>| {
        let (told, model) = match service::timeline::of_relationship(tx, id, &filter)? {
            Ok(told) => told,
            Err(faults) => return Ok(Err(refused(faults))),
        };
        let ground = match theme {
            Some(Theme::Dark) if format == Format::Svg => "-dark",
            _ => "",
        };
        let tag = format!("{}{}{ground}", Digest::of(&told)?.as_str(), format.suffix());
        Ok(Ok(match format {
            Format::Svg => {
                let none = Definition::default();
                let words = languages.choose(model.as_ref().map_or(&none, |model| &model.content));
                let labels = Labels::of(&words.definition, words.language.as_str());
                Reply::picture(timeline::svg(&told, &labels, theme.unwrap_or_default()))
                    .tagged(format!("\"{tag}-{}\"", words.language))
                    .with("Content-Language", content_language(&words, true))
            }
            _ => Reply::json(&told)
                .tagged(format!("\"{tag}\""))
                .with("Content-Language", OWN),
        }))
    };
    caller.read(&db, work).await?
}

/// Which series are meant. A picture of all that there is would be too much to see.
fn filter(query: TimelineQuery, format: Format) -> Result<Filter, Problem> {
    if query.theme_key.as_deref().is_some_and(|key| !is_key(key)) {
        let fault = Fault::new("/theme_key", "pattern", "This is not the key of a theme.");
        return Err(refused(vec![fault]));
    }
    let mut filter = Filter {
        perspective: query.perspective,
        element: query.element,
        theme: query.theme_key,
    };
    if format == Format::Svg && filter.perspective.is_none() && filter.element.is_none() {
        filter.perspective = ALL.parse().ok();
    }
    Ok(filter)
}
