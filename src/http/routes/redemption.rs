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
    /// The `Idempotency-Key` of a submission that was never answered. If it was done, this lets in like its receipt, which is shown again;
    /// if not, it changes nothing.
    #[schema(nullable = false, format = Uuid, example = "7d4cb3ae-16a4-4b0e-9a5f-0d7b5c9c1f4e")]
    submitted_with: Option<Uuid>,
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
    /// How many must have answered from a perspective before anything is shown of it in the round's analysis. Omitted where
    /// everything is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 2, maximum = 100)]
    minimum_group: Option<i32>,
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
    /// Where `submitted_with` led to what was submitted: its receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 30, pattern = "^[0-9A-Z-]{30}$")]
    receipt: Option<String>,
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
        let minimum_group = content.least_shown();
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
                minimum_group,
                anonymity: Anonymity::of(content.privacy),
                consent: content.consent,
                closes_at: content.closes_at,
                gap_analysis: round.gap_analysis,
            },
            token: token.map(|token| token.expose().to_owned()),
            receipt: None,
        }
    }
}

/// Whose that is which was presented. What is nobody's is a guess, of which each address has a few a minute. What is somebody's never
/// waits, however many share its address: nobody guesses so many bits.
fn owned<T>(found: Result<T, Problem>, gate: &Gate, peer: &Peer) -> Result<T, Problem> {
    if found.as_ref().is_err_and(Problem::is_not_found) {
        gate.guessed(peer.0)?;
    }
    found
}

/// What was found, with access to it.
fn answered(gate: &Gate, organisation: OrganisationId, redeemed: Redeemed, now: Moment) -> Result<Reply, Problem> {
    Ok(Reply::json(&access(gate, organisation, redeemed, now)?).cached(Caching::Never))
}

fn access(gate: &Gate, organisation: OrganisationId, redeemed: Redeemed, now: Moment) -> Result<Access, Problem> {
    let token = gate.issue_to_respondent(organisation, redeemed.respondent, now)?;
    Ok(Access::of(redeemed, token))
}

/// What was submitted under this receipt, if anything.
async fn submitted(db: &Db, receipt: Receipt) -> Result<Option<(OrganisationId, Redeemed)>, Problem> {
    match of_receipt(db, receipt).await {
        Ok(found) => Ok(Some(found)),
        Err(problem) if problem.is_not_found() => Ok(None),
        Err(problem) => Err(problem),
    }
}

async fn of_receipt(db: &Db, receipt: Receipt) -> Result<(OrganisationId, Redeemed), Problem> {
    let found = read(db, Actor::SERVICE, move |tx| redemption::of_receipt(tx, receipt)).await?;
    let (organisation, round, perspective) = found;
    let work = move |tx: &mut Tx<'_>| redemption::redeem_receipt(tx, receipt, round, &perspective);
    Ok((organisation, read(db, Actor::service_for(organisation), work).await?))
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
    let RedeemInvitation { token, submitted_with } = body.0.valid()?;
    let token = Token::new(token);
    let receipt = submitted_with.and_then(|key| Receipt::of_key(token.assessment(), key));
    if let Some(receipt) = receipt
        && let Some((organisation, redeemed)) = submitted(&db, receipt).await?
    {
        let access = access(&gate, organisation, redeemed, db.now())?;
        let receipt = Some(receipt.to_string());
        return Ok(Reply::json(&Access { receipt, ..access }).cached(Caching::Never));
    }
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
    // What cannot be a receipt is asked for as well: it leads nowhere, and takes as long.
    let receipt = Receipt::parse(&given).unwrap_or(Receipt::of_random(rand::random()));
    let (organisation, redeemed) = owned(of_receipt(&db, receipt).await, &gate, &peer)?;
    answered(&gate, organisation, redeemed, db.now())
}
