//! A file whose cells arrive in portions: none of them is held once it is written.

use std::collections::BTreeMap;
use std::path::Path;

use hdf5::types::VarLenUnicode;
use hdf5::{Group, H5Type};

use super::H5adError;
use super::own::{GROUP, VERSION, kind_word, matrix_kind_word};
use super::write::{CHUNK, GZIP_LEVEL, PERTURBATION_COLUMN, encode, failed, finish_frame, new_file, text};
use super::write::{write_array, write_categories};
use crate::data::{Categories, MatrixKind, PerturbationKind};
use crate::jobs::Progress;

/// What is known of all cells before the first of them.
#[derive(Clone, Debug)]
pub struct StreamHeader {
    /// Gene symbols.
    pub genes: Vec<String>,
    /// Labels of the conditions, as cells refer to them: `control`, symbols joined by `+`.
    pub conditions: Vec<String>,
    /// How targets are perturbed.
    pub kind: PerturbationKind,
    /// Notes for `uns`, under this program's name.
    pub notes: BTreeMap<String, String>,
}

/// Cells of one condition.
#[derive(Clone, Debug, Default)]
pub struct Portion {
    /// Position of their condition.
    pub condition: usize,
    /// Counts, cells × genes.
    pub counts: Vec<f32>,
    /// A number for each cell, for the column `library_size`.
    pub library_sizes: Vec<f32>,
}

/// Write to `path`, whole or not at all, what `next` gives until it gives nothing more: `X` as compressed sparse rows, `obs` with the
/// names `CONDITION-1`, `CONDITION-2`, …, `perturbation` and `library_size`, `var` with the symbols. [`super::read`] and anndata read
/// it.
///
/// # Errors
/// If the file cannot be written, a portion is not cells × genes, or cancelled; and those of `next`.
pub fn write_stream<E: From<H5adError>>(
    path: &Path,
    header: &StreamHeader,
    mut next: impl FnMut() -> Result<Option<Portion>, E>,
    progress: &dyn Progress,
) -> Result<(), E> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let io = |error: std::io::Error| H5adError::Write { reason: error.to_string() };
    let temporary = new_file(folder).map_err(io)?.into_temp_path();
    let mut stream = Stream::new(&temporary, header.genes.len()).map_err(|error| failed(&error))?;
    while let Some(portion) = next()? {
        progress.check().map_err(H5adError::from)?;
        stream.add(&portion)?;
    }
    stream.finish(header).map_err(|error| failed(&error))?;
    temporary.persist(path).map_err(|error| io(error.error))?;
    Ok(())
}

struct Stream {
    file: hdf5::File,
    matrix: Group,
    genes: usize,
    data: Growing<f32>,
    indices: Growing<i32>,
    /// Where each row ends; a few bytes for each cell.
    starts: Vec<i64>,
    conditions: Vec<usize>,
    library_sizes: Vec<f32>,
}

/// An array that grows by whole chunks.
struct Growing<T> {
    array: hdf5::Dataset,
    written: usize,
    waiting: Vec<T>,
}

impl<T: H5Type> Growing<T> {
    fn new(group: &Group, name: &str) -> hdf5::Result<Self> {
        let builder = group.new_dataset::<T>().chunk([CHUNK]).shuffle().deflate(GZIP_LEVEL);
        Ok(Self { array: builder.shape([hdf5::Extent::resizable(0)]).create(name)?, written: 0, waiting: Vec::new() })
    }

    fn add(&mut self, value: T) -> hdf5::Result<()> {
        self.waiting.push(value);
        if self.waiting.len() == CHUNK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> hdf5::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let end = self.written + self.waiting.len();
        self.array.resize([end])?;
        self.array.write_slice(&self.waiting, self.written..end)?;
        (self.written, self.waiting) = (end, Vec::new());
        Ok(())
    }
}

impl Stream {
    fn new(path: &Path, genes: usize) -> hdf5::Result<Self> {
        // Nobody else knows the file yet, and not every file system can lock.
        let file = hdf5::File::with_options().with_access_plist(|access| access.file_locking(false)).create(path)?;
        encode(&file, "anndata", "0.1.0")?;
        let matrix = file.create_group("X")?;
        encode(&matrix, "csr_matrix", "0.1.0")?;
        let (data, indices) = (Growing::new(&matrix, "data")?, Growing::new(&matrix, "indices")?);
        let (conditions, library_sizes) = (Vec::new(), Vec::new());
        Ok(Self { file, matrix, genes, data, indices, starts: vec![0], conditions, library_sizes })
    }

    fn add(&mut self, portion: &Portion) -> Result<(), H5adError> {
        if portion.counts.len() != portion.library_sizes.len() * self.genes {
            let cells = portion.library_sizes.len();
            let reason = format!("{} counts are not {cells} cells × {} genes", portion.counts.len(), self.genes);
            return Err(H5adError::Write { reason });
        }
        self.add_rows(&portion.counts).map_err(|error| failed(&error))?;
        self.conditions.resize(self.conditions.len() + portion.library_sizes.len(), portion.condition);
        self.library_sizes.extend_from_slice(&portion.library_sizes);
        Ok(())
    }

    fn add_rows(&mut self, counts: &[f32]) -> hdf5::Result<()> {
        for row in counts.chunks_exact(self.genes.max(1)) {
            for (column, &count) in row.iter().enumerate().filter(|(_, count)| **count != 0.0) {
                self.data.add(count)?;
                self.indices.add(column as i32)?;
            }
            self.starts.push((self.data.written + self.data.waiting.len()) as i64);
        }
        Ok(())
    }

    fn finish(mut self, header: &StreamHeader) -> hdf5::Result<()> {
        self.data.flush()?;
        self.indices.flush()?;
        let cells = self.conditions.len();
        let attribute = self.matrix.new_attr::<i64>().shape([2]).create("shape")?;
        attribute.write_raw(&[cells as i64, self.genes as i64])?;
        // SciPy wants one integer type for both; where 32 bits do not suffice it makes them equal itself.
        if i32::try_from(self.data.written).is_ok() {
            let starts: Vec<i32> = self.starts.iter().map(|&start| start as i32).collect();
            write_plain(&self.matrix, "indptr", &starts)?;
        } else {
            write_plain(&self.matrix, "indptr", &self.starts)?;
        }

        let obs = self.file.create_group("obs")?;
        let codes = self.conditions.iter().map(|&condition| Some(condition as u32)).collect();
        let name = PERTURBATION_COLUMN.to_owned();
        write_categories(&obs, &Categories { name, levels: header.conditions.clone(), codes })?;
        write_array(&obs, "library_size", &self.library_sizes)?;
        let mut counted = vec![0usize; header.conditions.len()];
        let names = self.conditions.iter().map(|&condition| {
            counted[condition] += 1;
            format!("{}-{}", header.conditions[condition], counted[condition])
        });
        finish_frame(&obs, &names.collect::<Vec<_>>(), &[PERTURBATION_COLUMN, "library_size"])?;
        let var = self.file.create_group("var")?;
        finish_frame(&var, &header.genes, &[])?;
        for name in ["layers", "obsm", "obsp", "uns", "varm", "varp"] {
            let group = self.file.create_group(name)?;
            encode(&group, "dict", "0.1.0")?;
        }
        let notes = self.file.create_group(&format!("uns/{GROUP}"))?;
        encode(&notes, "dict", "0.1.0")?;
        let own = [
            ("version", VERSION),
            ("matrix_kind", matrix_kind_word(MatrixKind::Counts)),
            ("perturbation_kind", kind_word(header.kind)),
        ];
        let given = header.notes.iter().map(|(name, word)| (name.as_str(), word.as_str()));
        for (name, word) in own.into_iter().chain(given) {
            let scalar = notes.new_dataset::<VarLenUnicode>().create(name)?;
            scalar.write_scalar(&text(word)?)?;
            encode(&scalar, "string", "0.2.0")?;
        }
        // Dropping the file would swallow a full disk.
        self.file.flush()?;
        self.file.close()
    }
}

/// Part of a sparse matrix: without an encoding of its own.
fn write_plain<T: H5Type>(group: &Group, name: &str, values: &[T]) -> hdf5::Result<()> {
    let array = super::write::new_numbers::<T>(group, name, values.len())?;
    if values.is_empty() { Ok(()) } else { array.write_raw(values) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::h5ad::read;
    use crate::data::{CellRole, ImportOptions};
    use crate::jobs::{Cancelled, Silent};

    fn header() -> StreamHeader {
        StreamHeader {
            genes: vec!["A".into(), "B".into(), "C".into()],
            conditions: vec!["control".into(), "A+C".into()],
            kind: PerturbationKind::KnockDown,
            notes: BTreeMap::from([("seed".to_owned(), "7".to_owned())]),
        }
    }

    #[test]
    fn what_is_written_in_portions_is_read_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cells.h5ad");
        // More values than a chunk holds.
        let portion = |number: usize| Portion {
            condition: usize::from(number >= 20),
            counts: (0..3_000).map(|at| if at % 3 == 1 { 0.0 } else { (at % 7 + number) as f32 }).collect(),
            library_sizes: vec![number as f32; 1_000],
        };
        let mut number = 0;
        let next = || {
            number += 1;
            Ok::<_, H5adError>((number <= 40).then(|| portion(number - 1)))
        };
        write_stream(&path, &header(), next, &Silent).unwrap();
        let found = read(&path, &ImportOptions::default(), &Silent).unwrap();
        assert_eq!((found.cell_count(), found.gene_count(), found.kind()), (40_000, 3, PerturbationKind::KnockDown));
        assert_eq!(found.control_cells().len(), 20_000);
        assert_eq!(found.perturbations()[0].name(), "A+C");
        assert_eq!((found.cells()[0].as_str(), found.cells()[39_999].as_str()), ("control-1", "A+C-20000"));
        assert!(matches!(found.roles()[20_000], CellRole::Perturbed(0)));
        for (row, portion) in [(0, portion(0)), (25_100, portion(25))] {
            let mut dense = vec![0.0; 3];
            found.matrix().copy_row(row, &mut dense);
            assert_eq!(dense, &portion.counts[row % 1_000 * 3..][..3]);
        }
    }

    #[test]
    fn nothing_is_left_when_it_ends_early() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cells.h5ad");
        let next = || Err::<Option<Portion>, H5adError>(Cancelled.into());
        assert!(matches!(write_stream(&path, &header(), next, &Silent), Err(H5adError::Cancelled(_))));
        let wrong =
            || Ok::<_, H5adError>(Some(Portion { counts: vec![1.0; 4], library_sizes: vec![1.0], condition: 0 }));
        let error = write_stream(&path, &header(), wrong, &Silent).unwrap_err();
        assert!(error.to_string().contains("4 counts are not 1 cells × 3 genes"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut none = || Ok::<_, H5adError>(None);
        write_stream(&path, &header(), &mut none, &Silent).unwrap();
        assert!(path.is_file());
    }
}
