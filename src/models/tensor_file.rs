//! Files of named tensors with a text beside them: safetensors, the text an entry of its metadata.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;

use candle_core::Tensor;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;

use super::nn::kernels;

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

/// Numbers of single precision on their way into a file, where they lie.
pub enum Numbers<'a> {
    /// In a list.
    List(&'a [f32]),
    /// In a tensor on the processor.
    Tensor(&'a Tensor),
}

impl Numbers<'_> {
    fn shape(&self) -> Vec<usize> {
        match self {
            Self::List(values) => vec![values.len()],
            Self::Tensor(tensor) => tensor.dims().to_vec(),
        }
    }

    fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let mut write = |values: &[f32]| values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()));
        match self {
            Self::List(values) => write(values),
            Self::Tensor(tensor) => {
                let tensor = tensor.contiguous().map_err(std::io::Error::other)?;
                kernels::with_slice(&tensor, write).map_err(std::io::Error::other)?
            }
        }
    }
}

/// Write a file of named numbers with `text` under `key`, one after the other: unlike [`to_bytes`] it holds nothing twice.
///
/// # Errors
/// If the system refuses.
pub fn write(out: &mut impl Write, entries: &[(String, Numbers<'_>)], key: &str, text: &str) -> std::io::Result<()> {
    let mut header = serde_json::Map::new();
    header.insert("__metadata__".to_owned(), json!(BTreeMap::from([(key, text)])));
    let mut end = 0;
    for (name, numbers) in entries {
        let shape = numbers.shape();
        let start = end;
        end += shape.iter().product::<usize>() * size_of::<f32>();
        header.insert(name.clone(), json!({"dtype": "F32", "shape": shape, "data_offsets": [start, end]}));
    }
    let mut header = serde_json::to_vec(&header)?;
    // The numbers begin at a multiple of eight bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(&header)?;
    entries.iter().try_for_each(|(_, numbers)| numbers.write(out))
}

/// The values of a tensor of single precision, or what is wrong with it.
pub fn f32_values(view: &TensorView, name: &str) -> Result<Vec<f32>, String> {
    if view.dtype() != Dtype::F32 {
        return Err(format!("tensor {name} has type {:?}, expected F32", view.dtype()));
    }
    let (chunks, _) = view.data().as_chunks::<4>();
    Ok(chunks.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}
