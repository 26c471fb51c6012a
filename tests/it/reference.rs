//! Reference values and real data beside the project; tests that need them skip with a printed reason where absent.

use std::path::PathBuf;

use candle_core::{DType, Device, Tensor};
use safetensors::SafeTensors;
use serde_json::Value;

/// The folder with reference values.
pub fn golden_dir() -> PathBuf {
    folder("GRN_GOLDEN_DIR", "golden")
}

/// The folder with real screens.
pub fn data_dir() -> PathBuf {
    folder("GRN_DATA_DIR", "data")
}

fn folder(variable: &str, name: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared").join(name),
    }
}

/// The file `name` of the data folder, or none with a printed reason.
pub fn data_file(name: &str) -> Option<PathBuf> {
    let path = data_dir().join(name);
    if path.is_file() {
        return Some(path);
    }
    println!("skipped: {} is not there (set GRN_DATA_DIR)", path.display());
    None
}

/// A pair NAME.json + NAME.safetensors.
pub struct Case {
    /// NAME.
    pub name: String,
    /// Settings and scalar results.
    pub json: Value,
    /// Where the files are.
    pub folder: PathBuf,
    bytes: Vec<u8>,
    names: Vec<String>,
}

impl Case {
    /// The tensor `name` as f32.
    pub fn tensor(&self, name: &str) -> Tensor {
        self.tensor_as(name, DType::F32)
    }

    /// The values of tensor `name` as f32.
    pub fn f32s(&self, name: &str) -> Vec<f32> {
        self.tensor(name).flatten_all().expect("flat").to_vec1().expect("values")
    }

    /// The values of tensor `name` as f64.
    pub fn f64s(&self, name: &str) -> Vec<f64> {
        self.tensor_as(name, DType::F64).flatten_all().expect("flat").to_vec1().expect("values")
    }

    fn tensor_as(&self, name: &str, dtype: DType) -> Tensor {
        let tensors = SafeTensors::deserialize(&self.bytes).expect("reference tensors");
        let view = tensors.tensor(name).unwrap_or_else(|_| panic!("{} lacks {name}", self.name));
        let stored = DType::try_from(view.dtype()).expect("element type");
        let tensor = Tensor::from_raw_buffer(view.data(), stored, view.shape(), &Device::Cpu).expect("tensor");
        tensor.to_dtype(dtype).expect("conversion")
    }

    /// Whether there is a tensor `name`.
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// What follows `prefix` in the names of the tensors that begin with it.
    pub fn names_under(&self, prefix: &'static str) -> impl Iterator<Item = &str> {
        self.names.iter().filter_map(move |name| name.strip_prefix(prefix))
    }
}

/// All cases of one kind, by name; none with a printed reason where the folder is absent.
pub fn cases(kind: &str) -> Vec<Case> {
    let folder = golden_dir().join(kind);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: {} is not there (set GRN_GOLDEN_DIR)", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    let read = |path: PathBuf| {
        let bytes = std::fs::read(path.with_extension("safetensors")).expect("tensors beside the JSON");
        let names = SafeTensors::deserialize(&bytes).expect("reference tensors");
        let names = names.names().into_iter().map(|name| name.to_string()).collect();
        let text = std::fs::read_to_string(&path).expect("JSON");
        Case {
            name: path.file_stem().expect("name").to_string_lossy().into_owned(),
            json: serde_json::from_str(&text).expect("JSON"),
            folder: folder.clone(),
            bytes,
            names,
        }
    };
    paths.into_iter().map(read).collect()
}
