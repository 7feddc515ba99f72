//! An organisation's own record.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Checked, Error, Expected, Result, Revised};
use crate::{
    domain::{id::OrganisationId, moment::Moment},
    store::{self, db::Tx},
};

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Organisation {
    /// Its id.
    pub id: OrganisationId,
    /// What people call it.
    #[schema(min_length = 1, max_length = 200, example = "Acme Care")]
    pub name: String,
    /// When it was created.
    pub created_at: Moment,
    /// When it last changed.
    pub updated_at: Moment,
}

/// What to change of an organisation (JSON merge patch, RFC 7396).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchOrganisation {
    /// What people call it.
    #[schema(nullable = false, min_length = 1, max_length = 200, example = "Acme Care")]
    pub name: Option<String>,
}

fn revised(found: store::organisations::Organisation) -> Revised<Organisation> {
    let store::organisations::Organisation {
        id,
        name,
        revision,
        created_at,
        updated_at,
    } = found;
    Revised {
        shown: Organisation {
            id,
            name,
            created_at,
            updated_at,
        },
        revision,
    }
}

/// The caller's organisation.
pub fn get(tx: &mut Tx<'_>) -> Result<Revised<Organisation>> {
    store::organisations::find(tx)?
        .map(revised)
        .ok_or(Error::NotFound("organisation"))
}

/// Changes the caller's organisation.
pub fn patch(tx: &mut Tx<'_>, expected: &Expected, body: Checked<PatchOrganisation>) -> Result<Revised<Organisation>> {
    let mut found = store::organisations::find(tx)?.ok_or(Error::NotFound("organisation"))?;
    expected.required()?;
    expected.met_by(found.revision)?;
    if let Some(name) = body.valid()?.name {
        store::organisations::rename(tx, &mut found, &name)?;
    }
    Ok(revised(found))
}
