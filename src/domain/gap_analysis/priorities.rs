//! What to work on first, and what to be glad of.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ElementReading, Reason, ReasonCode,
    perception::{PerceptionGap, widest},
    safety,
    wording::{self, Wording},
};
use crate::domain::{level::Level, slug::ElementKey};

/// An element to work on, and the journey it asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Priority {
    /// Its place, 1 or more.
    #[schema(minimum = 1)]
    pub rank: u32,
    /// The element.
    pub element: ElementKey,
    /// The current median of all inputs in levels, 1 to 4.
    #[schema(minimum = 1, maximum = 4)]
    pub current_median: f64,
    /// The desired median of all inputs in levels, 1 to 4.
    #[schema(minimum = 1, maximum = 4)]
    pub desired_median: f64,
    /// The median gap of all inputs in levels, −3 to 3.
    #[schema(minimum = -3, maximum = 3)]
    pub median_gap: f64,
    /// The largest difference between two perspectives' current medians in levels, 0 to 3.
    #[schema(minimum = 0, maximum = 3)]
    pub perception_difference: f64,
    /// One level up from the current median rounded down. Omitted at the highest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_level: Option<Level>,
    /// The desired median rounded up.
    pub desired_level: Level,
    /// What decided the rank, the strongest first.
    #[schema(max_items = 100_000)]
    pub reasons: Vec<Reason>,
}

impl Priority {
    /// The level from which a step leads to the next one: the current median rounded down.
    pub fn from_level(&self) -> Option<Level> {
        wording::at_most(self.current_median)
    }
}

/// An element at or above the desired level, at Maturing or Embedded, which no perspective is blind to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Strength {
    /// The element.
    pub element: ElementKey,
    /// The current median of all inputs in levels, 3 to 4.
    #[schema(minimum = 3, maximum = 4)]
    pub current_median: f64,
}

/// Every element with a median gap and every Safety alarm, in rank order.
pub(super) fn priorities(elements: &[ElementReading], gaps: &[PerceptionGap], wording: &Wording<'_>) -> Vec<Priority> {
    let mut ranked: Vec<(bool, Priority)> = elements
        .iter()
        .filter_map(|element| {
            let in_alarm = safety::alarms(element).next().is_some();
            let priority = priority(element, widest(gaps, &element.element), wording)?;
            (in_alarm || priority.median_gap > 0.0).then_some((in_alarm, priority))
        })
        .collect();
    // The sort is stable, so what is equal so far stays in model order.
    ranked.sort_by(|(a_in_alarm, a), (b_in_alarm, b)| {
        b_in_alarm
            .cmp(a_in_alarm)
            .then(b.median_gap.total_cmp(&a.median_gap))
            .then(b.perception_difference.total_cmp(&a.perception_difference))
            .then(a.current_median.total_cmp(&b.current_median))
    });
    (1..)
        .zip(ranked)
        .map(|(rank, (_, priority))| Priority { rank, ..priority })
        .collect()
}

fn priority(element: &ElementReading, widest: Option<&PerceptionGap>, wording: &Wording<'_>) -> Option<Priority> {
    let all = element.all.reading()?;
    let current_median = all.current.median?;
    let desired_median = all.desired.median?;
    let mut priority = Priority {
        rank: 0,
        element: element.element.clone(),
        current_median,
        desired_median,
        median_gap: all.gap.as_ref()?.median,
        perception_difference: widest.map_or(0.0, |gap| gap.difference),
        next_level: wording::above(current_median),
        desired_level: wording::at_least(desired_median)?,
        reasons: Vec::new(),
    };
    priority.reasons = reasons(&priority, element, all.n, widest, wording);
    Some(priority)
}

fn reasons(
    priority: &Priority,
    element: &ElementReading,
    ratings: u32,
    widest: Option<&PerceptionGap>,
    wording: &Wording<'_>,
) -> Vec<Reason> {
    let alarms = safety::alarms(element)
        .map(|(perspective, median)| safety::alarm(ReasonCode::SafetyAlarm, element, perspective, median, wording));
    let median_gap = (priority.median_gap > 0.0).then(|| {
        let gap = wording::levels(priority.median_gap);
        Reason::new(
            ReasonCode::MedianGap,
            format!("The median gap is {gap} (n = {ratings})."),
        )
    });
    let difference = widest.map(|gap| Reason::new(ReasonCode::PerceptionDifference, gap.detail.clone()));
    let current = Reason::new(
        ReasonCode::CurrentMedian,
        format!(
            "Over all inputs the current level is {}.",
            wording.median(priority.current_median)
        ),
    );
    let beyond = priority
        .next_level
        .filter(|next| *next > priority.desired_level)
        .map(|next| {
            Reason::new(
                ReasonCode::BeyondDesired,
                format!(
                    "The next level, {}, lies above what is desired, {}.",
                    wording.level(next),
                    wording.median(priority.desired_median)
                ),
            )
        });
    alarms
        .chain(median_gap)
        .chain(difference)
        .chain([current])
        .chain(beyond)
        .collect()
}

/// The strengths in model order.
pub(super) fn strengths(elements: &[ElementReading], gaps: &[PerceptionGap]) -> Vec<Strength> {
    elements
        .iter()
        .filter(|element| {
            let gap = element.all.reading().and_then(|reading| reading.gap.as_ref());
            gap.is_some_and(|gap| gap.median <= 0.0)
        })
        .filter(|element| !gaps.iter().any(|gap| gap.blind_spot && gap.element == element.element))
        .filter_map(|element| {
            let current_median = element.all.current_median().filter(|median| *median >= 3.0)?;
            Some(Strength {
                element: element.element.clone(),
                current_median,
            })
        })
        .collect()
}
