//! From a [`Dataset`] to a file that anndata reads.

use std::collections::HashSet;
use std::path::Path;
use std::str::FromStr;

use hdf5::types::VarLenUnicode;
use hdf5::{Group, H5Type, Location};

use super::H5adError;
use super::error::root_cause;
use super::own::{GROUP, VERSION, kind_word, matrix_kind_word};
use super::write_matrix::{MatrixLayout, write_matrix};
use crate::data::{Categories, CellRole, Dataset};
use crate::jobs::{Progress, Silent};

/// The column that the labels are written to.
pub(super) const PERTURBATION_COLUMN: &str = "perturbation";
const CONTROL: &str = "control";
/// Values per chunk of an array: 256 KiB of it.
pub(super) const CHUNK: usize = 1 << 16;
/// Small arrays are not worth a chunk.
const SMALL: usize = 1 << 10;
pub(super) const GZIP_LEVEL: u8 = 4;

/// A column of `obs` besides those of the data set, one value per cell.
#[derive(Clone, Debug)]
pub enum ExtraColumn {
    /// Numbers.
    Numbers {
        /// Name of the column.
        name: String,
        /// One per cell; NaN where unknown.
        values: Vec<f64>,
    },
    /// Categories.
    Categories(Categories),
}

impl ExtraColumn {
    fn name(&self) -> &str {
        match self {
            Self::Numbers { name, .. } => name,
            Self::Categories(categories) => &categories.name,
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Numbers { values, .. } => values.len(),
            Self::Categories(categories) => categories.codes.len(),
        }
    }
}

/// How a data set is written.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    /// How the matrix is stored.
    pub layout: MatrixLayout,
    /// Further columns of `obs`.
    pub extra: Vec<ExtraColumn>,
}

/// Write `dataset` to `path` as .h5ad: see [`write_with`].
pub fn write(path: &Path, dataset: &Dataset) -> Result<(), H5adError> {
    write_with(path, dataset, &WriteOptions::default(), &Silent)
}

/// Write `dataset` to `path` as .h5ad, whole or not at all.
///
/// `X` is f32 (gzip, shuffled), CSR unless `options` says otherwise; `obs` has the cell names, `perturbation` (categorical: `control`, symbols joined by `+`; unassigned
/// cells missing), batch, cell type and guide under the names of their columns, and the extra columns; `var` has the symbols and `ensembl_id`. [`read`](super::read)
/// gives the same data set back.
///
/// # Errors
/// If the file cannot be written, if an extra column has the name of another, or another length than there are cells, or
/// if cancelled.
pub fn write_with(
    path: &Path,
    dataset: &Dataset,
    options: &WriteOptions,
    progress: &dyn Progress,
) -> Result<(), H5adError> {
    check_extra(dataset, &options.extra)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let io = |error: std::io::Error| H5adError::Write { reason: error.to_string() };
    let temporary = new_file(folder).map_err(io)?.into_temp_path();
    write_file(&temporary, dataset, options, progress)?;
    temporary.persist(path).map_err(|error| io(error.error))
}

/// A file beside the target, with the permissions of any new file rather than the private ones of a temporary.
pub(super) fn new_file(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".grn-explorer-").suffix(".h5ad");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// What is kept of the columns of cells beside their perturbations.
fn kept_columns(dataset: &Dataset) -> impl Iterator<Item = &Categories> {
    dataset.batch().into_iter().chain(dataset.cell_type()).chain(dataset.guide())
}

fn check_extra(dataset: &Dataset, extra: &[ExtraColumn]) -> Result<(), H5adError> {
    let mut names: HashSet<&str> = HashSet::from([PERTURBATION_COLUMN, "_index"]);
    names.extend(kept_columns(dataset).map(|column| column.name.as_str()));
    for column in extra {
        let name = column.name();
        if name.is_empty() || name.contains('/') || name == "." || !names.insert(name) {
            return Err(H5adError::Write {
                reason: format!("column {name:?} has no usable name, or one that is taken"),
            });
        }
        if column.length() != dataset.cell_count() {
            let reason = format!("column {name} has {} values for {} cells", column.length(), dataset.cell_count());
            return Err(H5adError::Write { reason });
        }
    }
    Ok(())
}

fn write_file(
    path: &Path,
    dataset: &Dataset,
    options: &WriteOptions,
    progress: &dyn Progress,
) -> Result<(), H5adError> {
    // Nobody else knows the file yet, and not every file system can lock.
    let file = hdf5::File::with_options().with_access_plist(|access| access.file_locking(false)).create(path);
    let file = file.map_err(|error| failed(&error))?;
    encode(&file, "anndata", "0.1.0").map_err(|error| failed(&error))?;
    write_matrix(&file, dataset.matrix(), options.layout, progress)?;
    progress.stage("Writing labels", None);
    write_frames(file, dataset, &options.extra).map_err(|error| failed(&error))
}

pub(super) fn failed(error: &hdf5::Error) -> H5adError {
    H5adError::Write { reason: root_cause(error) }
}

fn write_frames(file: hdf5::File, dataset: &Dataset, extra: &[ExtraColumn]) -> hdf5::Result<()> {
    write_cells(&file, dataset, extra)?;
    write_genes(&file, dataset)?;
    for name in ["layers", "obsm", "obsp", "uns", "varm", "varp"] {
        let group = file.create_group(name)?;
        encode(&group, "dict", "0.1.0")?;
    }
    let notes = file.create_group(&format!("uns/{GROUP}"))?;
    encode(&notes, "dict", "0.1.0")?;
    for (name, word) in [
        ("version", VERSION),
        ("matrix_kind", matrix_kind_word(dataset.matrix_kind())),
        ("perturbation_kind", kind_word(dataset.kind())),
    ] {
        let scalar = notes.new_dataset::<VarLenUnicode>().create(name)?;
        scalar.write_scalar(&text(word)?)?;
        encode(&scalar, "string", "0.2.0")?;
    }
    // Dropping the file would swallow a full disk.
    file.flush()?;
    file.close()
}

fn write_cells(file: &Group, dataset: &Dataset, extra: &[ExtraColumn]) -> hdf5::Result<()> {
    let obs = file.create_group("obs")?;
    let mut columns = vec![PERTURBATION_COLUMN];
    write_categories(&obs, &labels(dataset))?;
    for column in kept_columns(dataset) {
        // One column can serve twice.
        if !columns.contains(&column.name.as_str()) {
            write_categories(&obs, column)?;
            columns.push(&column.name);
        }
    }
    for column in extra {
        match column {
            ExtraColumn::Numbers { name, values } => write_array(&obs, name, values)?,
            ExtraColumn::Categories(categories) => write_categories(&obs, categories)?,
        }
        columns.push(column.name());
    }
    finish_frame(&obs, dataset.cells(), &columns)
}

fn write_genes(file: &Group, dataset: &Dataset) -> hdf5::Result<()> {
    let var = file.create_group("var")?;
    let mut columns = Vec::new();
    if dataset.genes().iter().any(|gene| gene.ensembl.is_some()) {
        let identifiers: Vec<&str> =
            dataset.genes().iter().map(|gene| gene.ensembl.as_deref().unwrap_or_default()).collect();
        write_texts(&var, "ensembl_id", &identifiers)?;
        columns.push("ensembl_id");
    }
    finish_frame(&var, &dataset.genes().symbols(), &columns)
}

/// The role of every cell as a column: `control` first, then the perturbations.
fn labels(dataset: &Dataset) -> Categories {
    let mut levels = vec![CONTROL.to_owned()];
    levels.extend(dataset.perturbations().iter().map(crate::data::Perturbation::name));
    let code = |role: &CellRole| match role {
        CellRole::Control => Some(0),
        CellRole::Perturbed(index) => Some(index + 1),
        CellRole::Unassigned => None,
    };
    let codes = dataset.roles().iter().map(code).collect();
    Categories { name: PERTURBATION_COLUMN.to_owned(), levels, codes }
}

pub(super) fn finish_frame<S: AsRef<str>>(group: &Group, rows: &[S], columns: &[&str]) -> hdf5::Result<()> {
    encode(group, "dataframe", "0.2.0")?;
    write_texts(group, "_index", rows)?;
    write_attribute(group, "_index", "_index")?;
    let order = columns.iter().map(|column| text(column)).collect::<hdf5::Result<Vec<_>>>()?;
    let attribute = group.new_attr::<VarLenUnicode>().shape([order.len()]).create("column-order")?;
    if order.is_empty() { Ok(()) } else { attribute.write_raw(&order) }
}

pub(super) fn write_categories(parent: &Group, categories: &Categories) -> hdf5::Result<()> {
    let group = parent.create_group(&categories.name)?;
    encode(&group, "categorical", "0.2.0")?;
    group.new_attr::<bool>().create("ordered")?.write_scalar(&false)?;
    write_texts(&group, "categories", &categories.levels)?;
    let codes = categories.codes.iter().map(|code| code.map_or(-1, i64::from));
    // pandas uses the smallest type that holds the codes.
    match categories.levels.len() {
        0..=127 => write_array(&group, "codes", &codes.map(|code| code as i8).collect::<Vec<_>>()),
        128..=32_767 => write_array(&group, "codes", &codes.map(|code| code as i16).collect::<Vec<_>>()),
        _ => write_array(&group, "codes", &codes.map(|code| code as i32).collect::<Vec<_>>()),
    }
}

fn write_texts<S: AsRef<str>>(group: &Group, name: &str, texts: &[S]) -> hdf5::Result<()> {
    let texts = texts.iter().map(|word| text(word.as_ref())).collect::<hdf5::Result<Vec<_>>>()?;
    let array = group.new_dataset::<VarLenUnicode>().shape([texts.len()]).create(name)?;
    if !texts.is_empty() {
        array.write_raw(&texts)?;
    }
    encode(&array, "string-array", "0.2.0")
}

pub(super) fn write_array<T: H5Type>(group: &Group, name: &str, values: &[T]) -> hdf5::Result<()> {
    let array = write_numbers(group, name, values)?;
    encode(&array, "array", "0.2.0")
}

fn write_numbers<T: H5Type>(group: &Group, name: &str, values: &[T]) -> hdf5::Result<hdf5::Dataset> {
    let array = new_numbers::<T>(group, name, values.len())?;
    if !values.is_empty() {
        array.write_raw(values)?;
    }
    Ok(array)
}

/// An array of `length` numbers, still to be written.
pub(super) fn new_numbers<T: H5Type>(group: &Group, name: &str, length: usize) -> hdf5::Result<hdf5::Dataset> {
    let builder = group.new_dataset::<T>();
    if length < SMALL {
        return builder.shape([length]).create(name);
    }
    builder.chunk([CHUNK.min(length)]).shuffle().deflate(GZIP_LEVEL).shape([length]).create(name)
}

pub(super) fn encode(location: &Location, kind: &str, version: &str) -> hdf5::Result<()> {
    write_attribute(location, "encoding-type", kind)?;
    write_attribute(location, "encoding-version", version)
}

fn write_attribute(location: &Location, name: &str, word: &str) -> hdf5::Result<()> {
    location.new_attr::<VarLenUnicode>().create(name)?.write_scalar(&text(word)?)
}

/// HDF5 texts end at a zero byte, so none may be inside.
pub(super) fn text(word: &str) -> hdf5::Result<VarLenUnicode> {
    VarLenUnicode::from_str(&word.replace('\0', "\u{fffd}")).map_err(|error| error.to_string().into())
}
