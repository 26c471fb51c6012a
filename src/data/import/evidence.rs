//! What the values of a matrix say about what it holds.

use crate::data::MatrixKind;
use crate::words::grouped;

/// A count may be this far from a whole number.
const WHOLE: f32 = 1e-3;
/// log1p of normalised counts stays below this.
const LARGEST_LOG: f32 = 15.0;

/// Tallies of the non-zero values that were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::data) struct Evidence {
    pub(in crate::data) values: usize,
    pub(in crate::data) negative: usize,
    pub(in crate::data) fractional: usize,
    pub(in crate::data) largest: f32,
    pub(in crate::data) smallest: f32,
}

impl Evidence {
    /// Look at `values`; zeros tell nothing.
    pub(in crate::data) fn add(&mut self, values: &[f32]) {
        self.add_all(values.iter().copied());
    }

    /// Look at `values`; zeros tell nothing.
    pub(in crate::data) fn add_all(&mut self, values: impl Iterator<Item = f32>) {
        for value in values {
            self.values += usize::from(value != 0.0);
            self.negative += usize::from(value < 0.0);
            self.fractional += usize::from((value - value.round()).abs() > WHOLE);
            self.largest = self.largest.max(value);
            self.smallest = self.smallest.min(value);
        }
    }

    /// What such values are.
    pub(in crate::data) fn kind(&self) -> MatrixKind {
        if self.negative > 0 {
            MatrixKind::Scaled
        } else if self.fractional == 0 {
            MatrixKind::Counts
        } else if self.largest < LARGEST_LOG {
            MatrixKind::LogNormalised
        } else {
            MatrixKind::Scaled
        }
    }

    /// The evidence in a clause; `looked_at` says at what: `all` or `sampled`.
    pub(in crate::data) fn reason(&self, looked_at: &str) -> String {
        let values = grouped(self.values);
        let largest = self.largest;
        match self.kind() {
            MatrixKind::Counts if self.values == 0 => format!("{looked_at} values are zero"),
            MatrixKind::Counts => {
                format!("{looked_at} {values} values are whole numbers up to {largest}, none negative")
            }
            MatrixKind::LogNormalised => {
                format!(
                    "of {looked_at} {values} values {} are fractional, none negative, the largest is {largest:.2}",
                    grouped(self.fractional)
                )
            }
            MatrixKind::Scaled if self.negative > 0 => {
                format!(
                    "of {looked_at} {values} values {} are negative, down to {:.2}",
                    grouped(self.negative),
                    self.smallest
                )
            }
            MatrixKind::Scaled | MatrixKind::Effects => format!(
                "of {looked_at} {values} values {} are fractional and the largest is {largest:.1}: normalised, but not on a log scale",
                grouped(self.fractional)
            ),
        }
    }
}

/// In words, for people.
pub(in crate::data) fn kind_label(kind: MatrixKind) -> &'static str {
    match kind {
        MatrixKind::Counts => "counts",
        MatrixKind::LogNormalised => "log-normalised",
        MatrixKind::Scaled => "scaled",
        MatrixKind::Effects => "effects",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(values: &[f32]) -> MatrixKind {
        let mut evidence = Evidence::default();
        evidence.add(values);
        evidence.kind()
    }

    #[test]
    fn values_tell_what_a_matrix_holds() {
        assert_eq!(kind(&[0.0, 1.0, 1036.0, 2.0005]), MatrixKind::Counts);
        assert_eq!(kind(&[0.0, 0.41, 3.36]), MatrixKind::LogNormalised);
        assert_eq!(kind(&[0.0, 0.41, -3.36]), MatrixKind::Scaled);
        assert_eq!(kind(&[-1.0, 3.0]), MatrixKind::Scaled);
        assert_eq!(kind(&[0.5, 830.2]), MatrixKind::Scaled);
        assert_eq!(kind(&[]), MatrixKind::Counts);
    }
}
