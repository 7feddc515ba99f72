//! Assessments on a later version of their model.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Checked, Error, Expected, Result, Revised,
    assessments::{emit, find, shown_draft},
    respondents,
};
use crate::{
    domain::{
        assessment::{Assessment, MigrationEffect, migration_effects},
        fault::Broken,
        id::AssessmentId,
        life_cycle::{Draft, Version},
    },
    store::{self, db::Tx},
};

/// Where to migrate an assessment to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Migrate {
    /// A later version of the same model.
    #[schema(value_type = i32, minimum = 1, example = 2)]
    pub to_version: Version,
    /// Only show what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// What migrating does, or would do.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Migration {
    /// The version of the model migrated from.
    #[schema(value_type = i32, minimum = 1)]
    pub from_version: Version,
    /// The version of the model migrated to.
    #[schema(value_type = i32, minimum = 1)]
    pub to_version: Version,
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// The effect, element by element.
    #[schema(max_items = 400)]
    pub effects: Vec<MigrationEffect>,
    /// The draft that was opened; absent from a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub draft: Option<Assessment>,
}

/// Moves an assessment to a later version of its model: what kept its meaning is kept, no level is guessed.
pub fn migrate(
    tx: &mut Tx<'_>,
    id: AssessmentId,
    expected: &Expected,
    body: Checked<Migrate>,
) -> Result<Revised<Migration>> {
    let mut found = find(tx, id)?;
    let before = found.life.clone();
    found.life.not_withdrawn()?;
    respondents::may_change(tx, &before)?;
    expected.met_by(before.versioned.revision)?;
    let Migrate { to_version, dry_run } = body.valid()?;
    if found.life.versioned.draft.is_none() {
        found.life.amend()?;
    }
    let Some(Draft { content, .. }) = &mut found.life.versioned.draft else {
        return Err(Error::NotFound("draft"));
    };
    let from_version = content.model_version;
    let unfit = |detail| Error::Broken(Broken::fault("/to_version", "unknown_reference", detail));
    if to_version <= from_version {
        return Err(unfit("Only a later version of the model will do."));
    }
    let from = store::models::sealed_for_sure(tx, found.model, from_version)?;
    let to = store::models::sealed(tx, found.model, to_version)?;
    let to = to.ok_or_else(|| unfit("The model has no such version."))?;
    let effects = migration_effects(&from.content, &to.content);
    let mut migration = Migration {
        from_version,
        to_version,
        dry_run,
        effects,
        draft: None,
    };
    if !dry_run {
        *content = content.migrated(to_version, &migration.effects);
        store::assessments::save(tx, &before, &mut found)?;
        emit(tx, &found.life, "migrated")?;
        migration.draft = Some(shown_draft(&found.life)?.shown);
    }
    Ok(Revised {
        shown: migration,
        revision: found.life.versioned.revision,
    })
}
