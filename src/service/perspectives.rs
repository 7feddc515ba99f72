//! Perspectives: the four of the model, and an organisation's own.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Checked, Error, Expected, Result, Revised, diff::Diff, merged, seal};
use crate::{
    domain::{
        event::{Event, Kind},
        fault::{Broken, Fault},
        id::PerspectiveId,
        life_cycle::{Sealed, Version},
        perspective::{ALL, Description, Life, Perspective, Voice},
        round,
        slug::Slug,
    },
    store::{
        self,
        db::Tx,
        journal,
        page::{Page, Position},
        perspectives::Name,
    },
};

const PERSPECTIVE: &str = "perspective";

/// A new perspective.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePerspective {
    /// Its name in URLs and in gap analyses; it never changes. `all` is the name of none: it stands for everybody.
    #[schema(example = "commissioner")]
    pub slug: Slug,
    /// What people call it.
    #[schema(min_length = 1, max_length = 200, example = "Commissioner")]
    pub label: String,
    /// The voice in which its forms are written.
    pub voice: Voice,
    /// Who speaks from it.
    #[schema(nullable = false, max_length = 4000, example = "Those who fund the service.")]
    pub description: Option<String>,
}

/// What to change of a perspective (JSON merge patch, RFC 7396).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the schema against which a patch is checked; it is applied as JSON"
)]
pub struct PatchPerspective {
    /// What people call it.
    #[schema(nullable = false, min_length = 1, max_length = 200, example = "Funder")]
    label: Option<String>,
    /// The voice in which its forms are written.
    #[schema(nullable = false)]
    voice: Option<Voice>,
    /// Who speaks from it; `null` takes that away.
    #[schema(max_length = 4000)]
    description: Option<String>,
}

/// A visible perspective, or that there is none.
pub fn find(tx: &mut Tx<'_>, name: &Name) -> Result<Life> {
    store::perspectives::find(tx, name)?.ok_or(Error::NotFound(PERSPECTIVE))
}

/// A perspective as a round asks it: with the version that the round names, or else the newest.
pub fn spoken(tx: &mut Tx<'_>, asked: &round::Expected) -> Result<Life> {
    let mut life = find(tx, &Name::Slug(asked.perspective.clone()))?;
    if let Some(version) = asked.perspective_version {
        life.newest = store::perspectives::version(tx, life.id, version)?.ok_or(Error::NotFound("version"))?;
    }
    Ok(life)
}

/// A visible perspective.
pub fn get(tx: &mut Tx<'_>, name: &Name) -> Result<Revised<Perspective>> {
    let life = find(tx, name)?;
    Ok(Revised {
        shown: life.showing(&life.newest),
        revision: life.revision,
    })
}

/// A page of visible perspectives.
pub fn list(tx: &mut Tx<'_>, page: &Page) -> Result<(Vec<Perspective>, Option<Position>)> {
    let (lives, next) = store::perspectives::list(tx, page)?;
    Ok((lives.iter().map(|life| life.showing(&life.newest)).collect(), next))
}

/// Seals version 1 of a new perspective.
pub fn create(tx: &mut Tx<'_>, body: Checked<CreatePerspective>) -> Result<Revised<Perspective>> {
    let CreatePerspective {
        slug,
        label,
        voice,
        description,
    } = body.check(|body| {
        let is_reserved = body.slug.as_str() == ALL;
        let fault = || Fault::new("/slug", "reserved", "`all` stands for everybody, counted together.");
        Broken::unless_empty(is_reserved.then(fault).into_iter().collect())?;
        Ok(body)
    })?;
    insert(
        tx,
        tx.new_id(),
        slug,
        Description {
            label,
            voice,
            description,
        },
    )
}

/// Keeps a perspective under this id.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    id: PerspectiveId,
    slug: Slug,
    content: Description,
) -> Result<Revised<Perspective>> {
    let newest = sealed(tx, id, &slug, 1, content)?;
    let life = Life {
        id,
        owner: tx.actor().organisation,
        slug,
        revision: 1,
        newest,
    };
    store::perspectives::insert(tx, &life)?;
    store::events::emit(tx, &Event::new(Kind::Perspective, id.uuid(), "sealed", Some(1)))?;
    Ok(Revised {
        shown: life.showing(&life.newest),
        revision: life.revision,
    })
}

/// Seals the next version.
pub fn patch(tx: &mut Tx<'_>, name: &Name, expected: &Expected, body: Checked<Value>) -> Result<Revised<Perspective>> {
    let mut life = find(tx, name)?;
    if life.owner != tx.actor().organisation {
        return Err(Broken::ReadOnly("The built-in perspectives do not change.").into());
    }
    expected.required()?;
    expected.met_by(life.revision)?;
    let content = merged(&life.newest.content, &body.valid()?)?;
    let version = life.newest.version.saturating_add(1);
    life.newest = sealed(tx, life.id, &life.slug, version, content)?;
    store::perspectives::save(tx, &mut life)?;
    store::events::emit(
        tx,
        &Event::new(Kind::Perspective, life.id.uuid(), "sealed", Some(version)),
    )?;
    Ok(Revised {
        shown: life.showing(&life.newest),
        revision: life.revision,
    })
}

fn sealed(
    tx: &Tx<'_>,
    id: PerspectiveId,
    slug: &Slug,
    version: Version,
    content: Description,
) -> Result<Sealed<Description>> {
    let seal = seal(tx, &Perspective::of_version(id, slug.clone(), version, content.clone()))?;
    Ok(Sealed { version, content, seal })
}

/// A page of a visible perspective's versions.
pub fn versions(tx: &mut Tx<'_>, name: &Name, page: &Page) -> Result<(Vec<journal::Line>, Option<Position>)> {
    let life = find(tx, name)?;
    Ok(journal::list(tx, life.id, page)?)
}

/// A version of a visible perspective, and whether the perspective is built in.
pub fn version(tx: &mut Tx<'_>, name: &Name, version: Version) -> Result<(Perspective, bool)> {
    let life = find(tx, name)?;
    let sealed = store::perspectives::version(tx, life.id, version)?.ok_or(Error::NotFound("version"))?;
    Ok((life.showing(&sealed), life.owner.is_nil()))
}

/// What differs between two versions.
pub fn diff(tx: &mut Tx<'_>, name: &Name, from: Version, to: Version) -> Result<Diff> {
    let ((before, _), (after, _)) = (version(tx, name, from)?, version(tx, name, to)?);
    Diff::between((from, &before), (to, &after))
}
