//! Loops over plain slices, shared by the custom operations.

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, bail};

/// Slope of LeakyReLU below zero, as published.
pub const LEAK: f32 = 0.01;

/// The contiguous f32 values behind a storage.
pub(super) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else { bail!("expected a contiguous tensor") };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// Call `read` with the contiguous f32 values of a tensor on the processor.
pub(super) fn with_slice<T>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(read(slice(storage, layout)?)),
        _ => bail!("expected a tensor on the processor"),
    }
}

/// A row-major matrix seen through strides (rows, columns).
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub values: &'a [f32],
    pub rows: usize,
    pub columns: usize,
    pub strides: [usize; 2],
}

impl<'a> View<'a> {
    /// `values` as `rows` × `columns`.
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "a matrix has rows × columns values");
        Self { values, rows, columns, strides: [columns, 1] }
    }

    /// The same values, rows and columns swapped.
    pub fn transposed(self) -> Self {
        let [row, column] = self.strides;
        Self { values: self.values, rows: self.columns, columns: self.rows, strides: [column, row] }
    }
}

/// `left` · `right`, row-major.
#[allow(unsafe_code)]
pub(super) fn matmul(left: View, right: View) -> Vec<f32> {
    assert_eq!(left.columns, right.rows, "inner dimensions agree");
    let (m, n, k) = (left.rows, right.columns, left.columns);
    let mut product = vec![0.0f32; m * n];
    if m == 0 || n == 0 || k == 0 {
        return product;
    }
    let threads = rayon::current_num_threads();
    let parallelism = if threads > 1 { gemm::Parallelism::Rayon(threads) } else { gemm::Parallelism::None };
    // SAFETY: `View` guarantees that every (row, column) within its size lies inside its slice, the product is m × n, and
    // the destination is not aliased.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            product.as_mut_ptr(),
            1,
            n as isize,
            false,
            left.values.as_ptr(),
            left.strides[1] as isize,
            left.strides[0] as isize,
            right.values.as_ptr(),
            right.strides[1] as isize,
            right.strides[0] as isize,
            0.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
    product
}

/// LeakyReLU's derivative, told from its output (the sign is kept).
pub(super) fn leaky_slope(output: f32) -> f32 {
    if output > 0.0 { 1.0 } else { LEAK }
}

/// exp(x) for x from −87 to 88, others as at these ends, to a few units in the last place: quick in a loop, because it has no
/// branches (exp(x) = 2ⁿ·exp(r) with |r| ≤ ln 2 / 2, and a polynomial for the rest).
pub fn exponential(x: f32) -> f32 {
    // Adding it leaves the whole part of a number in the last bits.
    const WHOLE: f32 = 12_582_912.0;
    // ln 2 in two parts, the first of few digits.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + WHOLE;
    let n = shifted - WHOLE;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let series = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let rest = series.into_iter().fold(0.0, |sum, term| sum * r + term);
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    rest * power
}

/// LeakyReLU by candle's own operations.
pub fn leaky_relu(x: &Tensor) -> Result<Tensor> {
    x.maximum(&(x * f64::from(LEAK))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_exponential_is_that_of_the_library() {
        let mut x = -87.0f32;
        while x < 88.0 {
            let (found, exact) = (f64::from(exponential(x)), f64::from(x).exp());
            assert!((found - exact).abs() <= 4e-7 * exact, "{x}: {found}, {exact}");
            x += 0.013;
        }
        assert_eq!(exponential(0.0), 1.0);
        assert!(exponential(-1000.0) < 1e-37 && exponential(f32::NAN).is_nan());
    }
}
