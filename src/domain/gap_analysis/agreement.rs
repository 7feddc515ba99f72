//! Agreement in ordinal ratings: van der Eijk's A (2001), "Measuring agreement in ordered rating scales".

use super::figures::rounded;

/// The triples i < j < m of the four levels.
const TRIPLES: [[usize; 3]; 4] = [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]];

/// A of a distribution that has ratings: 1 where all agree, 0 where they spread evenly, −1 where they split to the ends.
pub(super) fn agreement(counts: [u32; 4]) -> f64 {
    let mut left = counts;
    let mut weighted = 0_i64;
    while let Some(smallest) = left.into_iter().filter(|count| *count > 0).min() {
        let filled = left.map(|count| count > 0);
        weighted += i64::from(smallest) * filled_levels(filled) * layer(filled);
        left = left.map(|count| count.saturating_sub(smallest));
    }
    let n: i64 = counts.into_iter().map(i64::from).sum();
    rounded(weighted, 36 * n)
}

fn filled_levels(filled: [bool; 4]) -> i64 {
    filled.into_iter().map(i64::from).sum()
}

/// A of one layer in 36ths, which all fifteen patterns divide.
fn layer(filled: [bool; 4]) -> i64 {
    let pattern = |triple: [usize; 3]| triple.map(|level| filled.get(level).copied().unwrap_or_default());
    let (mut unimodal, mut not_unimodal) = (0, 0);
    for triple in TRIPLES {
        match pattern(triple) {
            [true, true, false] | [false, true, true] => unimodal += 1,
            [true, false, true] => not_unimodal += 1,
            _ => {}
        }
    }
    let concentration = 4 - filled_levels(filled);
    match unimodal + not_unimodal {
        0 => 12 * concentration,
        triples => 6 * (2 * unimodal - 3 * not_unimodal) * concentration / triples,
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the figures are rounded, so they are equal or wrong")]
mod tests {
    use proptest::prelude::*;

    use super::agreement;

    #[test]
    fn agreement_is_one_where_all_agree_and_minus_one_where_they_split_to_the_ends() {
        assert_eq!(agreement([10, 0, 0, 0]), 1.0);
        assert_eq!(agreement([0, 0, 1, 0]), 1.0);
        assert_eq!(agreement([5, 0, 0, 5]), -1.0);
        assert_eq!(agreement([5, 5, 5, 5]), 0.0);
    }

    #[test]
    fn agreement_is_peeled_in_layers() {
        // [0,3,7,0]: 3 × 0110 (weight 6/10, U = 1, A = 2/3) and 4 × 0010 (weight 4/10, A = 1): 0.4 + 0.4.
        assert_eq!(agreement([0, 3, 7, 0]), 0.8);
        // [0,1,2,0]: 1 × 0110 (2/3 · 2/3) and 1 × 0010 (1/3 · 1): 4/9 + 3/9 = 7/9 = 0.777…
        assert_eq!(agreement([0, 1, 2, 0]), 0.78);
        // [1,0,1,0]: 1010 has TU = 1 (110 of levels 1, 3, 4) and TDU = 1 (101): U = (2 − 3)/4; A = −1/4 · 2/3 = −1/6.
        assert_eq!(agreement([1, 0, 1, 0]), -0.17);
        // [1,1,0,1]: 1101 has TU = 1 (110) and TDU = 2: U = (2 − 6)/6 = −2/3; A = −2/3 · 1/3 = −2/9.
        assert_eq!(agreement([1, 1, 0, 1]), -0.22);
        // [1,1,1,0]: TU = 3, U = 1, A = 1/3.
        assert_eq!(agreement([1, 1, 1, 0]), 0.33);
        // [4,1,0,3]: 1 × 1101 (3/8 · −2/9 = −1/12), 2 × 1001 (4/8 · −1 = −1/2), 1 × 1000 (1/8 · 1): −11/24 = −0.458…
        assert_eq!(agreement([4, 1, 0, 3]), -0.46);
    }

    proptest! {
        #[test]
        fn agreement_lies_between_minus_one_and_one(counts in prop::array::uniform4(0_u32..10_000)) {
            prop_assume!(counts.iter().sum::<u32>() > 0);
            let a = agreement(counts);
            prop_assert!((-1.0..=1.0).contains(&a));
            let [one, two, three, four] = counts;
            prop_assert_eq!(a, agreement([four, three, two, one]), "the scale has no preferred end");
        }
    }
}
