//! The four maturity levels.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How mature a service relationship is in one element: ordinal, 1 to 4. In JSON always its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 1
    EarlyStages,
    /// 2
    Forming,
    /// 3
    Maturing,
    /// 4
    Embedded,
}

impl Level {
    /// The levels in their order.
    pub const ALL: [Self; 4] = [Self::EarlyStages, Self::Forming, Self::Maturing, Self::Embedded];

    /// The place in the order, 1 to 4.
    pub const fn value(self) -> u8 {
        match self {
            Self::EarlyStages => 1,
            Self::Forming => 2,
            Self::Maturing => 3,
            Self::Embedded => 4,
        }
    }

    /// The level with this value; `None` outside 1 to 4.
    pub const fn from_value(value: u8) -> Option<Self> {
        match value {
            1 => Some(Self::EarlyStages),
            2 => Some(Self::Forming),
            3 => Some(Self::Maturing),
            4 => Some(Self::Embedded),
            _ => None,
        }
    }

    /// The key by which JSON names it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::EarlyStages => "early_stages",
            Self::Forming => "forming",
            Self::Maturing => "maturing",
            Self::Embedded => "embedded",
        }
    }
}
