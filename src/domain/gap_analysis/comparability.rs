//! Whether two sides can be compared, and if not, why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Analysis, Input, Reason, ReasonCode, wording};
use crate::domain::slug::Slug;

/// With fewer inputs than this, a single one can decide the median.
const FEWEST_INPUTS: usize = 3;

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
pub(super) fn of_perspectives(inputs: &[Input]) -> Comparability {
    let sizes = inputs_by_perspective(inputs);
    if sizes.len() < 2 {
        return Vec::new().into();
    }
    sizes
        .into_iter()
        .filter_map(|(perspective, n)| small_n(perspective, n, ""))
        .collect::<Vec<_>>()
        .into()
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
    let perspectives = (!earlier.keys().eq(later.keys())).then(|| {
        Reason::new(
            ReasonCode::Perspectives,
            format!(
                "The baseline heard {}; this analysis heard {}.",
                names(&earlier),
                names(&later)
            ),
        )
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
        .chain(small)
        .collect::<Vec<_>>()
        .into()
}

fn inputs_by_perspective(inputs: &[Input]) -> BTreeMap<&Slug, usize> {
    let mut sizes = BTreeMap::new();
    for input in inputs {
        *sizes.entry(&input.perspective).or_default() += 1;
    }
    sizes
}

fn names(perspectives: &BTreeMap<&Slug, usize>) -> String {
    let names: Vec<String> = perspectives.keys().map(|slug| wording::perspective(slug)).collect();
    if names.is_empty() {
        "nobody".to_owned()
    } else {
        names.join(", ")
    }
}

fn small_n(perspective: &Slug, n: usize, side: &str) -> Option<Reason> {
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
