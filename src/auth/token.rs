//! Access tokens: JWTs after RFC 9068, signed with `EdDSA`.

use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Error,
    keys::{KeyRing, RingKey},
    scope::ScopeSet,
};
use crate::domain::{
    access::Respondent,
    id::{AssessmentId, ClientId, OrganisationId, PerspectiveId, RoundId},
    moment::Moment,
    round::Privacy,
};

/// How long a token lives, in seconds.
pub const LIFETIME_SECONDS: i64 = 900;
/// How far clocks may differ, in seconds.
const LEEWAY_SECONDS: i64 = 30;
/// No token of ours comes near so many bytes.
const LONGEST: usize = 4096;
/// RFC 9068, section 2.1.
const TYP: &str = "at+jwt";
/// RFC 9068, section 4, allows it in full as well.
const TYP_IN_FULL: &str = "application/at+jwt";

/// What a verified token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// The organisation whose things may be touched.
    pub organisation: OrganisationId,
    /// The client that asks.
    pub client: ClientId,
    /// What it may do.
    pub scopes: ScopeSet,
    /// What a respondent's token is bound to; a client's is bound to nothing.
    pub respondent: Option<Respondent>,
    /// When the token ends; beyond, there is leeway only for clocks that differ.
    pub expires_at: Moment,
}

/// Whom a token is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bearer {
    /// A client, with these scopes.
    Client(ClientId, ScopeSet),
    /// Somebody who was invited.
    Respondent(Respondent),
}

/// The scope of a respondent's token. It is none of those that clients have: what names a scope refuses it.
const RESPOND: &str = "respond";

/// What a respondent's token is bound to, beside the assessment, which is its subject.
#[derive(Serialize, Deserialize)]
struct Bound {
    round: RoundId,
    perspective: PerspectiveId,
    /// Seconds since 1970.
    since: i64,
    privacy: Privacy,
    receipt: bool,
}

#[derive(Serialize)]
struct Issued<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: Uuid,
    exp: i64,
    iat: i64,
    nbf: i64,
    jti: Uuid,
    client_id: ClientId,
    org: OrganisationId,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    respondent: Option<Bound>,
}

/// What is read of a token beside what jsonwebtoken checks.
#[derive(Deserialize)]
struct Presented {
    sub: Uuid,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    /// Every access token has one (RFC 9068, section 2.2); nothing is looked up by it.
    #[serde(rename = "jti")]
    _jti: String,
    client_id: ClientId,
    org: OrganisationId,
    scope: String,
    respondent: Option<Bound>,
}

/// Who issues tokens, and for whom: this service under its public URL, in both cases.
pub(super) struct Issuer {
    url: String,
    validation: Validation,
}

impl Issuer {
    pub(super) fn new(url: &str) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[url]);
        validation.set_audience(&[url]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // jsonwebtoken asks the system's clock; the time is ours to tell, and checked in `verify`.
        validation.validate_exp = false;
        Self {
            url: url.to_owned(),
            validation,
        }
    }

    /// Signs a token.
    pub(super) fn issue(
        &self,
        key: &RingKey,
        organisation: OrganisationId,
        bearer: Bearer,
        now: Moment,
    ) -> Result<String, Error> {
        let (sub, client, scope, respondent) = match bearer {
            Bearer::Client(client, scopes) => (client.uuid(), client, scopes.to_string(), None),
            Bearer::Respondent(respondent) => (
                respondent.assessment.uuid(),
                ClientId::NIL,
                RESPOND.to_owned(),
                Some(Bound {
                    round: respondent.round,
                    perspective: respondent.perspective,
                    since: respondent.since.seconds(),
                    privacy: respondent.privacy,
                    receipt: respondent.by_receipt,
                }),
            ),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYP.to_owned());
        header.kid = Some(key.id.to_string());
        let claims = Issued {
            iss: &self.url,
            aud: &self.url,
            sub,
            exp: now.seconds() + LIFETIME_SECONDS,
            iat: now.seconds(),
            nbf: now.seconds(),
            jti: Uuid::now_v7(),
            client_id: client,
            org: organisation,
            scope,
            respondent,
        };
        encode(&header, &claims, &key.signing).map_err(|error| {
            tracing::error!(%error, kid = %key.id, "a signing key cannot be used");
            Error::Unavailable
        })
    }

    /// Checks a token, all but whether its client was revoked.
    pub(super) fn verify(&self, token: &str, keys: &KeyRing, now: Moment) -> Result<Claims, Error> {
        if token.len() > LONGEST {
            return Err(Error::InvalidToken("The token is too long."));
        }
        let header = decode_header(token).map_err(|_| Error::InvalidToken("The token is not a signed JWT."))?;
        if !matches!(header.typ.as_deref(), Some(TYP | TYP_IN_FULL)) {
            return Err(Error::InvalidToken("The token is not an access token."));
        }
        // RFC 7515, section 4.1.11: what is critical must be understood, and we understand nothing of the kind.
        if header.crit.is_some() {
            return Err(Error::InvalidToken("The token has a critical header."));
        }
        let key = header
            .kid
            .and_then(|kid| keys.verifier(&kid, now))
            .ok_or(Error::InvalidToken("The token's key is unknown."))?;
        let presented: Presented = decode(token, &key.verifying, &self.validation)
            .map_err(|_| Error::InvalidToken("The token's signature or claims are wrong."))?
            .claims;
        presented.claims(now)
    }
}

impl Presented {
    fn claims(self, now: Moment) -> Result<Claims, Error> {
        let expires_at = self.exp.checked_mul(1_000_000).and_then(Moment::from_micros);
        let expires_at = expires_at.ok_or(Error::InvalidToken("The token's end is beyond the calendar."))?;
        if now >= expires_at.plus_seconds(LEEWAY_SECONDS) {
            return Err(Error::InvalidToken("The token has expired."));
        }
        if self.iat.max(self.nbf.unwrap_or(self.iat)) > now.seconds() + LEEWAY_SECONDS {
            return Err(Error::InvalidToken("The token is not valid yet."));
        }
        if self.exp.saturating_sub(self.iat) > LIFETIME_SECONDS {
            return Err(Error::InvalidToken("The token lasts longer than tokens do."));
        }
        let respondent = match self.respondent {
            None if self.sub != self.client_id.uuid() => {
                return Err(Error::InvalidToken("The token's subject is not its client."));
            }
            None => None,
            Some(_) if !self.client_id.is_nil() || self.scope != RESPOND => {
                return Err(Error::InvalidToken("The token is a client's and a respondent's."));
            }
            Some(Bound {
                round,
                perspective,
                since,
                privacy,
                receipt,
            }) => Some(Respondent {
                round,
                assessment: AssessmentId::from_uuid(self.sub),
                perspective,
                since: since
                    .checked_mul(1_000_000)
                    .and_then(Moment::from_micros)
                    .ok_or(Error::InvalidToken("The token's round is beyond the calendar."))?,
                privacy,
                by_receipt: receipt,
            }),
        };
        Ok(Claims {
            organisation: self.org,
            client: self.client_id,
            scopes: ScopeSet::known(&self.scope),
            respondent,
            expires_at,
        })
    }
}

#[cfg(test)]
mod tests;
