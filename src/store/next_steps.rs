//! Next steps, as they are kept.

use diesel::{BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, RunQueryDsl};

use super::{
    error::{Error, Result},
    fork::either,
    journal,
    page::{Page, Position},
    schema::next_steps::{self, dsl},
    tx::Tx,
};
use crate::domain::{
    date::Date,
    event::Kind,
    gap_analysis::DoneStep,
    id::{GapAnalysisId, NextStepId, OrganisationId, RoundId},
    life_cycle::{Sealed, Version},
    moment::Moment,
    next_step::{Content, Life, MOST_OF_ONE_ANALYSIS, NextStepStatus},
    slug::ElementKey,
};

/// Which next steps to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Due before.
    pub due_before: Option<Moment>,
    /// So far.
    pub status: Option<NextStepStatus>,
    /// Of the analysis of this round.
    pub round: Option<RoundId>,
    /// Of this gap analysis.
    pub gap_analysis: Option<GapAnalysisId>,
    /// To move this element.
    pub element: Option<ElementKey>,
}

type Row = (NextStepId, i64, journal::Columns<Content>);

fn life((id, revision, columns): Row) -> Life {
    Life {
        id,
        revision,
        newest: without_levels(journal::sealed(columns)),
    }
}

fn without_levels(sealed: Sealed<journal::Kept1<Content>>) -> Sealed<Content> {
    let Sealed {
        version,
        content: (content, _),
        seal,
    } = sealed;
    Sealed { version, content, seal }
}

macro_rules! with_newest {
    ($tx:expr) => {
        dsl::next_steps
            .inner_join(journal::newest!(dsl))
            .filter(dsl::organisation_id.eq($tx.own()))
            .select((dsl::id, dsl::revision, journal::columns!()))
    };
}

/// One of the organisation's next steps.
pub fn find(tx: &mut Tx<'_>, id: NextStepId) -> Result<Option<Life>> {
    let query = with_newest!(tx).filter(dsl::id.eq(id));
    let row: Option<Row> = either!(tx.conn, conn => query.get_result(conn)).optional()?;
    Ok(row.map(life))
}

/// A page of the organisation's next steps, newest first.
pub fn list(tx: &mut Tx<'_>, filter: &Filter, page: &Page) -> Result<(Vec<Life>, Option<Position>)> {
    let mut query = with_newest!(tx).into_boxed();
    if let Some(due_before) = filter.due_before {
        query = query.filter(dsl::due.lt(due_before));
    }
    if let Some(status) = filter.status {
        query = query.filter(dsl::status.eq(status.key()));
    }
    if let Some(round) = filter.round {
        query = query.filter(dsl::round_id.eq(round));
    }
    if let Some(gap_analysis) = filter.gap_analysis {
        query = query.filter(dsl::gap_analysis_id.eq(gap_analysis));
    }
    if let Some(element) = &filter.element {
        query = query.filter(dsl::element.eq(element.as_str()));
    }
    if let Some(after) = page.after {
        query = query.filter(dsl::id.lt(NextStepId::from_uuid(after.id)));
    }
    let rows: Vec<Row> = query.order(dsl::id.desc()).limit(page.rows()).load(tx.conn)?;
    let (rows, next) = page.cut(rows, |(id, ..)| Position {
        at: None,
        id: id.uuid(),
    });
    Ok((rows.into_iter().map(life).collect(), next))
}

/// The next steps of a gap analysis, oldest first.
pub fn of_analysis(tx: &mut Tx<'_>, gap_analysis: GapAnalysisId) -> Result<Vec<Life>> {
    let query = with_newest!(tx)
        .filter(dsl::gap_analysis_id.eq(gap_analysis))
        .order(dsl::id)
        .limit(MOST_OF_ONE_ANALYSIS);
    let rows: Vec<Row> = either!(tx.conn, conn => query.load(conn))?;
    Ok(rows.into_iter().map(life).collect())
}

/// Those of a gap analysis that are done, oldest first.
pub fn done(tx: &mut Tx<'_>, gap_analysis: GapAnalysisId) -> Result<Vec<DoneStep>> {
    let steps = of_analysis(tx, gap_analysis)?.into_iter();
    let done = steps.filter(|life| life.newest.content.status == NextStepStatus::Done);
    Ok(done
        .map(|life| DoneStep {
            next_step: life.id,
            element: life.newest.content.element,
            from_level: life.newest.content.from_level,
        })
        .collect())
}

/// How many next steps a gap analysis has.
pub fn count(tx: &mut Tx<'_>, gap_analysis: GapAnalysisId) -> Result<i64> {
    Ok(dsl::next_steps
        .filter(dsl::organisation_id.eq(tx.own()))
        .filter(dsl::gap_analysis_id.eq(gap_analysis))
        .count()
        .get_result(tx.conn)?)
}

/// A version of one of the organisation's next steps.
pub fn version(tx: &mut Tx<'_>, id: NextStepId, version: Version) -> Result<Option<Sealed<Content>>> {
    Ok(journal::find::<_, Content>(tx, id, version)?.map(without_levels))
}

#[derive(Insertable)]
#[diesel(table_name = next_steps, treat_none_as_default_value = false)]
struct NewRow<'a> {
    organisation_id: OrganisationId,
    id: NextStepId,
    revision: i64,
    version: Version,
    gap_analysis_id: GapAnalysisId,
    round_id: Option<RoundId>,
    element: &'a str,
    status: &'static str,
    due: Option<Moment>,
    created_at: Moment,
    updated_at: Moment,
}

/// Keeps a new next step and its first version.
pub fn insert(tx: &mut Tx<'_>, life: &Life) -> Result<()> {
    let content = &life.newest.content;
    diesel::insert_into(dsl::next_steps)
        .values(NewRow {
            organisation_id: tx.own(),
            id: life.id,
            revision: life.revision,
            version: life.newest.version,
            gap_analysis_id: content.gap_analysis,
            round_id: content.round,
            element: content.element.as_str(),
            status: content.status.key(),
            due: content.due.map(Date::midnight),
            created_at: tx.now(),
            updated_at: tx.now(),
        })
        .execute(tx.conn)?;
    seal(tx, life)
}

/// Keeps the next version, if nobody else changed the next step meanwhile, and raises the revision.
pub fn save(tx: &mut Tx<'_>, life: &mut Life) -> Result<()> {
    let content = &life.newest.content;
    let changed = diesel::update(
        dsl::next_steps
            .filter(dsl::organisation_id.eq(tx.own()))
            .filter(dsl::id.eq(life.id))
            .filter(dsl::revision.eq(life.revision)),
    )
    .set((
        dsl::revision.eq(life.revision + 1),
        dsl::version.eq(life.newest.version),
        dsl::status.eq(content.status.key()),
        dsl::due.eq(content.due.map(Date::midnight)),
        dsl::updated_at.eq(tx.now()),
    ))
    .execute(tx.conn)?;
    life.revision += 1;
    if changed == 1 {
        seal(tx, life)
    } else {
        Err(Error::Contended)
    }
}

fn seal(tx: &mut Tx<'_>, life: &Life) -> Result<()> {
    let Sealed { version, content, seal } = &life.newest;
    journal::append(tx, Kind::NextStep, life.id, *version, content.clone(), None, seal)
}
