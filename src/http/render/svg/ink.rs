//! Colours by what they are for, in two themes.
//!
//! What tells series apart is after Okabe & Ito, *Color Universal Design* (2008): colours that people with any common form of
//! colour blindness tell apart. On a white ground some of theirs are too pale, so the light theme has them darker, until a
//! line has a contrast of 3 to its ground (WCAG 2.2, 1.4.11); all text has 4.5 (1.4.3). The tints of the levels are one hue
//! from pale to deep (after `ColorBrewer`'s *Blues*), so that they stay in order in grey.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// On which ground to draw. A dark picture that is printed by itself, or as part of a page's own HTML, turns light; as an
/// image of a page it stays dark: ask for a light one there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Dark ink on white.
    #[default]
    Light,
    /// Light ink on a dark ground.
    Dark,
}

/// How many series have a colour of their own; then the colours come round again, and letters and dashes go on telling.
const SERIES: usize = 8;
/// The steps of a tint: four levels and the halves between them.
const STEPS: u8 = 7;

const LIGHT: [&str; SERIES] = [
    "#0072b2", "#c24f00", "#00805c", "#a84c80", "#3b3b3b", "#8a5d00", "#3a7ca8", "#6f6900",
];
/// Okabe and Ito's own.
const DARK: [&str; SERIES] = [
    "#56b4e9", "#e69f00", "#1fb58a", "#cc79a7", "#f2f2f2", "#e8702a", "#6f9fd8", "#f0e442",
];

/// The ends between which a level's tint stands.
const LIGHT_TINTS: [[u8; 3]; 2] = [[0xe4, 0xee, 0xf8], [0x1f, 0x66, 0xa8]];
const DARK_TINTS: [[u8; 3]; 2] = [[0x1e, 0x34, 0x4a], [0xa6, 0xd4, 0xf5]];

/// What a colour is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ink {
    /// What everything stands on.
    Ground,
    /// Words and figures.
    Text,
    /// Words of the second rank.
    Quiet,
    /// Axes, grids and frames.
    Rule,
    /// A band that sets rows apart: barely seen.
    Band,
    /// What must not be overlooked.
    Alarm,
    /// A series, by its place: 0, 1, …
    Series(usize),
    /// On a field of a series' colour.
    OnSeries(usize),
    /// How high a median stands, 0 (1) to 6 (4).
    Tint(u8),
    /// On a field of a tint.
    OnTint(u8),
}

impl Ink {
    /// The tint of a median in levels, 1 to 4, in halves.
    pub fn tint(median: f64) -> Self {
        let step = (0..STEPS).rfind(|step| 1.0 + f64::from(*step) / 2.0 <= median);
        Self::Tint(step.unwrap_or_default())
    }

    /// What is written on a field of this colour.
    #[must_use]
    pub fn on(self) -> Self {
        match self {
            Self::Series(place) => Self::OnSeries(place),
            Self::Tint(step) => Self::OnTint(step),
            _ => Self::Text,
        }
    }

    /// The colour, as `#rrggbb`.
    pub fn colour(self, theme: Theme) -> Cow<'static, str> {
        let is_light = theme == Theme::Light;
        let pick = |light: &'static str, dark: &'static str| Cow::Borrowed(if is_light { light } else { dark });
        match self {
            Self::Ground => pick("#ffffff", "#14181d"),
            Self::Text => pick("#1b1b1b", "#f2f2f2"),
            Self::Quiet => pick("#565656", "#b8bec6"),
            Self::Rule => pick("#8a8a8a", "#7d858f"),
            Self::Band => pick("#f1f3f5", "#20262d"),
            Self::Alarm => pick("#a8280c", "#ff9a7a"),
            Self::Series(place) => {
                let series = if is_light { &LIGHT } else { &DARK };
                Cow::Borrowed(series.get(place % SERIES).copied().unwrap_or("#000000"))
            }
            Self::OnSeries(place) => contrasting(&Self::Series(place).colour(theme)),
            Self::Tint(step) => mixed(if is_light { LIGHT_TINTS } else { DARK_TINTS }, step).into(),
            Self::OnTint(step) => contrasting(&Self::Tint(step).colour(theme)),
        }
    }
}

/// The name of a class: what prints a dark picture light goes by it.
impl fmt::Display for Ink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ground => f.write_str("ground"),
            Self::Text => f.write_str("text"),
            Self::Quiet => f.write_str("quiet"),
            Self::Rule => f.write_str("rule"),
            Self::Band => f.write_str("band"),
            Self::Alarm => f.write_str("alarm"),
            Self::Series(place) => write!(f, "series-{}", place % SERIES),
            Self::OnSeries(place) => write!(f, "on-series-{}", place % SERIES),
            Self::Tint(step) => write!(f, "tint-{step}"),
            Self::OnTint(step) => write!(f, "on-tint-{step}"),
        }
    }
}

/// The colour at this step between two.
fn mixed([from, to]: [[u8; 3]; 2], step: u8) -> String {
    let channels = from.into_iter().zip(to).map(|(from, to)| {
        let share = u16::from(step.min(STEPS - 1));
        let steps = u16::from(STEPS - 1);
        (u16::from(from) * (steps - share) + u16::from(to) * share) / steps
    });
    channels.fold("#".to_owned(), |hex, channel| hex + &format!("{channel:02x}"))
}

/// Black or white, whichever is read better on this colour. One of them always has a contrast of 4.5.
fn contrasting(colour: &str) -> Cow<'static, str> {
    Cow::Borrowed(if contrast(colour, "#000000") >= contrast(colour, "#ffffff") {
        "#000000"
    } else {
        "#ffffff"
    })
}

/// The contrast of two colours, 1 to 21 (WCAG 2.2).
fn contrast(a: &str, b: &str) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// The relative luminance of `#rrggbb`, 0 to 1 (WCAG 2.2).
fn luminance(colour: &str) -> f64 {
    let channel = |from: usize| {
        let hex = colour.get(from..from + 2).unwrap_or("00");
        let value = f64::from(u8::from_str_radix(hex, 16).unwrap_or_default()) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

#[cfg(test)]
mod tests {
    use super::{Ink, SERIES, STEPS, Theme, contrast, luminance};

    const THEMES: [Theme; 2] = [Theme::Light, Theme::Dark];

    #[test]
    fn words_have_a_contrast_of_four_and_a_half_and_lines_of_three() {
        for theme in THEMES {
            let between = |a: Ink, b: Ink| contrast(&a.colour(theme), &b.colour(theme));
            for words in [Ink::Text, Ink::Quiet, Ink::Alarm] {
                for ground in [Ink::Ground, Ink::Band] {
                    assert!(between(words, ground) >= 4.5, "{words} on {ground}, {theme:?}");
                }
            }
            let lines = (0..SERIES).map(Ink::Series).chain([Ink::Rule]);
            for line in lines {
                assert!(between(line, Ink::Ground) >= 3.0, "{line}, {theme:?}");
                assert!(
                    between(line.on(), line) >= 4.5 || line == Ink::Rule,
                    "{line}, {theme:?}"
                );
            }
            for tint in (0..STEPS).map(Ink::Tint) {
                assert!(between(tint.on(), tint) >= 4.5, "{tint}, {theme:?}");
            }
        }
    }

    #[test]
    fn tints_stay_in_order_in_grey() {
        for theme in THEMES {
            let greys: Vec<f64> = (0..STEPS)
                .map(|step| luminance(&Ink::Tint(step).colour(theme)))
                .collect();
            let rising = greys.windows(2).all(|pair| pair[0] < pair[1]);
            let falling = greys.windows(2).all(|pair| pair[0] > pair[1]);
            assert!(if theme == Theme::Light { falling } else { rising }, "{greys:?}");
        }
        assert_eq!(
            (Ink::tint(1.0), Ink::tint(2.5), Ink::tint(4.0)),
            (Ink::Tint(0), Ink::Tint(3), Ink::Tint(6))
        );
    }

    #[test]
    fn every_series_has_its_own_colour() {
        for theme in THEMES {
            let colours: std::collections::BTreeSet<_> =
                (0..SERIES).map(|place| Ink::Series(place).colour(theme)).collect();
            assert_eq!(colours.len(), SERIES);
        }
    }
}
