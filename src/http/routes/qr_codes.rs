//! Invitations as QR codes.

use actix_web::post;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    auth::scope::WriteRounds,
    domain::fault::Broken,
    http::{
        body::Body,
        caller::Caller,
        problem::Problem,
        render::qr,
        reply::{Caching, Reply},
    },
};

/// Registers the route.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config.service(draw_invitation);
}

/// What a QR code says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct DrawInvitation {
    /// The invitation's `url`, or its `token`.
    #[schema(
        min_length = 1,
        max_length = 543,
        pattern = "^[!-~]+$",
        example = "https://answer.example.org/#q2mJk4n0dYw0s2Cq3vTjKQ8m1Yb7xZfLr6HhP5uEoNA"
    )]
    url: String,
}

/// Draw an invitation as a QR code.
///
/// Of the link or the token as its creation answered with it: the service does not know them any more. They come in the body, so that no
/// log on the way has them, and nothing is kept.
#[utoipa::path(
    tag = "Invitations",
    request_body(content = DrawInvitation, example = json!({
        "url": "https://answer.example.org/#q2mJk4n0dYw0s2Cq3vTjKQ8m1Yb7xZfLr6HhP5uEoNA"
    })),
    responses((status = 200, description = "The picture", content((String = "image/svg+xml"))), Problem),
    security(("bearer" = ["rounds:write"])),
)]
#[post("/v1/invitations/qr-code")]
async fn draw_invitation(_: Caller<WriteRounds>, body: Body<DrawInvitation>) -> Result<Reply, Problem> {
    let DrawInvitation { url } = body.0.valid()?;
    let too_long = || Broken::fault("/url", "max_length", "This is longer than a QR code holds.");
    Ok(Reply::picture(qr::svg(&url).ok_or_else(too_long)?).cached(Caching::Never))
}
