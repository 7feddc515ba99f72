//! A gap analysis as CSV (RFC 4180): one row an element and perspective.

use std::{collections::BTreeMap, io};

use csv::{Terminator, Writer, WriterBuilder};

use crate::domain::{
    gap_analysis::{Disclosed, ElementReading, GapAnalysis, Reading, Side},
    level::Level,
    model::{Definition, Strand},
    slug::Slug,
};

/// The table, with a header row. Fails only where memory does.
pub fn csv(gap_analysis: &GapAnalysis, definition: &Definition) -> Result<String, csv::Error> {
    let mut table = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    let withholds = gap_analysis.analysis.minimum_group.is_some();
    table.write_record(header(withholds))?;
    let labels: BTreeMap<_, _> = definition
        .ratables()
        .map(|ratable| (ratable.key, ratable.label))
        .collect();
    for element in &gap_analysis.analysis.elements {
        let label = labels.get(&element.element).copied().unwrap_or_default();
        for (perspective, reading) in &element.by_perspective {
            write_names(&mut table, element, label, perspective)?;
            match reading {
                Disclosed::Shown(reading) => write_figures(&mut table, reading)?,
                Disclosed::Withheld { .. } => (0..FIGURES).try_for_each(|_| table.write_field(""))?,
            }
            if withholds {
                table.write_field(reading.is_withheld().to_string())?;
            }
            let agreed = element.agreed.as_ref();
            for level in [agreed.map(|levels| levels.current), agreed.map(|levels| levels.desired)] {
                table.write_field(level.map_or("", Level::key))?;
            }
            table.write_record(None::<&[u8]>)?;
        }
    }
    let bytes = table.into_inner().map_err(csv::IntoInnerError::into_error)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error).into())
}

/// How many figures a row has: two counts, two sides of seven, the median gap, and seven gaps.
const FIGURES: usize = 2 + 2 * 7 + 1 + 7;

/// The names of the columns. Only where something may be withheld does one say whether it is. What the team agreed on is the same in
/// every row of an element.
fn header(withholds: bool) -> Vec<String> {
    let fixed = [
        "element",
        "label",
        "theme",
        "strand",
        "perspective",
        "n",
        "not_applicable",
    ];
    let sides = ["current", "desired"].into_iter().flat_map(|side| {
        let levels = Level::ALL.into_iter().map(Level::key);
        levels
            .chain(["median", "mean", "agreement"])
            .map(move |figure| format!("{side}_{figure}"))
    });
    let gaps = (-3..=3).map(|gap| format!("gap_{gap}"));
    fixed
        .map(str::to_owned)
        .into_iter()
        .chain(sides)
        .chain(["gap_median".to_owned()])
        .chain(gaps)
        .chain(withholds.then(|| "withheld".to_owned()))
        .chain(["agreed_current", "agreed_desired"].map(str::to_owned))
        .collect()
}

fn write_names(
    table: &mut Writer<Vec<u8>>,
    element: &ElementReading,
    label: &str,
    perspective: &Slug,
) -> Result<(), csv::Error> {
    let strand = element.strand.map_or("", |strand| match strand {
        Strand::Safety => "safety",
    });
    for cell in [
        element.element.as_str(),
        label,
        &element.theme,
        strand,
        perspective.as_str(),
    ] {
        table.write_field(text(cell))?;
    }
    Ok(())
}

fn write_figures(table: &mut Writer<Vec<u8>>, reading: &Reading) -> Result<(), csv::Error> {
    table.write_field(reading.n.to_string())?;
    table.write_field(reading.not_applicable.to_string())?;
    for side in [&reading.current, &reading.desired] {
        write_side(table, side)?;
    }
    table.write_field(figure(reading.gap.as_ref().map(|gap| gap.median)))?;
    for count in reading.gap.as_ref().map_or([0; 7], |gap| gap.counts.in_order()) {
        table.write_field(count.to_string())?;
    }
    Ok(())
}

fn write_side(table: &mut Writer<Vec<u8>>, side: &Side) -> Result<(), csv::Error> {
    for count in side.counts.in_order() {
        table.write_field(count.to_string())?;
    }
    for value in [side.median, side.mean, side.agreement] {
        table.write_field(figure(value))?;
    }
    Ok(())
}

fn figure(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Spreadsheets take a cell that begins so for a formula.
fn text(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::csv;
    use crate::http::render::sample;

    #[test]
    fn a_row_is_an_element_and_a_perspective() {
        let (gap_analysis, definition) = sample::gap_analysis();
        let table = csv(&gap_analysis, &definition).expect("a table");
        let mut lines = table.split("\r\n");
        assert_eq!(
            lines.next(),
            Some(
                "element,label,theme,strand,perspective,n,not_applicable,\
                 current_early_stages,current_forming,current_maturing,current_embedded,current_median,current_mean,current_agreement,\
                 desired_early_stages,desired_forming,desired_maturing,desired_embedded,desired_median,desired_mean,desired_agreement,\
                 gap_median,gap_-3,gap_-2,gap_-1,gap_0,gap_1,gap_2,gap_3,agreed_current,agreed_desired"
            )
        );
        // Service users: 1→3, 1→4, 2→3. Medians 1 and 3, means 4/3 and 10/3, gaps 2, 3, 1; A of [2,1,0,0] is 7/9.
        assert_eq!(
            lines.next(),
            Some(
                "feelings.heard,feel heard,feelings,,service_user,3,0,2,1,0,0,1,1.33,0.78,0,0,2,1,3,3.33,0.78,2,0,0,0,0,1,1,1,,"
            )
        );
        // 34 elements by two perspectives, the header, and nothing after the last line's end.
        assert_eq!((lines.clone().count(), lines.last()), (34 * 2, Some("")));
    }

    #[test]
    fn text_cannot_become_a_formula_and_numbers_stay_numbers() {
        let (gap_analysis, mut definition) = sample::gap_analysis();
        definition.themes[0].elements[0].label = "=HYPERLINK(\"http://x\"), \"now\"".to_owned();
        definition.themes[0].elements[1].label = "-1".to_owned();
        let table = csv(&gap_analysis, &definition).expect("a table");
        assert!(table.contains("\r\nfeelings.listened_to,'-1,feelings,"));
        assert!(table.contains("feelings.heard,\"'=HYPERLINK(\"\"http://x\"\"), \"\"now\"\"\",feelings,"));
        // Relationship: realistic, team: 4→3, so a median gap of −1.
        assert!(table.contains(
            "relationship.realistic,realistic,relationship,,team,3,0,0,0,0,3,4,4,1,0,0,3,0,3,3,1,-1,0,0,3,0,0,0,0,,\r\n"
        ));
    }
}
