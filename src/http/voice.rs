//! Who calls an operation that respondents may call, too.

use std::{
    future::{Ready, ready},
    net::IpAddr,
    ops::Deref,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};

use super::{caller::Caller, problem::Problem};
use crate::auth::scope::Requires;

/// A caller whose token has the scope `S`, or a respondent. A respondent's token is bound to one assessment of one round: what it
/// reaches of what the operation is about is for the use case to say, which every other answers as nothing.
pub struct Voice<S>(Caller<S>);

impl<S: Requires> FromRequest for Voice<S> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let allowed = Caller::let_in(request, |claims| {
            claims.respondent.is_some() || claims.scopes.contains(S::SCOPE)
        });
        ready(allowed.map(Self))
    }
}

impl<S> Deref for Voice<S> {
    type Target = Caller<S>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// The address of whoever calls without a token.
pub struct Peer(pub IpAddr);

impl FromRequest for Peer {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let peer = request.peer_addr().map(|peer| Self(peer.ip()));
        ready(peer.ok_or_else(Problem::unavailable))
    }
}
