//! Perception gaps: where one perspective sees what another does not.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ElementReading, Reading,
    figures::rounded,
    wording::{self, Wording},
};
use crate::domain::slug::{ElementKey, Slug};

/// Two perspectives whose current medians of an element differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PerceptionGap {
    /// The element.
    pub element: ElementKey,
    /// The perspective with the higher current median.
    pub higher: Slug,
    /// The perspective with the lower current median.
    pub lower: Slug,
    /// The difference of the current medians in levels, 0.5 to 3.
    #[schema(minimum = 0, maximum = 3)]
    pub difference: f64,
    /// How far the two distributions of current levels overlap: 0 (nowhere) to 1 (they are the same), two decimals.
    #[schema(minimum = 0, maximum = 1)]
    pub overlap: f64,
    /// Whether the higher stands at Maturing or above and the lower at Forming or below.
    pub blind_spot: bool,
    /// The finding as a sentence.
    #[schema(max_length = 2000)]
    pub detail: String,
}

/// The perception gaps of all elements: largest difference first, then model order, then slugs.
pub(super) fn perception_gaps(elements: &[ElementReading], wording: &Wording<'_>) -> Vec<PerceptionGap> {
    let mut gaps: Vec<PerceptionGap> = elements.iter().flat_map(|element| pairs(element, wording)).collect();
    gaps.sort_by(|a, b| b.difference.total_cmp(&a.difference));
    gaps
}

/// The widest perception gap of an element, among gaps with the largest difference first.
pub(super) fn widest<'a>(gaps: &'a [PerceptionGap], element: &ElementKey) -> Option<&'a PerceptionGap> {
    gaps.iter().find(|gap| gap.element == *element)
}

fn pairs(element: &ElementReading, wording: &Wording<'_>) -> Vec<PerceptionGap> {
    let mut gaps = Vec::new();
    for (higher, above) in &element.by_perspective {
        for (lower, below) in &element.by_perspective {
            let (Some(above), Some(below)) = (above.reading(), below.reading()) else {
                continue;
            };
            match (above.current.median, below.current.median) {
                (Some(high), Some(low)) if high > low => gaps.push(PerceptionGap {
                    element: element.element.clone(),
                    higher: higher.clone(),
                    lower: lower.clone(),
                    difference: high - low,
                    overlap: overlap(above, below),
                    blind_spot: high >= 3.0 && low <= 2.0,
                    detail: format!(
                        "On “{}”, {} sees {} where {} sees {}: {} apart.",
                        wording.element(&element.element),
                        wording::perspective(higher),
                        wording.median(high),
                        wording::perspective(lower),
                        wording.median(low),
                        wording::levels(high - low),
                    ),
                }),
                _ => {}
            }
        }
    }
    gaps
}

/// Σ min(pᵢ, qᵢ) of the distributions of current levels.
fn overlap(a: &Reading, b: &Reading) -> f64 {
    let (of_a, of_b) = (i64::from(a.n), i64::from(b.n));
    let counts = a.current.counts.in_order().into_iter().zip(b.current.counts.in_order());
    let shared = counts
        .map(|(a, b)| (i64::from(a) * of_b).min(i64::from(b) * of_a))
        .sum();
    rounded(shared, of_a * of_b)
}
