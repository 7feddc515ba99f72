//! Pages of lists, by keyset: no page is skipped or shown twice, however much is written meanwhile.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::moment::Moment;

/// Where a page begins, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// At most so many items, 1 to 200.
    pub limit: u16,
    /// The last item of the page before.
    pub after: Option<Position>,
}

/// An item's place in the order of its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// When it last changed, in lists by `updated_since`.
    pub at: Option<Moment>,
    /// Its id, or (of versions) its number.
    pub id: Uuid,
}

impl Page {
    /// How many rows to ask for: one more than the page holds tells whether another follows.
    pub(super) fn rows(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Cuts rows to the page, and says where the next one begins, if there is one.
    pub(super) fn cut<T>(&self, mut rows: Vec<T>, position: impl Fn(&T) -> Position) -> (Vec<T>, Option<Position>) {
        let limit = usize::from(self.limit);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(position) } else { None };
        (rows, next)
    }
}

/// The nil UUID carrying a version's number, so that lists of versions page like all others.
pub(super) fn version_position(version: i32) -> Position {
    Position {
        at: None,
        id: Uuid::from_u128(u128::from(version.unsigned_abs())),
    }
}

/// The number in [`version_position`].
pub(super) fn position_version(position: Position) -> i32 {
    i32::try_from(position.id.as_u128()).unwrap_or(i32::MAX)
}
