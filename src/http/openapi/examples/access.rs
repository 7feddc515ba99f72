//! Examples of who may ask: organisations, clients, and their tokens.

use super::{
    Examples, Outcome,
    world::{id, moment},
};
use crate::{
    auth::{
        self,
        keys::{Jwk, Jwks},
        scope::ScopeSet,
    },
    domain::id::OrganisationId,
    http::{
        PublicUrl,
        routes::{
            clients,
            oauth::{Token, TokenError},
            well_known::{AuthorizationServer, ProtectedResource},
        },
    },
    service::organisations::Organisation,
    store,
};

impl Examples {
    pub(super) fn access(&mut self) -> Outcome {
        let url = PublicUrl("https://connections.example.org".to_owned());
        self.add("AuthorizationServer", AuthorizationServer::at(&url))?;
        self.add("ProtectedResource", ProtectedResource::at(&url))?;
        let scopes = "models:read assessments:read assessments:write";
        self.add(
            "Token",
            Token::new(
                "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl".to_owned(),
                ScopeSet::known(scopes),
            ),
        )?;
        let refusals = [
            ("TokenError.400", auth::Error::InvalidScope),
            ("TokenError.401", auth::Error::InvalidClient),
            (
                "TokenError.429",
                auth::Error::TooManyFailures {
                    retry_after_seconds: 60,
                },
            ),
            ("TokenError.503", auth::Error::Overloaded),
        ];
        for (name, error) in refusals {
            self.add(name, TokenError::from(error))?;
        }
        self.organisation(scopes)
    }

    fn organisation(&mut self, scopes: &str) -> Outcome {
        self.add(
            "Jwks",
            Jwks {
                keys: vec![Jwk {
                    kty: "OKP",
                    crv: "Ed25519",
                    usage: "sig",
                    alg: "EdDSA",
                    kid: id(1),
                    x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned(),
                }],
            },
        )?;
        self.add(
            "Organisation",
            Organisation {
                id: id(2),
                name: "Acme Care".to_owned(),
                created_at: moment(),
                updated_at: moment(),
            },
        )?;
        let client = clients::Client::from(store::clients::Client {
            organisation: OrganisationId::NIL,
            id: id(3),
            name: "Case management".to_owned(),
            scopes: scopes.to_owned(),
            revision: 1,
            created_at: moment(),
            updated_at: moment(),
            revoked_at: None,
        });
        let secret = "7Jx1vT0cQm3rK8dYwZ5nB2hL9sPfGaEuR4iO6jXkVtM".to_owned().into();
        self.add("ApiClient.secret", client.clone().with_secret(&secret))?;
        self.add_with_page("ApiClient", client)
    }
}
