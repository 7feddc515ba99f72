//! Figures from counts: exact integers, rounded once.

/// The median of a distribution whose first count is of `lowest`, each next one of one more.
pub(super) fn median(counts: &[u32], lowest: i32) -> Option<f64> {
    let n: u32 = counts.iter().sum();
    let value_at = |rank: u32| {
        let mut up_to = 0;
        (lowest..)
            .zip(counts)
            .find(|(_, count)| {
                up_to += **count;
                rank < up_to
            })
            .map(|(value, _)| value)
    };
    Some(f64::from(value_at(n.checked_sub(1)? / 2)? + value_at(n / 2)?) / 2.0)
}

pub(super) fn mean(counts: [u32; 4]) -> f64 {
    let n = counts.into_iter().map(i64::from).sum();
    rounded(
        (1..).zip(counts).map(|(value, count)| value * i64::from(count)).sum(),
        n,
    )
}

/// A ratio to two decimals, half away from zero.
pub(super) fn rounded(numerator: i64, denominator: i64) -> f64 {
    let hundredths = (numerator.abs() * 200 + denominator) / (2 * denominator) * numerator.signum();
    // No figure here lies beyond −4 to 4.
    i32::try_from(hundredths).map_or(0.0, f64::from) / 100.0
}
