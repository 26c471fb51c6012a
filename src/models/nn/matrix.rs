//! Matrices in slices, and their product.

/// A matrix to read, seen through strides (rows, columns).
#[derive(Clone, Copy)]
pub struct View<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    strides: [usize; 2],
}

/// A row-major matrix to write, or some of its columns.
pub struct ViewMut<'a> {
    values: &'a mut [f32],
    rows: usize,
    columns: usize,
    stride: usize,
}

impl<'a> View<'a> {
    /// `values` row by row, `columns` in each.
    pub fn new(values: &'a [f32], columns: usize) -> Self {
        let rows = values.len() / columns.max(1);
        assert_eq!(values.len(), rows * columns, "a matrix has rows × columns values");
        Self { values, rows, columns, strides: [columns, 1] }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The same values, rows and columns swapped.
    pub fn transposed(self) -> Self {
        let [row, column] = self.strides;
        Self { values: self.values, rows: self.columns, columns: self.rows, strides: [column, row] }
    }

    /// `count` columns from the one at `from`.
    pub fn columns(self, from: usize, count: usize) -> Self {
        assert!(from + count <= self.columns, "columns lie within the matrix");
        let start = (from * self.strides[1]).min(self.values.len());
        Self { values: &self.values[start..], columns: count, ..self }
    }

    /// The value of a row and column.
    pub fn at(&self, row: usize, column: usize) -> f32 {
        self.values[row * self.strides[0] + column * self.strides[1]]
    }

    fn holds_its_size(&self) -> bool {
        let last = |count: usize, stride: usize| count.saturating_sub(1) * stride;
        self.rows == 0
            || self.columns == 0
            || last(self.rows, self.strides[0]) + last(self.columns, self.strides[1]) < self.values.len()
    }
}

impl<'a> ViewMut<'a> {
    /// `values` row by row, `columns` in each.
    pub fn new(values: &'a mut [f32], columns: usize) -> Self {
        let rows = values.len() / columns.max(1);
        assert_eq!(values.len(), rows * columns, "a matrix has rows × columns values");
        Self { values, rows, columns, stride: columns }
    }

    /// `count` columns from the one at `from`.
    pub fn columns(self, from: usize, count: usize) -> Self {
        assert!(from + count <= self.columns, "columns lie within the matrix");
        let start = from.min(self.values.len());
        Self { values: &mut self.values[start..], columns: count, ..self }
    }

    /// The value of a row and column.
    pub fn at(&mut self, row: usize, column: usize) -> &mut f32 {
        &mut self.values[row * self.stride + column]
    }
}

/// What becomes of the values that a product finds where it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Into {
    /// They are lost.
    Fresh,
    /// It is added to them.
    Sum,
}

/// `scale` · `left` · `right`, on all cores; the same whatever their number.
#[allow(unsafe_code)]
pub fn product(out: ViewMut, into: Into, scale: f32, left: View, right: View) {
    assert_eq!(left.columns, right.rows, "inner dimensions agree");
    assert_eq!(
        (out.rows, out.columns),
        (left.rows, right.columns),
        "the product has the left's rows, the right's columns"
    );
    let (m, n, k) = (left.rows, right.columns, left.columns);
    if m == 0 || n == 0 {
        return;
    }
    let end = (m - 1) * out.stride + n;
    assert!(
        left.holds_its_size() && right.holds_its_size() && end <= out.values.len(),
        "matrices lie within their slices"
    );
    let threads = rayon::current_num_threads();
    let parallelism = if threads > 1 { gemm::Parallelism::Rayon(threads) } else { gemm::Parallelism::None };
    let keep = into == Into::Sum;
    // SAFETY: asserted above: every (row, column) of the three lies inside its slice, and `out` is borrowed alone.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.values.as_mut_ptr(),
            1,
            out.stride as isize,
            keep,
            left.values.as_ptr(),
            left.strides[1] as isize,
            left.strides[0] as isize,
            right.values.as_ptr(),
            right.strides[1] as isize,
            right.strides[0] as isize,
            f32::from(u8::from(keep)),
            scale,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_parts_and_transposes_are_those_of_the_definition() {
        let (rows, inner, columns) = (5, 7, 3);
        let wide: Vec<f32> = (0..rows * 10).map(|at| (at as f32 * 0.37).sin()).collect();
        let tall: Vec<f32> = (0..columns * inner).map(|at| (at as f32 * 0.61).cos()).collect();
        let left = View::new(&wide, 10).columns(2, inner);
        let right = View::new(&tall, inner).transposed();
        let mut out = vec![1.0f32; rows * 6];
        for (into, before) in [(Into::Sum, 1.0), (Into::Fresh, 0.0)] {
            product(ViewMut::new(&mut out, 6).columns(1, columns), into, 2.0, left, right);
            for row in 0..rows {
                for column in 0..columns {
                    let sum: f32 = (0..inner).map(|at| wide[row * 10 + 2 + at] * tall[column * inner + at]).sum();
                    assert!((out[row * 6 + 1 + column] - (before + 2.0 * sum)).abs() < 1e-5);
                }
                assert_eq!([out[row * 6], out[row * 6 + 4], out[row * 6 + 5]], [1.0; 3], "other columns stay");
            }
        }
        // Nothing to sum over: nothing, or what was there.
        let mut out = vec![3.0f32; 4];
        product(ViewMut::new(&mut out, 2), Into::Sum, 1.0, View::new(&[], 0).rows_of(2), View::new(&[], 2));
        assert_eq!(out, [3.0; 4]);
        product(ViewMut::new(&mut out, 2), Into::Fresh, 1.0, View::new(&[], 0).rows_of(2), View::new(&[], 2));
        assert_eq!(out, [0.0; 4]);
    }

    impl View<'_> {
        /// As many rows of no columns.
        fn rows_of(self, rows: usize) -> Self {
            Self { rows, ..self }
        }
    }
}
