//! The values of a sparse matrix, in two bytes each where that loses nothing.

use std::collections::TryReserveError;
use std::ops::Range;

/// Values in the narrowest form that holds them exactly. Two of them are equal if the numbers are.
///
/// Counts of molecules are small whole numbers: in two bytes a screen needs three quarters of the memory (with its four-byte
/// indices) that it needs in four.
#[derive(Clone, Debug)]
pub enum Values {
    /// Whole numbers from 0 to 65,535.
    Small(Vec<u16>),
    /// Anything else.
    Real(Vec<f32>),
}

impl Default for Values {
    fn default() -> Self {
        Self::Small(Vec::new())
    }
}

impl From<Vec<f32>> for Values {
    /// As they are; [`Values::narrow`] looks whether two bytes suffice.
    fn from(values: Vec<f32>) -> Self {
        Self::Real(values)
    }
}

impl From<Vec<u16>> for Values {
    fn from(values: Vec<u16>) -> Self {
        Self::Small(values)
    }
}

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Small(a), Self::Small(b)) => a == b,
            (Self::Real(a), Self::Real(b)) => a == b,
            _ => self.len() == other.len() && self.iter().eq(other.iter()),
        }
    }
}

impl Values {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::Small(values) => values.len(),
            Self::Real(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `at`; panics beyond the end.
    pub fn get(&self, at: usize) -> f32 {
        match self {
            Self::Small(values) => f32::from(values[at]),
            Self::Real(values) => values[at],
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = f32> + Clone + '_ {
        self.slice(0..self.len()).iter()
    }

    /// Those in `range`; panics beyond the end.
    pub fn slice(&self, range: Range<usize>) -> RowValues<'_> {
        match self {
            Self::Small(values) => RowValues::Small(&values[range]),
            Self::Real(values) => RowValues::Real(&values[range]),
        }
    }

    /// Append one; the first that does not fit into two bytes widens all.
    pub fn push(&mut self, value: f32) {
        if let Self::Small(values) = self {
            match small(value) {
                Some(value) => return values.push(value),
                None => self.widen(1),
            }
        }
        if let Self::Real(values) = self {
            values.push(value);
        }
    }

    /// Append several.
    pub fn extend(&mut self, more: &[f32]) {
        if let Self::Small(values) = self {
            let before = values.len();
            values.reserve(more.len());
            for &value in more {
                match small(value) {
                    Some(value) => values.push(value),
                    None => break,
                }
            }
            if values.len() == before + more.len() {
                return;
            }
            values.truncate(before);
            self.widen(more.len());
        }
        if let Self::Real(values) = self {
            values.extend_from_slice(more);
        }
    }

    /// None yet, with room for `capacity` small ones.
    pub fn try_with_capacity(capacity: usize) -> Result<Self, TryReserveError> {
        let mut values = Vec::new();
        values.try_reserve_exact(capacity)?;
        Ok(Self::Small(values))
    }

    /// Replace the value at `at`; panics beyond the end. One that does not fit into two bytes widens all.
    pub fn set(&mut self, at: usize, value: f32) {
        if let Self::Small(values) = self {
            match small(value) {
                Some(value) => return values[at] = value,
                None => self.widen(0),
            }
        }
        if let Self::Real(values) = self {
            values[at] = value;
        }
    }

    /// Append `count` zeros.
    pub fn extend_zeros(&mut self, count: usize) {
        match self {
            Self::Small(values) => values.resize(values.len() + count, 0),
            Self::Real(values) => values.resize(values.len() + count, 0.0),
        }
    }

    /// Leave the first `length`.
    pub fn truncate(&mut self, length: usize) {
        match self {
            Self::Small(values) => values.truncate(length),
            Self::Real(values) => values.truncate(length),
        }
    }

    /// No values, of the same form, with room for `capacity`.
    pub(super) fn empty_like(&self, capacity: usize) -> Self {
        match self {
            Self::Small(_) => Self::Small(Vec::with_capacity(capacity)),
            Self::Real(_) => Self::Real(Vec::with_capacity(capacity)),
        }
    }

    /// Append the part `range` of `other`.
    pub(super) fn extend_from(&mut self, other: &Self, range: Range<usize>) {
        match (&mut *self, other) {
            (Self::Small(to), Self::Small(from)) => to.extend_from_slice(&from[range]),
            (Self::Real(to), Self::Real(from)) => to.extend_from_slice(&from[range]),
            _ => range.for_each(|at| self.push(other.get(at))),
        }
    }

    /// Use two bytes each, if that loses nothing.
    pub fn narrow(&mut self) {
        let Self::Real(values) = self else { return };
        if values.iter().all(|&value| small(value).is_some()) {
            *self = Self::Small(values.iter().map(|&value| value as u16).collect());
        }
    }

    /// Four bytes each, with room for `more`. Room that was reserved is reserved again.
    fn widen(&mut self, more: usize) {
        let Self::Small(values) = self else { return };
        let mut wide = Vec::with_capacity(values.capacity().max(values.len() + more));
        wide.extend(values.iter().map(|&value| f32::from(value)));
        *self = Self::Real(wide);
    }

    /// All of them in four bytes.
    pub fn into_f32s(self) -> Vec<f32> {
        match self {
            Self::Small(values) => values.into_iter().map(f32::from).collect(),
            Self::Real(values) => values,
        }
    }
}

/// The value in two bytes, if it fits. A negative zero does not.
fn small(value: f32) -> Option<u16> {
    let narrow = value as u16;
    (f32::from(narrow).to_bits() == value.to_bits()).then_some(narrow)
}

/// Part of the values.
#[derive(Clone, Copy, Debug)]
pub enum RowValues<'a> {
    /// Whole numbers.
    Small(&'a [u16]),
    /// Anything else.
    Real(&'a [f32]),
}

impl<'a> RowValues<'a> {
    pub(super) fn get(self, at: usize) -> f32 {
        match self {
            Self::Small(values) => f32::from(values[at]),
            Self::Real(values) => values[at],
        }
    }

    pub(super) fn part(self, range: Range<usize>) -> Self {
        match self {
            Self::Small(values) => Self::Small(&values[range]),
            Self::Real(values) => Self::Real(&values[range]),
        }
    }

    pub(super) fn sum(self) -> f64 {
        match self {
            Self::Small(values) => values.iter().map(|&value| u64::from(value)).sum::<u64>() as f64,
            Self::Real(values) => values.iter().map(|&value| f64::from(value)).sum(),
        }
    }

    /// All of them.
    pub fn iter(self) -> ValueIter<'a> {
        match self {
            Self::Small(values) => ValueIter::Small(values.iter()),
            Self::Real(values) => ValueIter::Real(values.iter()),
        }
    }
}

#[derive(Clone, Debug)]
/// Values one by one.
pub enum ValueIter<'a> {
    Small(std::slice::Iter<'a, u16>),
    Real(std::slice::Iter<'a, f32>),
}

impl Iterator for ValueIter<'_> {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        match self {
            Self::Small(values) => values.next().map(|&value| f32::from(value)),
            Self::Real(values) => values.next().copied(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Small(values) => values.size_hint(),
            Self::Real(values) => values.size_hint(),
        }
    }

    // One decision for the whole loop instead of one per value.
    fn fold<B, F: FnMut(B, f32) -> B>(self, start: B, mut join: F) -> B {
        match self {
            Self::Small(values) => values.fold(start, |sum, &value| join(sum, f32::from(value))),
            Self::Real(values) => values.fold(start, |sum, &value| join(sum, value)),
        }
    }
}

impl ExactSizeIterator for ValueIter<'_> {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn values_come_back_as_they_were(
            numbers in prop::collection::vec(prop_oneof![
                8 => (0u32..70_000).prop_map(|value| value as f32),
                1 => any::<f32>().prop_filter("comparable", |value| !value.is_nan()),
            ], 0..60),
            cut in 0usize..60,
        ) {
            let mut pushed = Values::default();
            numbers.iter().for_each(|&value| pushed.push(value));
            let mut extended = Values::default();
            let cut = cut.min(numbers.len());
            extended.extend(&numbers[..cut]);
            extended.extend(&numbers[cut..]);
            let mut narrowed = Values::from(numbers.clone());
            narrowed.narrow();
            for values in [&pushed, &extended, &narrowed] {
                prop_assert!(values.iter().map(f32::to_bits).eq(numbers.iter().map(|value| value.to_bits())));
            }
            let fits = numbers.iter().all(|&value| small(value).is_some());
            prop_assert_eq!(matches!(narrowed, Values::Small(_)), fits);
            prop_assert_eq!(matches!(extended, Values::Small(_)), fits);
            prop_assert_eq!(narrowed.clone().into_f32s().len(), numbers.len());
            prop_assert_eq!(&narrowed, &Values::from(numbers));
        }
    }
}
