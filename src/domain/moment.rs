//! Points in time.

use std::{fmt, str::FromStr};

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type, schema::AnyOfBuilder},
};

/// A point in time, in UTC, to the microsecond: the finest both databases keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(DateTime<Utc>);

/// The text is not a timestamp of RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 timestamp")]
pub struct NotAMoment;

impl Moment {
    /// This many microseconds after 1970-01-01T00:00:00Z; `None` beyond what the calendar can say.
    pub fn from_micros(micros: i64) -> Option<Self> {
        DateTime::from_timestamp_micros(micros).map(Self)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    pub fn seconds(self) -> i64 {
        self.0.timestamp()
    }

    /// This many seconds later (earlier where negative), or the same moment at the calendar's end.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        TimeDelta::try_seconds(seconds)
            .and_then(|delta| self.0.checked_add_signed(delta))
            .map_or(self, Self)
    }

    /// Midnight (UTC) of its day.
    #[must_use]
    pub fn midnight(self) -> Self {
        Self(self.0.date_naive().and_time(NaiveTime::MIN).and_utc())
    }

    /// A timestamp of RFC 3339, or a bare date: its midnight in UTC.
    pub fn parse_date_or_time(text: &str) -> Result<Self, NotAMoment> {
        match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Ok(date) if text.len() == 10 => date
                .and_hms_opt(0, 0, 0)
                .map(|midnight| Self(midnight.and_utc()))
                .ok_or(NotAMoment),
            _ => text.parse(),
        }
    }
}

impl From<DateTime<Utc>> for Moment {
    fn from(at: DateTime<Utc>) -> Self {
        Self(DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl FromStr for Moment {
    type Err = NotAMoment;

    fn from_str(text: &str) -> Result<Self, NotAMoment> {
        DateTime::parse_from_rfc3339(text)
            .map(|at| Self::from(at.with_timezone(&Utc)))
            .map_err(|_| NotAMoment)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse_date_or_time(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339 in UTC, ending in `Z`, microseconds at most."))
            .examples(["2026-03-01T09:30:00.000000Z"])
            .into()
    }
}

impl ToSchema for Moment {
    fn name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }
}

/// What a caller may write for a moment: for the schema only.
pub struct DateOrTime;

impl PartialSchema for DateOrTime {
    fn schema() -> RefOr<Schema> {
        let string = |format| {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .format(Some(SchemaFormat::KnownFormat(format)))
        };
        AnyOfBuilder::new()
            .item(string(KnownFormat::Date))
            .item(string(KnownFormat::DateTime))
            .description(Some("An RFC 3339 timestamp, or a date, which is its midnight in UTC."))
            .examples(["2026-01-01", "2026-03-01T09:30:00Z"])
            .into()
    }
}

impl ToSchema for DateOrTime {
    fn name() -> std::borrow::Cow<'static, str> {
        "DateOrTime".into()
    }
}
