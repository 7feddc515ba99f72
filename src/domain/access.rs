//! On whose behalf something is done.

use super::id::{ClientId, OrganisationId};

/// Who acts: the organisation whose things are touched, and the client that asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// The organisation. Nil for the service itself, which owns what is public.
    pub organisation: OrganisationId,
    /// The client. Nil for the service itself.
    pub client: ClientId,
}

impl Actor {
    /// The service itself: owner of the public model and the built-in perspectives.
    pub const SERVICE: Self = Self::service_for(OrganisationId::NIL);

    /// The service itself, at work inside an organisation (retention, the command line).
    pub const fn service_for(organisation: OrganisationId) -> Self {
        Self {
            organisation,
            client: ClientId::NIL,
        }
    }
}
