//! Next steps: made from a gap analysis, and followed up.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Checked, Error, Expected, Result, Revised, diff::Diff, merged, seal};
use crate::{
    domain::{
        date::Date,
        event::{Event, Kind},
        fault::{Broken, Fault},
        gap_analysis,
        id::{GapAnalysisId, NextStepId},
        level::Level,
        life_cycle::{Sealed, Version},
        next_step::{ByWhom, Content, Evidence, Life, MOST_OF_ONE_ANALYSIS, NextStep, NextStepStatus},
        slug::ElementKey,
    },
    store::{
        self,
        db::Tx,
        journal,
        next_steps::Filter,
        page::{Page, Position},
    },
};

const NEXT_STEP: &str = "next step";

/// A new next step. The levels of a priority are taken from the gap analysis, where they are not said.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateNextStep {
    /// The gap analysis that it comes from.
    pub gap_analysis: GapAnalysisId,
    /// The element that it is to move.
    pub element: ElementKey,
    /// The level from which. Of a priority: its current median rounded down.
    #[schema(nullable = false)]
    pub from_level: Option<Level>,
    /// The level to which. Of a priority: its next level.
    #[schema(nullable = false)]
    pub next_level: Option<Level>,
    /// What will be done.
    #[schema(min_length = 1, max_length = 4000, example = "Ring back within a day.")]
    pub what: String,
    /// By whom.
    #[schema(nullable = false)]
    pub by_whom: Option<ByWhom>,
    /// By when.
    #[schema(nullable = false)]
    pub due: Option<Date>,
    /// How far it is; `proposed` where it is not said.
    #[schema(nullable = false)]
    pub status: Option<NextStepStatus>,
    /// What shows that it was done.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub evidence: Vec<Evidence>,
}

/// What to change of a next step (JSON merge patch, RFC 7396). Where it comes from and its levels do not change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the schema against which a patch is checked; it is applied as JSON"
)]
pub struct PatchNextStep {
    /// What will be done.
    #[schema(nullable = false, min_length = 1, max_length = 4000)]
    what: Option<String>,
    /// By whom; `null` takes that away.
    by_whom: Option<PatchByWhom>,
    /// By when; `null` takes that away.
    due: Option<Date>,
    /// How far it is.
    #[schema(nullable = false)]
    status: Option<NextStepStatus>,
    /// What shows that it was done, all of it; `null` takes it away.
    #[schema(max_items = 20)]
    evidence: Option<Vec<Evidence>>,
}

/// Who does it, in a patch: `null` takes one of the two away, where the other stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the schema against which a patch is checked; it is applied as JSON"
)]
pub struct PatchByWhom {
    /// In words.
    #[schema(min_length = 1, max_length = 200)]
    label: Option<String>,
    /// In another system.
    external_id: Option<crate::domain::external_id::ExternalId>,
}

/// One of the organisation's next steps, or that there is none.
pub fn find(tx: &mut Tx<'_>, id: NextStepId) -> Result<Life> {
    store::next_steps::find(tx, id)?.ok_or(Error::NotFound(NEXT_STEP))
}

fn revised(life: Life) -> Revised<NextStep> {
    Revised {
        revision: life.revision,
        shown: NextStep::of_sealed(life.id, life.newest),
    }
}

/// A next step's newest version.
pub fn get(tx: &mut Tx<'_>, id: NextStepId) -> Result<Revised<NextStep>> {
    Ok(revised(find(tx, id)?))
}

/// A page of the organisation's next steps.
pub fn list(tx: &mut Tx<'_>, filter: &Filter, page: &Page) -> Result<(Vec<NextStep>, Option<Position>)> {
    let (lives, next) = store::next_steps::list(tx, filter, page)?;
    let shown = lives.into_iter().map(|life| NextStep::of_sealed(life.id, life.newest));
    Ok((shown.collect(), next))
}

/// The next steps of a gap analysis, oldest first, and a number that rises with whatever happens to any of them.
pub fn of_analysis(tx: &mut Tx<'_>, gap_analysis: GapAnalysisId) -> Result<(Vec<NextStep>, i64)> {
    let lives = store::next_steps::of_analysis(tx, gap_analysis)?;
    let revisions = lives.iter().map(|life| life.revision).sum();
    let shown = lives.into_iter().map(|life| NextStep::of_sealed(life.id, life.newest));
    Ok((shown.collect(), revisions))
}

/// Seals version 1 of a new next step.
pub fn create(tx: &mut Tx<'_>, body: Checked<CreateNextStep>) -> Result<Revised<NextStep>> {
    let content = body.check(|body| content(tx, body))?;
    let id = tx.new_id();
    let life = Life {
        id,
        revision: 1,
        newest: sealed(tx, id, 1, content)?,
    };
    store::next_steps::insert(tx, &life)?;
    emit(tx, &life)?;
    Ok(revised(life))
}

fn content(tx: &mut Tx<'_>, body: CreateNextStep) -> Result<Content> {
    let Some(analysed) = store::gap_analyses::find(tx, body.gap_analysis)? else {
        let detail = "There is no such gap analysis.";
        return Err(Broken::fault("/gap_analysis", "unknown_reference", detail).into());
    };
    let levels = levels(&body, &analysed);
    let (from_level, next_level) = levels.clone().unwrap_or((Level::EarlyStages, Level::Embedded));
    let content = Content {
        gap_analysis: body.gap_analysis,
        gap_analysis_version: analysed.newest.version,
        round: analysed.request.round,
        element: body.element,
        from_level,
        next_level,
        what: body.what,
        by_whom: body.by_whom,
        due: body.due,
        status: body.status.unwrap_or(NextStepStatus::Proposed),
        evidence: body.evidence,
    };
    let mut faults = levels.err().unwrap_or_default();
    faults.extend(content.faults());
    if store::next_steps::count(tx, body.gap_analysis)? >= MOST_OF_ONE_ANALYSIS {
        let detail = "A gap analysis has at most 1,000 next steps.";
        faults.push(Fault::new("/gap_analysis", "too_many", detail));
    }
    Broken::unless_empty(faults)?;
    Ok(content)
}

/// The levels that a body names or its priority suggests, or every fault of theirs.
fn levels(body: &CreateNextStep, analysed: &gap_analysis::Life) -> std::result::Result<(Level, Level), Vec<Fault>> {
    let analysis = &analysed.newest.content;
    if !analysis.elements.iter().any(|known| known.element == body.element) {
        let detail = "The gap analysis has no such element.";
        return Err(vec![Fault::new("/element", "unknown_element", detail)]);
    }
    let mut priorities = analysis.priorities.iter();
    let priority = priorities.find(|priority| priority.element == body.element);
    let from = body.from_level.or_else(|| priority?.from_level());
    let next = body.next_level.or_else(|| priority?.next_level);
    match (from, next) {
        (Some(from), Some(next)) => Ok((from, next)),
        _ if priority.is_none() => {
            let detail = "The element is no priority of the gap analysis: say from_level and next_level.";
            Err(vec![Fault::new("/element", "not_a_priority", detail)])
        }
        _ => {
            let detail = "The priority stands at the highest level and suggests no next one: say it.";
            Err(vec![Fault::new("/next_level", "required", detail)])
        }
    }
}

/// Seals the next version.
pub fn patch(tx: &mut Tx<'_>, id: NextStepId, expected: &Expected, body: Checked<Value>) -> Result<Revised<NextStep>> {
    let mut life = find(tx, id)?;
    expected.required()?;
    expected.met_by(life.revision)?;
    let before = life.newest.content.clone();
    let content = body.check(|patch| {
        let content: Content = merged(&before, &patch)?;
        Broken::unless_empty(content.faults())?;
        Ok(content)
    })?;
    life.newest = sealed(tx, id, life.newest.version.saturating_add(1), content)?;
    store::next_steps::save(tx, &mut life)?;
    emit(tx, &life)?;
    Ok(revised(life))
}

fn sealed(tx: &Tx<'_>, id: NextStepId, version: Version, content: Content) -> Result<Sealed<Content>> {
    let seal = seal(tx, &NextStep::of_version(id, version, content.clone()))?;
    Ok(Sealed { version, content, seal })
}

fn emit(tx: &mut Tx<'_>, life: &Life) -> Result<()> {
    let event = Event::new(Kind::NextStep, life.id.uuid(), "sealed", Some(life.newest.version));
    Ok(store::events::emit(tx, &event)?)
}

/// A page of a next step's versions.
pub fn versions(tx: &mut Tx<'_>, id: NextStepId, page: &Page) -> Result<(Vec<journal::Line>, Option<Position>)> {
    find(tx, id)?;
    Ok(journal::list(tx, id, page)?)
}

/// A version of a next step.
pub fn version(tx: &mut Tx<'_>, id: NextStepId, version: Version) -> Result<NextStep> {
    find(tx, id)?;
    let sealed = store::next_steps::version(tx, id, version)?.ok_or(Error::NotFound("version"))?;
    Ok(NextStep::of_sealed(id, sealed))
}

/// What differs between two versions.
pub fn diff(tx: &mut Tx<'_>, id: NextStepId, from: Version, to: Version) -> Result<Diff> {
    let (before, after) = (version(tx, id, from)?, version(tx, id, to)?);
    Diff::between((from, &before), (to, &after))
}
