//! Files of named tensors with a text beside them: safetensors, the text an entry of its metadata.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, TensorView};

/// A tensor on its way into a file.
pub struct Entry {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Entry {
    /// Single precision.
    pub fn f32(name: &str, shape: &[usize], values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { name: name.to_owned(), dtype: Dtype::F32, shape: shape.to_vec(), bytes }
    }

    /// Bytes.
    pub fn u8(name: &str, shape: &[usize], values: Vec<u8>) -> Self {
        Self { name: name.to_owned(), dtype: Dtype::U8, shape: shape.to_vec(), bytes: values }
    }
}

/// The bytes of a file of `entries` with `text` under `key`.
///
/// # Errors
/// If a shape does not fit its values.
pub fn to_bytes(entries: &[Entry], key: &str, text: String) -> std::io::Result<Vec<u8>> {
    let metadata = HashMap::from([(key.to_owned(), text)]);
    let views = entries.iter().map(|entry| {
        let view = TensorView::new(entry.dtype, entry.shape.clone(), &entry.bytes).map_err(std::io::Error::other)?;
        Ok((entry.name.as_str(), view))
    });
    let views = views.collect::<Result<Vec<_>, std::io::Error>>()?;
    safetensors::serialize(views, Some(metadata)).map_err(std::io::Error::other)
}

/// The values of a tensor of single precision, or what is wrong with it.
pub fn f32_values(view: &TensorView, name: &str) -> Result<Vec<f32>, String> {
    if view.dtype() != Dtype::F32 {
        return Err(format!("tensor {name} has type {:?}, expected F32", view.dtype()));
    }
    let (chunks, _) = view.data().as_chunks::<4>();
    Ok(chunks.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}
