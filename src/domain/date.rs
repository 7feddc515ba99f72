//! Days of the calendar.

use std::{fmt, str::FromStr};

use chrono::{NaiveDate, NaiveTime};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

use super::moment::Moment;

/// A day, without a time or a place on earth: what people agree on. RFC 3339's `full-date`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(NaiveDate);

/// The text is not a date of RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date")]
pub struct NotADate;

impl Date {
    /// Its beginning in UTC: by that it is kept and compared with moments.
    pub fn midnight(self) -> Moment {
        self.0.and_time(NaiveTime::MIN).and_utc().into()
    }
}

impl FromStr for Date {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        // The parser also takes one digit where the standard has two.
        match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Ok(date) if text.len() == 10 && text.starts_with(|c: char| c.is_ascii_digit()) => Ok(Self(date)),
            _ => Err(NotADate),
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl PartialSchema for Date {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
            .description(Some("A day of the calendar (RFC 3339, `full-date`)."))
            .examples(["2026-06-30"])
            .into()
    }
}

impl ToSchema for Date {}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn a_day_has_one_spelling() {
        for text in ["2026-6-30", "2026-06-31", "+2026-06-3", "2026-06-30T00:00:00Z", ""] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
        let day: Date = "2026-06-30".parse().expect("a day");
        assert_eq!(
            (day.to_string(), day.midnight().to_string()),
            ("2026-06-30".to_owned(), "2026-06-30T00:00:00.000000Z".to_owned())
        );
    }
}
