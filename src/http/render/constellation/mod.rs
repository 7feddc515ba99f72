//! A constellation in forms other than JSON: what everybody may read in it today. Whatever people wrote is escaped.

mod drawing;
mod graphml;
mod mermaid;
mod plan;
mod routes;

#[cfg(test)]
mod tests;

pub use drawing::svg;
pub use graphml::graphml;
pub use mermaid::mermaid;

use crate::domain::constellation::{Content, Party, Relationship};

/// A party by its key.
fn label_of<'a>(content: &'a Content, key: &'a crate::domain::slug::Slug) -> &'a str {
    content.party(key).map_or(key.as_str(), |party| &party.label)
}

/// The parties and the relationships that are drawn: those of today.
fn of_today(content: &Content) -> (Vec<&Party>, Vec<&Relationship>) {
    (
        content.parties.iter().filter(|party| !party.retired).collect(),
        content.relationships.iter().filter(|one| !one.retired).collect(),
    )
}

/// What is said of a relationship, beside whom it is between: "Weekly visits; one to some; in person".
fn described(relationship: &Relationship) -> String {
    let cardinality = relationship.cardinality;
    let label = relationship.label.clone();
    let ends = format!("{} to {}", cardinality.from.key(), cardinality.to.key());
    let setting = relationship.setting.map(|setting| setting.label().to_owned());
    let parts: Vec<String> = label.into_iter().chain([ends]).chain(setting).collect();
    parts.join("; ")
}
