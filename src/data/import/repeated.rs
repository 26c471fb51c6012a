//! Values that share cell and gene.

use crate::data::Values;

/// SciPy allows a position to be stored several times and means the sum: sort rows where needed and add up. Returns how many values were
/// added to another.
pub(in crate::data) fn add_up_repeated(starts: &mut [usize], indices: &mut Vec<u32>, values: &mut Values) -> usize {
    let rows = starts.len() - 1;
    let sorted = |row: &[u32]| row.is_sorted_by(|a, b| a < b);
    if (0..rows).all(|row| sorted(&indices[starts[row]..starts[row + 1]])) {
        return 0;
    }
    let mut pairs: Vec<(u32, f32)> = Vec::new();
    let (mut kept, mut start, before) = (0, 0, indices.len());
    for row in 0..rows {
        let end = starts[row + 1];
        pairs.clear();
        pairs.extend(indices[start..end].iter().copied().zip(values.slice(start..end).iter()));
        pairs.sort_by_key(|&(column, _)| column);
        let first = kept;
        for &(column, value) in &pairs {
            if kept > first && indices[kept - 1] == column {
                values.set(kept - 1, values.get(kept - 1) + value);
            } else {
                indices[kept] = column;
                values.set(kept, value);
                kept += 1;
            }
        }
        start = end;
        starts[row + 1] = kept;
    }
    indices.truncate(kept);
    values.truncate(kept);
    before - kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_positions_are_added_up() {
        let mut starts = vec![0, 3, 3, 5];
        let mut indices = vec![2, 0, 2, 1, 0];
        let mut values = Values::from(vec![1.0, 5.0, 2.0, 7.0, 8.0]);
        assert_eq!(add_up_repeated(&mut starts, &mut indices, &mut values), 1);
        assert_eq!(starts, [0, 2, 2, 4]);
        assert_eq!(indices, [0, 2, 0, 1]);
        assert_eq!(values, Values::from(vec![5.0, 3.0, 8.0, 7.0]));
    }
}
