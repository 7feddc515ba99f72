//! Models: drafted, published, retired, and shown as forms.

mod documents;

pub use documents::{CreateModel, ModelDiff, ModelItem, PatchModel, PatchSafety, Validation};

use std::sync::Arc;

use serde_json::Value;

use super::{Checked, Error, Expected, Result, Revised, diff::Diff, merged, seal};
use crate::{
    domain::{
        event::{Event, Kind},
        fault::{Broken, Fault},
        id::ModelId,
        life_cycle::{Draft, Sealed, Version, Versioned},
        model::{self, Definition, Head, Life, Model, Origin, element_changes, language_changes},
        slug::Slug,
    },
    store::{
        self,
        db::Tx,
        journal,
        models::{Name, SealedModel},
        page::{Page, Position},
    },
};

const MODEL: &str = "model";
const VERSION: &str = "version";

/// A model that the caller can see: a public one or their own, which others see only once it is published.
pub fn head(tx: &mut Tx<'_>, name: &Name) -> Result<Head> {
    store::models::head(tx, name)?.ok_or(Error::NotFound(MODEL))
}

/// The model that this slug names in a body, and its newest or the wanted version; where there is none, a fault.
pub fn referred(tx: &mut Tx<'_>, slug: &Slug, version: Option<Version>) -> Result<(Head, Arc<SealedModel>)> {
    let unknown = |pointer: &str, detail: &str| Error::Broken(Broken::fault(pointer, "unknown_reference", detail));
    let found = store::models::head(tx, &Name::Slug(slug.clone()))?;
    let Some((head, newest)) = found.and_then(|head| head.version.map(|newest| (head, newest))) else {
        return Err(unknown("/model", "There is no published model of this name."));
    };
    let sealed = store::models::sealed(tx, head.id, version.unwrap_or(newest))?;
    let sealed = sealed.ok_or_else(|| unknown("/model_version", "The model has no such version."))?;
    Ok((head, sealed))
}

pub(super) fn own_life(tx: &mut Tx<'_>, name: &Name) -> Result<Life> {
    let head = head(tx, name)?;
    if head.owner != tx.actor().organisation {
        return Err(Broken::ReadOnly("A public model does not change; derive one of your own from it.").into());
    }
    Ok(store::models::life(tx, &head)?)
}

fn revised(life: &Life, shown: Option<Model>) -> Result<Revised<Model>> {
    let shown = shown.ok_or(Error::NotFound("draft"))?;
    Ok(Revised {
        shown,
        revision: life.versioned.revision,
    })
}

/// A visible model: its newest version or, where none is, its draft.
pub fn get(tx: &mut Tx<'_>, name: &Name) -> Result<Revised<Model>> {
    let head = head(tx, name)?;
    let life = store::models::life(tx, &head)?;
    revised(&life, life.shown())
}

/// The draft of one of the organisation's models.
pub fn get_draft(tx: &mut Tx<'_>, name: &Name) -> Result<Revised<Model>> {
    let head = head(tx, name)?;
    if head.owner != tx.actor().organisation {
        return Err(Error::NotFound("draft"));
    }
    let life = store::models::life(tx, &head)?;
    revised(&life, life.shown_draft())
}

/// A page of visible models.
pub fn list(tx: &mut Tx<'_>, page: &Page) -> Result<(Vec<ModelItem>, Option<Position>)> {
    let (lives, next) = store::models::list(tx, page)?;
    let items = lives
        .iter()
        .filter_map(|life| life.shown().map(|model| (life, model)))
        .map(
            |(
                life,
                Model {
                    id,
                    slug,
                    version,
                    status,
                    definition,
                    seal,
                    ..
                },
            )| ModelItem {
                id,
                slug,
                version,
                status,
                has_draft: life.versioned.draft.is_some(),
                title: definition.title,
                attribution: definition.attribution,
                copyright: definition.copyright,
                lineage: definition.lineage,
                seal,
            },
        )
        .collect();
    Ok((items, next))
}

/// Opens the first draft of a new model.
pub fn create(tx: &mut Tx<'_>, body: Checked<Value>) -> Result<Revised<Model>> {
    let mut body = body.valid()?;
    let mut take = |name: &str| body.as_object_mut().and_then(|members| members.remove(name));
    let (slug, origin) = (take("slug"), take("derived_from"));
    let slug: Slug = serde_json::from_value(slug.unwrap_or_default())
        .map_err(|_| Broken::fault("/slug", "pattern", "Not a slug."))?;
    let origin: Option<Origin> = origin
        .map(serde_json::from_value)
        .transpose()
        .map_err(|_| Broken::fault("/derived_from", "type", "Not a model's version."))?;
    let begun = match origin {
        None => Definition::default(),
        Some(origin) => {
            let derived = referred(tx, &origin.model, Some(origin.version)).map_err(under_derived_from)?;
            Definition {
                lineage: Some(origin),
                ..derived.1.content.clone()
            }
        }
    };
    let life = Life {
        id: tx.new_id(),
        owner: tx.actor().organisation,
        slug,
        retired_at: None,
        versioned: Versioned::drafted(reworded(&begun, &body)?),
    };
    store::models::insert(tx, &life)?;
    store::events::emit(tx, &Event::new(Kind::Model, life.id.uuid(), "created", None))?;
    revised(&life, life.shown())
}

/// The same faults, where the reference stands in `derived_from`.
fn under_derived_from(error: Error) -> Error {
    match error {
        Error::Broken(Broken::Invalid(faults)) => {
            let moved = faults.into_iter().map(|fault| {
                let pointer = if fault.pointer == "/model" {
                    "/derived_from/model"
                } else {
                    "/derived_from/version"
                };
                Fault {
                    pointer: pointer.to_owned(),
                    ..fault
                }
            });
            Error::Broken(Broken::Invalid(moved.collect()))
        }
        other => other,
    }
}

/// Changes the draft; where there is none, opens it from the newest version.
pub fn patch(tx: &mut Tx<'_>, name: &Name, expected: &Expected, body: Checked<Value>) -> Result<Revised<Model>> {
    let mut life = own_life(tx, name)?;
    expected.required()?;
    let draft = patchable(&mut life, expected)?;
    draft.content = reworded(&draft.content, &body.valid()?)?;
    store::models::save(tx, &mut life)?;
    revised(&life, life.shown_draft())
}

/// The draft of a model that takes changes; where there is none, opened from the newest version.
pub(super) fn patchable<'a>(life: &'a mut Life, expected: &Expected) -> Result<&'a mut Draft<Definition>> {
    if life.retired_at.is_some() {
        return Err(Broken::InvalidTransition("The model is retired; derive another from it.").into());
    }
    expected.met_by(life.versioned.revision)?;
    if life.versioned.draft.is_none() {
        life.versioned.open_draft()?;
    }
    Ok(life.versioned.draft_mut()?)
}

/// The definition with this patch, and with its translations, which may no longer say the same.
fn reworded(definition: &Definition, patch: &Value) -> Result<Definition> {
    let mut reworded = merged(definition, patch)?;
    reworded.note_outdated(definition);
    Ok(reworded)
}

/// Discards an amendment; a model that was never published goes altogether.
pub fn discard_draft(tx: &mut Tx<'_>, name: &Name, expected: &Expected) -> Result<()> {
    let mut life = own_life(tx, name)?;
    expected.required()?;
    if life.versioned.newest.is_none() {
        expected.met_by(life.versioned.revision)?;
        store::models::delete(tx, &life)?;
        return Ok(store::events::emit(
            tx,
            &Event::new(Kind::Model, life.id.uuid(), "deleted", None),
        )?);
    }
    life.versioned.discard_draft()?;
    expected.met_by(life.versioned.revision)?;
    Ok(store::models::save(tx, &mut life)?)
}

fn faults(tx: &mut Tx<'_>, life: &Life, draft: &Definition) -> Result<Vec<Fault>> {
    let history = store::models::history(tx, &life.head())?;
    let earlier: Vec<&Definition> = history.iter().map(|sealed| &sealed.content).collect();
    Ok(model::faults(draft, &earlier))
}

/// What would keep the draft from being published.
pub fn validate(tx: &mut Tx<'_>, name: &Name) -> Result<Validation> {
    let mut life = own_life(tx, name)?;
    let draft = life.versioned.draft_mut()?.content.clone();
    Ok(faults(tx, &life, &draft)?.into())
}

/// Seals the draft as the next version.
pub fn publish(tx: &mut Tx<'_>, name: &Name, expected: &Expected) -> Result<Revised<Model>> {
    let mut life = own_life(tx, name)?;
    let Some(mut draft) = life.versioned.draft.clone() else {
        return Err(Broken::InvalidTransition("There is no open draft to publish.").into());
    };
    if life.retired_at.is_some() {
        return Err(Broken::InvalidTransition("The model is retired.").into());
    }
    expected.met_by(life.versioned.revision)?;
    let faults = faults(tx, &life, &draft.content)?;
    Broken::unless_empty(faults)?;
    draft.content.drop_unknown_translations();
    let version = life.versioned.next_version();
    seal_version(tx, &mut life, version, draft.content)?;
    store::models::save(tx, &mut life)?;
    store::events::emit(tx, &Event::new(Kind::Model, life.id.uuid(), "published", Some(version)))?;
    revised(&life, life.shown())
}

/// Appends a version to the journal and makes it the newest.
fn seal_version(tx: &mut Tx<'_>, life: &mut Life, version: Version, content: Definition) -> Result<()> {
    let seal = seal(
        tx,
        &Model::of_version(life.id, life.slug.clone(), version, content.clone()),
    )?;
    let sealed = Sealed { version, content, seal };
    store::models::seal(tx, life.id, &sealed)?;
    life.versioned.seal(sealed);
    Ok(())
}

/// Keeps a model whose first version is sealed at once.
pub(super) fn insert_published(tx: &mut Tx<'_>, id: ModelId, slug: Slug, definition: Definition) -> Result<()> {
    let owner = tx.actor().organisation;
    let versioned = Versioned {
        revision: 1,
        draft: None,
        newest: None,
    };
    let mut life = Life {
        id,
        owner,
        slug,
        retired_at: None,
        versioned,
    };
    seal_version(tx, &mut life, 1, definition)?;
    Ok(store::models::insert(tx, &life)?)
}

/// Retires a model: no new assessments are made with it.
pub fn retire(tx: &mut Tx<'_>, name: &Name, expected: &Expected) -> Result<Revised<Model>> {
    let mut life = own_life(tx, name)?;
    life.retire(tx.now())?;
    expected.met_by(life.versioned.revision)?;
    store::models::save(tx, &mut life)?;
    let version = life.head().version;
    store::events::emit(tx, &Event::new(Kind::Model, life.id.uuid(), "retired", version))?;
    revised(&life, life.shown())
}

/// A page of a visible model's versions.
pub fn versions(tx: &mut Tx<'_>, name: &Name, page: &Page) -> Result<(Vec<journal::Line>, Option<Position>)> {
    let head = head(tx, name)?;
    Ok(journal::list(tx, head.id, page)?)
}

/// A sealed version of a visible model.
pub fn sealed(tx: &mut Tx<'_>, name: &Name, version: Version) -> Result<(Head, Arc<SealedModel>)> {
    let head = head(tx, name)?;
    let sealed = store::models::sealed(tx, head.id, version)?.ok_or(Error::NotFound(VERSION))?;
    Ok((head, sealed))
}

/// What differs between two versions.
pub fn diff(tx: &mut Tx<'_>, name: &Name, from: Version, to: Version) -> Result<ModelDiff> {
    let (head, before) = sealed(tx, name, from)?;
    let (_, after) = sealed(tx, name, to)?;
    let diff = Diff::between(
        (from, &head.showing_version(&before)),
        (to, &head.showing_version(&after)),
    )?;
    Ok(ModelDiff {
        diff,
        elements: element_changes(&before.content, &after.content),
        translations: language_changes(&before.content, &after.content),
    })
}
