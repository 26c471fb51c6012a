//! Tensors on the processor as slices, and what layers share.

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, bail};

/// Slope of LeakyReLU below zero, as published.
pub const LEAK: f32 = 0.01;

/// The contiguous f32 values behind a storage.
pub fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else { bail!("expected a contiguous tensor") };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// Call `read` with the contiguous f32 values of a tensor on the processor.
pub fn with_slice<T>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(read(slice(storage, layout)?)),
        _ => bail!("expected a tensor on the processor"),
    }
}

/// LeakyReLU by candle's own operations.
pub fn leaky_relu(x: &Tensor) -> Result<Tensor> {
    x.maximum(&(x * f64::from(LEAK))?)
}
