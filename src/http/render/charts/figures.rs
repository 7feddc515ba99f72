//! What a chart draws: whose readings, of which themes and elements, in which words.

use crate::{
    domain::{
        fault::{Fault, pointer},
        gap_analysis::{Analysis, Disclosed, ElementReading, GapAnalysis, Input, Reading, wording, wording::Wording},
        level::Level,
        model::{Definition, SAFETY},
        perspective::ALL,
        slug::{ElementKey, Slug},
    },
    http::render::svg::{Canvas, Seen, Theme, WIDTH},
};

use super::{Chart, frame::NOTHING};

/// The words of a model version in the language of the reader: the one place from which charts have them.
pub struct Labels<'a> {
    definition: &'a Definition,
    language: &'a str,
    wording: Wording<'a>,
}

impl<'a> Labels<'a> {
    /// Those of this model version, which are in this language (BCP 47).
    pub fn of(definition: &'a Definition, language: &'a str) -> Self {
        Self {
            definition,
            language,
            wording: Wording::of(definition),
        }
    }

    /// The language that they are in (BCP 47).
    pub fn language(&self) -> &'a str {
        self.language
    }

    /// A level: "Maturing".
    pub fn level(&self, level: Level) -> &'a str {
        self.definition.level_label(level)
    }

    /// The levels with their numbers: "1 Early stages".
    pub fn levels(&self) -> [String; 4] {
        Level::ALL.map(|level| format!("{} {}", level.value(), self.level(level)))
    }

    /// A median: "between Forming and Maturing (median 2.5)".
    pub fn median(&self, median: f64) -> String {
        self.wording.median(median)
    }

    /// A theme, or Safety: "Feelings".
    pub fn theme(&self, key: &'a str) -> &'a str {
        wording::theme_label(self.definition, key)
    }

    /// An element with its theme: "Feelings: feel heard".
    pub fn element<'s>(&'s self, key: &'s ElementKey) -> &'s str {
        self.wording.element(key)
    }

    /// A perspective: "service user".
    pub fn perspective(&self, slug: &Slug) -> String {
        wording::perspective(slug)
    }
}

/// Whose readings a chart shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Everybody's, counted together.
    All,
    /// Those of a perspective.
    Of(Slug),
}

impl Whose {
    fn named(slug: &Slug) -> Self {
        if slug.as_str() == ALL {
            Self::All
        } else {
            Self::Of(slug.clone())
        }
    }

    fn label(&self, labels: &Labels<'_>, analysis: &Analysis) -> String {
        match self {
            Self::All if analysis.withheld().is_empty() => "everybody".to_owned(),
            Self::All => "everybody who is shown".to_owned(),
            Self::Of(slug) => labels.perspective(slug),
        }
    }
}

/// Whose readings a chart shows, as a query names them; or all that is wrong with it.
///
/// A radar and a distribution show everybody, or who is named. A dumbbell and a heat map compare: they show every
/// perspective, or those that are named; a dumbbell of one perspective has everybody for its other end.
pub fn whose(
    chart: Chart,
    analysis: &Analysis,
    perspective: Option<&Slug>,
    compare: Option<&Slug>,
) -> Result<Vec<Whose>, Vec<Fault>> {
    let known = &analysis.safety.by_perspective;
    let mut faults = Vec::new();
    for (name, slug) in [("perspective", perspective), ("compare", compare)] {
        if slug.is_some_and(|slug| slug.as_str() != ALL && !known.contains_key(slug)) {
            let told = "The analysis has no reading of this perspective.";
            faults.push(Fault::new(pointer([name]), "unknown_reference", told));
        }
    }
    let first = perspective.map_or(Whose::All, Whose::named);
    let second = compare.map(Whose::named);
    if second.as_ref() == Some(&first) {
        let told = "A reading is not compared with itself.";
        faults.push(Fault::new(pointer(["compare"]), "duplicate", told));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let each: Vec<Whose> = known.keys().cloned().map(Whose::Of).collect();
    Ok(match (chart, first, second) {
        (_, first, Some(second)) => vec![first, second],
        (Chart::Dumbbell | Chart::HeatMap, Whose::All, None) if !each.is_empty() => each,
        (Chart::Dumbbell, first @ Whose::Of(_), None) => vec![first, Whose::All],
        (_, first, None) => vec![first],
    })
}

/// A reading, as far as it is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shown<'a> {
    /// It has ratings.
    Rated(&'a Reading),
    /// Nobody rated it, or everybody marked it as not applicable.
    Unrated,
    /// It has ratings, of too few people to show them.
    Withheld,
}

impl<'a> Shown<'a> {
    /// A reading. The one place that asks whether it is withheld.
    fn of(reading: Option<&'a Disclosed>) -> Self {
        match reading {
            Some(Disclosed::Shown(reading)) if reading.n > 0 => Self::Rated(reading),
            Some(Disclosed::Withheld { .. }) => Self::Withheld,
            _ => Self::Unrated,
        }
    }

    /// One side's median.
    pub fn median(self, side: Side) -> Value {
        match self {
            Self::Rated(reading) => side.of(reading).median.map_or(Value::Unrated, Value::Median),
            Self::Unrated => Value::Unrated,
            Self::Withheld => Value::Withheld,
        }
    }
}

/// A figure on the scale of the levels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A median, 1 to 4, in halves.
    Median(f64),
    /// There is none.
    Unrated,
    /// There is one, and it is not shown.
    Withheld,
}

impl Value {
    /// The median, where there is one to show.
    pub fn shown(self) -> Option<f64> {
        match self {
            Self::Median(median) => Some(median),
            _ => None,
        }
    }

    /// The value as a table shows it.
    pub fn seen(self) -> Seen {
        match self {
            Self::Median(median) => Seen::Figure(median.to_string()),
            Self::Unrated => Seen::Figure(NOTHING.to_owned()),
            Self::Withheld => Seen::Withheld,
        }
    }

    /// The value in words.
    pub fn said(self, labels: &Labels<'_>) -> String {
        match self {
            Self::Median(median) => labels.median(median),
            Self::Unrated => "no ratings".to_owned(),
            Self::Withheld => "withheld".to_owned(),
        }
    }
}

/// The two sides of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Where people are.
    Current,
    /// Where they want to be.
    Desired,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Current, Self::Desired];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Desired => "desired",
        }
    }

    /// This side of a reading.
    pub fn of(self, reading: &Reading) -> &crate::domain::gap_analysis::Side {
        match self {
            Self::Current => &reading.current,
            Self::Desired => &reading.desired,
        }
    }
}

/// Whose readings stand in one place of every row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    /// The letter that stands for them.
    pub letter: String,
    /// What they are called.
    pub name: String,
}

/// The letter of a series, by its place: A to Z, then numbers.
pub fn letter(place: usize) -> String {
    let letter = ('A'..='Z').nth(place);
    letter.map_or_else(|| format!("{}", place + 1), String::from)
}

/// A theme or an element, and what each voice says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<'a> {
    /// The name of its theme.
    pub theme: &'a str,
    /// Its own.
    pub label: &'a str,
    /// What each voice says.
    pub readings: Vec<Shown<'a>>,
    /// Whether two of these perspectives see it from different halves of the levels.
    pub is_blind_spot: bool,
}

/// All that a chart draws.
pub struct Figures<'a> {
    /// What tells the picture from others on a page.
    pub id: String,
    /// The title of the analysis.
    pub title: &'a str,
    /// How many assessments were analysed.
    pub inputs: u32,
    /// The words.
    pub labels: Labels<'a>,
    /// Whose readings are shown.
    pub voices: Vec<Voice>,
    /// The themes, and Safety.
    pub themes: Vec<Row<'a>>,
    /// The elements in model order.
    pub elements: Vec<Row<'a>>,
}

impl<'a> Figures<'a> {
    /// What these say in an analysis.
    pub fn of(gap_analysis: &'a GapAnalysis, labels: Labels<'a>, whose: &[Whose]) -> Self {
        let analysis = &gap_analysis.analysis;
        let names = whose.iter().map(|whose| whose.label(&labels, analysis)).enumerate();
        let voices = names
            .map(|(place, name)| Voice {
                letter: letter(place),
                name,
            })
            .collect();
        let pick = |all: &'a Disclosed, each: &'a std::collections::BTreeMap<Slug, Disclosed>| -> Vec<Shown<'a>> {
            let readings = whose.iter().map(|whose| match whose {
                Whose::All => Some(all),
                Whose::Of(slug) => each.get(slug),
            });
            readings.map(Shown::of).collect()
        };
        let themes = analysis
            .themes
            .iter()
            .map(|theme| (theme.theme.as_str(), &theme.all, &theme.by_perspective));
        let safety = [(SAFETY, &analysis.safety.all, &analysis.safety.by_perspective)];
        let themes = themes.chain(safety).map(|(key, all, each)| {
            let label = labels.theme(key);
            Row {
                theme: label,
                label,
                readings: pick(all, each),
                is_blind_spot: false,
            }
        });
        let names = labels.definition.ratables().map(|ratable| (ratable.key, ratable.label));
        let names: std::collections::BTreeMap<_, _> = names.collect();
        let elements = analysis.elements.iter().map(|element| Row {
            theme: labels.theme(&element.theme),
            label: names
                .get(&element.element)
                .copied()
                .unwrap_or_else(|| element.element.as_str()),
            readings: pick(&element.all, &element.by_perspective),
            is_blind_spot: is_blind_spot(analysis, element, whose),
        });
        Self {
            id: gap_analysis
                .id
                .map_or_else(|| "preview".to_owned(), |id| id.to_string()),
            title: analysis.title.as_deref().unwrap_or("Gap analysis"),
            inputs: analysis.inputs.iter().map(Input::counted).sum(),
            voices,
            themes: themes.collect(),
            elements: elements.collect(),
            labels,
        }
    }

    /// An empty picture for a chart of them.
    pub fn canvas(&self, chart: Chart, theme: Theme) -> Canvas {
        Canvas::new(
            format!("{}-{}", chart.name(), self.id),
            self.labels.language(),
            theme,
            WIDTH,
        )
    }

    /// The elements of each theme.
    pub fn by_theme(&self) -> impl Iterator<Item = (&'a str, &[Row<'a>])> {
        let themes = self.elements.chunk_by(|one, other| one.theme == other.theme);
        themes.filter_map(|rows| Some((rows.first()?.theme, rows)))
    }

    /// Who is heard, in a sentence: "service user and team".
    pub fn heard(&self) -> String {
        let names: Vec<&str> = self.voices.iter().map(|voice| voice.name.as_str()).collect();
        match names.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => names.concat(),
        }
    }
}

fn is_blind_spot(analysis: &Analysis, element: &ElementReading, whose: &[Whose]) -> bool {
    let heard = |slug: &Slug| {
        whose
            .iter()
            .any(|whose| matches!(whose, Whose::Of(other) if other == slug))
    };
    let mut gaps = analysis.perception_gaps.iter();
    gaps.any(|gap| gap.blind_spot && gap.element == element.element && heard(&gap.higher) && heard(&gap.lower))
}
