//! The names that other systems give to our resources.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fault::Fault;

/// A resource's name in another system, unique per organisation, kind of resource, system and value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalId {
    /// The system: a URI or a short name, without `|`. Never the system of NHS numbers, which identify patients.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^|\x00-\x08\x0b\x0c\x0e-\x1f]+$",
        example = "https://crm.example.org"
    )]
    pub system: String,
    /// The name in that system.
    #[schema(min_length = 1, max_length = 200, example = "case-4711")]
    pub value: String,
}

impl fmt::Display for ExternalId {
    /// As a parameter has it: `system|value`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}|{}", self.system, self.value)
    }
}

/// The most external ids one resource may have.
pub const MOST: usize = 20;

impl ExternalId {
    /// What is wrong with these external ids, each at `/external_ids/{n}`.
    pub fn faults(ids: &[Self]) -> Vec<Fault> {
        let mut faults = Vec::new();
        if ids.len() > MOST {
            faults.push(Fault::new("/external_ids", "too_many", "At most 20 external ids."));
        }
        for (place, id) in ids.iter().enumerate() {
            faults.extend(id.own_faults(&format!("/external_ids/{place}")));
            if ids.iter().take(place).any(|earlier| earlier == id) {
                faults.push(Fault::new(
                    format!("/external_ids/{place}"),
                    "duplicate",
                    "This external id stands in the list twice.",
                ));
            }
        }
        faults
    }

    /// What is wrong with this one, at the pointer where it stands.
    pub fn own_faults(&self, at: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (name, text) in [("system", &self.system), ("value", &self.value)] {
            let length = text.chars().count();
            if length == 0 || length > 200 {
                faults.push(Fault::new(format!("{at}/{name}"), "length", "1 to 200 characters."));
            }
        }
        if self.system.contains('|') {
            faults.push(Fault::new(format!("{at}/system"), "pattern", "A system has no `|`."));
        }
        if names_the_nhs_number(&self.system) {
            faults.push(Fault::new(
                format!("{at}/system"),
                "identifies_a_patient",
                "The NHS number identifies a patient and is not stored here; use an id of your own system.",
            ));
        }
        faults
    }
}

/// Whether a system is that of NHS numbers: by the URIs and the OID of FHIR UK Core, or by name.
fn names_the_nhs_number(system: &str) -> bool {
    let plain: String = system
        .to_lowercase()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    plain.contains("nhsnumber") || plain.contains("nhsno") || system.contains("2.16.840.1.113883.2.1.4.1")
}

#[cfg(test)]
mod tests {
    use super::ExternalId;

    #[test]
    fn the_nhs_number_is_refused_under_every_name() {
        for system in [
            "https://fhir.nhs.uk/Id/nhs-number",
            "NHS Number",
            "nhs_no",
            "urn:oid:2.16.840.1.113883.2.1.4.1",
        ] {
            let id = ExternalId {
                system: system.into(),
                value: "1".into(),
            };
            let faults = ExternalId::faults(&[id]);
            assert_eq!(faults.first().map(|f| f.code), Some("identifies_a_patient"), "{system}");
        }
    }
}
