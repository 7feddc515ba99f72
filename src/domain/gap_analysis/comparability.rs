//! Whether two sides can be compared, and if not, why.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Analysis, Input, Reason, ReasonCode, wording};
use crate::domain::{id::RelationshipId, slug::Slug};

/// With fewer inputs than this, a single one can decide the median.
const FEWEST_INPUTS: u32 = 3;

/// Whether the sides of a comparison are comparable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Comparability {
    /// Whether nothing speaks against the comparison.
    pub comparable: bool,
    /// What speaks against it.
    #[schema(max_items = 100_000)]
    pub reasons: Vec<Reason>,
}

impl From<Vec<Reason>> for Comparability {
    fn from(reasons: Vec<Reason>) -> Self {
        Self {
            comparable: reasons.is_empty(),
            reasons,
        }
    }
}

/// How comparable the perspectives of one analysis are. One perspective is compared with nothing.
/// Those that are withheld are compared with nothing.
pub(super) fn of_perspectives(inputs: &[Input], withheld: &[&Slug]) -> Comparability {
    let sizes = inputs_by_perspective(inputs);
    let withheld = withheld.iter().map(|perspective| Reason {
        perspective: Some((*perspective).clone()),
        ..Reason::new(
            ReasonCode::Withheld,
            format!(
                "Too few answered from {}: what they say is withheld, and compared with nothing.",
                wording::perspective(perspective)
            ),
        )
    });
    if sizes.len() < 2 {
        return withheld.collect::<Vec<_>>().into();
    }
    let abouts: Vec<About> = sizes
        .keys()
        .map(|perspective| about(inputs.iter().filter(|input| input.perspective == **perspective)))
        .collect();
    let differ = abouts
        .windows(2)
        .any(|pair| matches!(pair, [one, other] if one != other));
    let relationship = differ.then(|| {
        let spoken: Vec<String> = sizes
            .keys()
            .zip(&abouts)
            .map(|(perspective, about)| format!("{} of {}", wording::perspective(perspective), subjects(about)))
            .collect();
        let detail = format!("They do not speak of the same: {}.", spoken.join(", "));
        Reason::new(ReasonCode::Relationship, detail)
    });
    let small = sizes
        .into_iter()
        .filter_map(|(perspective, n)| small_n(perspective, n, ""));
    let reasons = relationship.into_iter().chain(small).chain(withheld);
    reasons.collect::<Vec<_>>().into()
}

/// How comparable an analysis is with an earlier one.
pub(super) fn of_analyses(baseline: &Analysis, now: &Analysis) -> Comparability {
    let (before, after) = (&baseline.model, &now.model);
    let model = ((&before.slug, before.version) != (&after.slug, after.version)).then(|| {
        Reason::new(
            ReasonCode::ModelVersion,
            format!(
                "The baseline was made with {} version {}, this analysis with {} version {}.",
                before.slug, before.version, after.slug, after.version
            ),
        )
    });
    let (earlier, later) = (
        inputs_by_perspective(&baseline.inputs),
        inputs_by_perspective(&now.inputs),
    );
    let (then, today) = (&baseline.safety.by_perspective, &now.safety.by_perspective);
    let perspectives = (!then.keys().eq(today.keys())).then(|| {
        let is_partial = baseline.minimum_group.or(now.minimum_group).is_some();
        let heard = if is_partial { "asked" } else { "heard" };
        let (then, today) = (names(then.keys()), names(today.keys()));
        let detail = format!("The baseline {heard} {then}; this analysis {heard} {today}.");
        Reason::new(ReasonCode::Perspectives, detail)
    });
    let (then, today) = (about(baseline.inputs.iter()), about(now.inputs.iter()));
    let relationship = (then != today).then(|| {
        let detail = format!(
            "They are not about the same: the baseline is about {}, this analysis about {}.",
            subjects(&then),
            subjects(&today)
        );
        Reason::new(ReasonCode::Relationship, detail)
    });
    let small = earlier
        .iter()
        .filter_map(|(perspective, n)| small_n(perspective, *n, " in the baseline"))
        .chain(
            later
                .iter()
                .filter_map(|(perspective, n)| small_n(perspective, *n, " in this analysis")),
        );
    model
        .into_iter()
        .chain(perspectives)
        .chain(relationship)
        .chain(small)
        .chain(withheld(baseline, now))
        .collect::<Vec<_>>()
        .into()
}

/// Whose readings cannot be compared, because some are withheld on one side or the other.
fn withheld(baseline: &Analysis, now: &Analysis) -> Vec<Reason> {
    let either: BTreeSet<Slug> = [baseline, now]
        .iter()
        .flat_map(|side| side.withheld().into_keys().cloned())
        .collect();
    let reason = |perspective: Slug| {
        let detail = format!(
            "Some or all of what {} says is withheld: what is withheld on one side is compared on neither.",
            wording::perspective(&perspective)
        );
        Reason {
            perspective: Some(perspective),
            ..Reason::new(ReasonCode::Withheld, detail)
        }
    };
    either.into_iter().map(reason).collect()
}

/// What inputs are about: relationships, and the service as a whole.
type About = BTreeSet<Option<RelationshipId>>;

fn about<'a>(inputs: impl Iterator<Item = &'a Input>) -> About {
    inputs.map(|input| input.relationship).collect()
}

/// How many relationships, and whether the service as a whole: which ones is said by the inputs.
fn subjects(about: &About) -> String {
    let relationships = match about.iter().flatten().count() {
        0 => None,
        1 => Some("one relationship".to_owned()),
        several => Some(format!("{several} relationships")),
    };
    let whole = about.contains(&None).then(|| "the service as a whole".to_owned());
    let subjects: Vec<String> = relationships.into_iter().chain(whole).collect();
    if subjects.is_empty() {
        "nothing".to_owned()
    } else {
        subjects.join(" and ")
    }
}

fn inputs_by_perspective(inputs: &[Input]) -> BTreeMap<&Slug, u32> {
    let mut sizes = BTreeMap::new();
    for input in inputs {
        *sizes.entry(&input.perspective).or_default() += input.counted();
    }
    sizes
}

fn names<'a>(perspectives: impl Iterator<Item = &'a Slug>) -> String {
    let names: Vec<String> = perspectives.map(wording::perspective).collect();
    if names.is_empty() {
        "nobody".to_owned()
    } else {
        names.join(", ")
    }
}

fn small_n(perspective: &Slug, n: u32, side: &str) -> Option<Reason> {
    (n < FEWEST_INPUTS).then(|| Reason {
        perspective: Some(perspective.clone()),
        ..Reason::new(
            ReasonCode::SmallN,
            format!(
                "There {} only {n} input{} from {}{side}; below {FEWEST_INPUTS}, a single one can decide the median.",
                if n == 1 { "is" } else { "are" },
                if n == 1 { "" } else { "s" },
                wording::perspective(perspective),
            ),
        )
    })
}
