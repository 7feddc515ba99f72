//! What is being done, and what came of what was done.

use std::fmt::Write;

use super::text;
use crate::domain::{
    gap_analysis::{DistanceTravelled, Movement, StepTaken, wording, wording::Wording},
    next_step::{Content, NextStep, NextStepStatus},
};

/// The next steps that were made from an analysis; nothing where there are none.
pub(super) fn section(next_steps: &[NextStep], wording: &Wording<'_>) -> Option<String> {
    let steps = next_steps.iter().map(|step| one(&step.content, wording));
    let steps: String = steps.collect();
    (!steps.is_empty()).then(|| format!("## Next steps\n\n{steps}"))
}

fn one(step: &Content, wording: &Wording<'_>) -> String {
    let status = match step.status {
        NextStepStatus::Proposed => "proposed",
        NextStepStatus::Doing => "under way",
        NextStepStatus::Done => "done",
        NextStepStatus::Dropped => "dropped",
    };
    let mut line = format!(
        "- **{}**, from {} to {}: {} ({status}",
        text(wording.element(&step.element)),
        text(wording.level(step.from_level)),
        text(wording.level(step.next_level)),
        text(&step.what),
    );
    if let Some(by_whom) = &step.by_whom {
        let name = by_whom.external_id.as_ref().map(|id| &id.value);
        let whom = by_whom.label.as_ref().or(name);
        line.extend(whom.map(|whom| format!(", by {}", text(whom))));
    }
    line.extend(step.due.map(|due| format!(", due {due}")));
    line.push_str(")\n");
    for evidence in &step.evidence {
        _ = writeln!(line, "    - {}: {}", text(&evidence.label), link(&evidence.url));
    }
    line
}

/// An address as a link (`CommonMark`'s autolinks, in which nothing is escaped): what would end it or begin another is percent-encoded.
fn link(url: &str) -> String {
    if !["https://", "http://"].iter().any(|scheme| url.starts_with(scheme)) {
        return text(url);
    }
    let mut link = "<".to_owned();
    for c in url.chars() {
        if c.is_whitespace() || c.is_control() || "<>\\".contains(c) {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                _ = write!(link, "%{byte:02X}");
            }
        } else {
            link.push(c);
        }
    }
    link + ">"
}

/// Whether the elements moved for which the baseline's next steps were done; nothing where none was.
pub(super) fn taken(travelled: &DistanceTravelled, wording: &Wording<'_>) -> String {
    let steps = travelled.next_steps.iter().map(|step| {
        let element = text(wording.element(&step.element));
        let from = text(wording.level(step.from_level));
        format!("- **{element}**, from {from}: {}\n", moved(step))
    });
    let steps: String = steps.collect();
    if steps.is_empty() {
        return steps;
    }
    format!("\nOf the next steps that were done since:\n\n{steps}")
}

fn moved(step: &StepTaken) -> String {
    let far = wording::levels(step.levels_moved.unwrap_or_default().abs());
    match step.moved {
        Some(Movement::Toward) => format!("it moved {far} to where people wanted it."),
        Some(Movement::Away) => format!("it moved {far} away from where people wanted it."),
        Some(Movement::None) => "it has not moved.".to_owned(),
        None => "it is not compared.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::link;

    #[test]
    fn an_address_is_a_link_and_nothing_else() {
        for (url, linked) in [
            (
                "https://wiki.example.org/rota?a=b&c=_d_",
                "<https://wiki.example.org/rota?a=b&c=_d_>",
            ),
            (
                "http://x.example/><b>\n# h\\",
                "<http://x.example/%3E%3Cb%3E%0A#%20h%5C>",
            ),
            ("https://x.example/\u{2028}", "<https://x.example/%E2%80%A8>"),
            ("javascript:alert(1)", "javascript:alert(1)"),
        ] {
            assert_eq!(link(url), linked);
        }
    }
}
