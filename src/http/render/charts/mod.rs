//! Gap analyses as charts, and series over time.
//!
//! In every chart the sides are told by line and fill (*current* solid and full, *desired* dashed, open or striped), the voices
//! by letter, shape and colour. Where nobody rated, a dash says so; what is withheld is hatched.

mod distribution;
mod dumbbell;
mod figures;
mod frame;
mod heat_map;
mod line;
mod radar;
#[cfg(test)]
mod tests;
pub mod timeline;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use figures::{Labels, Value, Whose, whose};

use self::figures::Figures;
use super::svg::Theme;
use crate::domain::gap_analysis::GapAnalysis;

/// A way to draw a gap analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Chart {
    /// The medians of the themes round a centre, current and desired; of one voice, or of two laid over each other.
    Radar,
    /// Where each perspective sees an element, on one line: how far they stand apart.
    Dumbbell,
    /// The current median of every element and perspective.
    HeatMap,
    /// How many ratings an element has at each level, current and desired.
    Distribution,
}

impl Chart {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Radar, Self::Dumbbell, Self::HeatMap, Self::Distribution];

    /// Its name in URLs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Radar => "radar",
            Self::Dumbbell => "dumbbell",
            Self::HeatMap => "heat_map",
            Self::Distribution => "distribution",
        }
    }

    /// The chart of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|chart| chart.name() == name)
    }

    /// Draws what these say in an analysis (SVG).
    pub fn draw(self, gap_analysis: &GapAnalysis, labels: Labels<'_>, whose: &[Whose], theme: Theme) -> String {
        self.of_figures(&Figures::of(gap_analysis, labels, whose), theme)
    }

    fn of_figures(self, figures: &Figures<'_>, theme: Theme) -> String {
        match self {
            Self::Radar => radar::draw(figures, theme),
            Self::Dumbbell => dumbbell::draw(figures, theme),
            Self::HeatMap => heat_map::draw(figures, theme),
            Self::Distribution => distribution::draw(figures, theme),
        }
    }
}
