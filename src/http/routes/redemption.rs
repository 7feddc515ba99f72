//! What tokens of invitations and receipts are redeemed for.

use actix_web::{post, web::Data};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::invitations::random_token;
use crate::{
    auth::{gate::Gate, token::LIFETIME_SECONDS},
    domain::{
        access::Actor,
        capability::{Receipt, Token},
        id::{AssessmentId, GapAnalysisId, InvitationId, OrganisationId, RelationshipId, RoundId},
        moment::Moment,
        round::{Anonymity, Consent, Privacy, RoundStatus},
        slug::Slug,
    },
    http::{
        body::Body,
        caller::{Anyone, handed_over, read},
        problem::Problem,
        reply::{Caching, Reply},
        voice::Peer,
    },
    service::{
        self,
        redemption::{self, Redeemed, Redemption},
    },
    store::db::{Db, Tx},
};

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config.service(redeem_invitation).service(redeem_receipt);
}

/// The token of an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct RedeemInvitation {
    /// The token.
    #[schema(
        pattern = "^[A-Za-z0-9_-]{43}$",
        example = "q2mJk4n0dYw0s2Cq3vTjKQ8m1Yb7xZfLr6HhP5uEoNA"
    )]
    token: String,
}

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct RedeemReceipt {
    /// The receipt, however it is grouped, in capitals or not.
    #[schema(
        min_length = 26,
        max_length = 60,
        pattern = "^[0-9A-Za-z -]+$",
        example = "3F8KQ-7MZ0T-V2N6C-9XHWA-R5D1PE"
    )]
    receipt: String,
}

/// What somebody who was invited may know of their round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(in crate::http) struct RespondentRound {
    /// Its id.
    id: RoundId,
    /// What people call it.
    #[schema(max_length = 200)]
    title: String,
    /// Where it stands.
    status: RoundStatus,
    /// From which perspective they answer.
    perspective: Slug,
    /// The relationship it is about; omitted where that is the service as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    relationship: Option<RelationshipId>,
    /// What organisers may learn about who said what.
    privacy: Privacy,
    /// How many must have answered from a perspective before anything is shown of it.
    #[schema(minimum = 2, maximum = 100)]
    minimum_group: i32,
    /// What they agree to by answering.
    consent: Consent,
    /// Of an anonymous round: what anonymity covers, and what it does not. To be shown with the words of consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    anonymity: Option<Anonymity>,
    /// When it closes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    closes_at: Option<Moment>,
    /// What it found, once it is revealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    gap_analysis: Option<GapAnalysisId>,
}

/// Access to one assessment of one round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "RFC 6749 calls them so")]
pub(in crate::http) struct Access {
    /// A JWT, good for this assessment and nothing else.
    #[schema(max_length = 4096, pattern = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$")]
    access_token: String,
    /// Always `Bearer`.
    #[schema(value_type = String, pattern = "^Bearer$", example = "Bearer")]
    token_type: &'static str,
    /// For how many seconds it counts.
    #[schema(minimum = 1, maximum = 900, example = 900)]
    expires_in: i64,
    /// The assessment: an empty draft is there before anything is saved.
    assessment: AssessmentId,
    /// The form to fill in.
    #[schema(format = "uri-reference", max_length = 400)]
    form: String,
    /// The round.
    round: RespondentRound,
    /// For a shared invitation: the token of one's own to come back with, shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[A-Za-z0-9_-]{43}$")]
    token: Option<String>,
}

impl Access {
    /// What these words are redeemed for.
    pub(in crate::http) fn of(redeemed: Redeemed, access_token: String) -> Self {
        let Redeemed {
            respondent,
            round,
            perspective,
            token,
        } = redeemed;
        let content = round.content;
        let (model, version) = (&content.model, content.model_version.unwrap_or(1));
        let form = format!("/v1/models/{model}/versions/{version}/form?perspective={perspective}");
        Self {
            access_token,
            token_type: "Bearer",
            expires_in: LIFETIME_SECONDS,
            assessment: respondent.assessment,
            form,
            round: RespondentRound {
                id: round.id,
                title: content.title,
                status: round.status,
                perspective,
                relationship: content.relationship,
                privacy: content.privacy,
                minimum_group: content.minimum_group,
                anonymity: Anonymity::of(content.privacy),
                consent: content.consent,
                closes_at: content.closes_at,
                gap_analysis: round.gap_analysis,
            },
            token: token.map(|token| token.expose().to_owned()),
        }
    }
}

/// Whose that is which was presented. What is nobody's is noted as a guess; what was somebody's and is used up or over is none, or else
/// those who come back to it would keep out all who share their address.
fn owned<T>(found: Result<T, Problem>, gate: &Gate, peer: &Peer) -> Result<T, Problem> {
    found.inspect_err(|problem| {
        if problem.is_not_found() {
            gate.note_guess(peer.0);
        }
    })
}

/// What was found, with access to it.
fn answered(gate: &Gate, organisation: OrganisationId, redeemed: Redeemed, now: Moment) -> Result<Reply, Problem> {
    let token = gate.issue_to_respondent(organisation, redeemed.respondent, now)?;
    Ok(Reply::json(&Access::of(redeemed, token)).cached(Caching::Never))
}

async fn take(db: &Db, organisation: OrganisationId, token: Token) -> Result<Redeemed, Problem> {
    let (own, id) = (
        random_token(),
        InvitationId::from_uuid(Uuid::from_bytes(rand::random())),
    );
    let (sender, receiver) = oneshot::channel();
    let work = move |tx: &mut Tx<'_>| redemption::take(tx, &token, &own, id);
    db.write(
        Actor::service_for(organisation),
        work,
        move |taken: service::Result<_>| {
            drop(sender.send(taken));
        },
    );
    Ok(handed_over(receiver).await.ok_or_else(Problem::fate_unknown)??)
}

async fn redeemed(db: &Db, organisation: OrganisationId, token: Token) -> Result<Redeemed, Problem> {
    let asked = token.clone();
    let actor = Actor::service_for(organisation);
    match read(db, actor, move |tx| redemption::redeem(tx, &asked)).await? {
        Redemption::Personal(redeemed) => Ok(*redeemed),
        Redemption::Shared => take(db, organisation, token).await,
    }
}

/// Redeem an invitation.
///
/// Its token gives access to one assessment for 15 minutes: to the form, and to read, save, submit, withdraw and erase that assessment.
/// It can be redeemed again until that is submitted (from then on the receipt leads to it) and, once the round is revealed, to read what
/// it found. A token that is unknown, used, revoked or over, or whose round has not opened yet, gets one and the same answer; who presents many that are unknown has to wait.
#[utoipa::path(
    tag = "Invitations",
    request_body(content = RedeemInvitation, example = json!({"token": "q2mJk4n0dYw0s2Cq3vTjKQ8m1Yb7xZfLr6HhP5uEoNA"})),
    responses((status = 200, description = "Access to the assessment", body = Access), Problem),
    security(()),
)]
#[post("/v1/invitations/redeem")]
async fn redeem_invitation(
    _: Anyone,
    peer: Peer,
    body: Body<RedeemInvitation>,
    gate: Data<Gate>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let token = Token::new(body.0.valid()?.token);
    gate.admit_guess(peer.0)?;
    let asked = token.clone();
    let owner = read(&db, Actor::SERVICE, move |tx| redemption::owner(tx, &asked)).await;
    let organisation = owned(owner, &gate, &peer)?;
    let redeemed = redeemed(&db, organisation, token).await?;
    answered(&gate, organisation, redeemed, db.now())
}

/// Redeem a receipt.
///
/// What was submitted with it can be read, amended until the round closes, withdrawn and erased, without an account. A receipt that leads
/// nowhere gets the same answer as an invitation that does.
#[utoipa::path(
    tag = "Invitations",
    request_body(content = RedeemReceipt, example = json!({"receipt": "3F8KQ-7MZ0T-V2N6C-9XHWA-R5D1PE"})),
    responses((status = 200, description = "Access to the assessment", body = Access), Problem),
    security(()),
)]
#[post("/v1/receipts/redeem")]
async fn redeem_receipt(
    _: Anyone,
    peer: Peer,
    body: Body<RedeemReceipt>,
    gate: Data<Gate>,
    db: Data<Db>,
) -> Result<Reply, Problem> {
    let given = body.0.valid()?.receipt;
    gate.admit_guess(peer.0)?;
    // What cannot be a receipt is asked for as well: it leads nowhere, and takes as long.
    let receipt = Receipt::parse(&given).unwrap_or(Receipt::of_random(rand::random()));
    let owner = read(&db, Actor::SERVICE, move |tx| redemption::of_receipt(tx, receipt)).await;
    let (organisation, round, perspective) = owned(owner, &gate, &peer)?;
    let work = move |tx: &mut Tx<'_>| redemption::redeem_receipt(tx, receipt, round, &perspective);
    let redeemed = read(&db, Actor::service_for(organisation), work).await?;
    answered(&gate, organisation, redeemed, db.now())
}
