//! Loops over plain slices, shared by the custom operations.

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, bail};
use rayon::prelude::*;

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

/// `gradient` times LeakyReLU's derivative, told from its output (the sign is kept).
pub(super) fn leaky_slopes(gradient: &Tensor, output: &Tensor) -> Result<Vec<f32>> {
    const PIECE: usize = 1 << 14;
    with_slice(gradient, |gradient| {
        with_slice(output, |output| {
            let mut slopes = vec![0.0; gradient.len()];
            let pieces = gradient.par_chunks(PIECE).zip(output.par_chunks(PIECE));
            slopes.par_chunks_mut(PIECE).zip(pieces).for_each(|(slopes, (gradient, output))| {
                for ((slope, &gradient), &output) in slopes.iter_mut().zip(gradient).zip(output) {
                    *slope = if output > 0.0 { gradient } else { LEAK * gradient };
                }
            });
            slopes
        })
    })?
}

/// LeakyReLU by candle's own operations.
pub fn leaky_relu(x: &Tensor) -> Result<Tensor> {
    x.maximum(&(x * f64::from(LEAK))?)
}
