//! Encodings of .h5ad that old and very new versions of anndata write, written here by hand.

use std::path::{Path, PathBuf};

use grn_explorer::data::h5ad::{self, ImportOptions};
use grn_explorer::data::{CellRole, Dataset, MatrixKind};
use grn_explorer::jobs::Silent;
use hdf5::types::{FixedAscii, VarLenUnicode};
use hdf5::{File, Group, H5Type, Location};

const GENES: [&str; 5] = ["STAT1", "JAK2", "HLA-A", "β4", "KLF1"];
const CELLS: usize = 12;
/// What each cell got, as the file tells: 5 means that nobody knows.
const LEVELS: [&str; 4] = ["JAK2", "STAT1", "STAT1_JAK2", "control"];
const CODES: [i8; CELLS] = [3, 3, 3, 3, 0, 0, 1, 1, 2, 2, -1, -1];

fn counts() -> Vec<f32> {
    (0..CELLS * 5).map(|at| ((at * 7) % 4) as f32).collect()
}

fn text(word: &str) -> VarLenUnicode {
    word.parse().expect("no zero bytes")
}

fn texts<S: AsRef<str>>(words: &[S]) -> Vec<VarLenUnicode> {
    words.iter().map(|word| text(word.as_ref())).collect()
}

fn cell_names() -> Vec<String> {
    (0..CELLS).map(|cell| format!("AAAC{cell}-1")).collect()
}

fn attribute(location: &Location, name: &str, word: &str) {
    location.new_attr::<VarLenUnicode>().create(name).expect("new").write_scalar(&text(word)).expect("written");
}

fn array<T: H5Type>(group: &Group, name: &str, values: &[T]) -> hdf5::Dataset {
    let array = group.new_dataset::<T>().shape([values.len()]).create(name).expect("new");
    array.write_raw(values).expect("written");
    array
}

fn dense(group: &Group, name: &str, columns: usize) {
    let array = group.new_dataset::<f32>().shape([CELLS, columns]).create(name).expect("new");
    let values: Vec<f32> = counts().chunks(5).flat_map(|row| row[..columns].to_vec()).collect();
    array.write_raw(&values).expect("written");
}

/// The counts as rows in the encoding of `h5sparse`.
fn legacy_sparse(group: &Group, name: &str) {
    let group = group.create_group(name).expect("new");
    attribute(&group, "h5sparse_format", "csr");
    group.new_attr::<i64>().shape([2]).create("h5sparse_shape").expect("new").write_raw(&[CELLS, 5]).expect("written");
    let (mut starts, mut indices, mut values) = (vec![0i32], Vec::new(), Vec::new());
    for row in counts().chunks(5) {
        for (column, &value) in row.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            indices.push(column as i32);
            values.push(value);
        }
        starts.push(values.len() as i32);
    }
    array(&group, "data", &values);
    array(&group, "indices", &indices);
    array(&group, "indptr", &starts);
}

/// A new file in a new folder; no lock, which a process started by another test would inherit.
fn file(fill: impl FnOnce(&File)) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("screen.h5ad");
    let file = File::with_options().with_access_plist(|access| access.file_locking(false)).create(&path).expect("new");
    fill(&file);
    file.close().expect("closed");
    (folder, path)
}

fn open(path: &Path) -> Dataset {
    h5ad::read(path, &ImportOptions::default(), &Silent).unwrap_or_else(|error| panic!("{error}"))
}

fn error(path: &Path) -> String {
    h5ad::read(path, &ImportOptions::default(), &Silent).expect_err("refused").to_string()
}

/// The table of this file, whatever its encoding was.
fn assert_is_the_table(dataset: &Dataset) {
    assert_eq!(dataset.genes().symbols(), GENES);
    assert_eq!(dataset.cells(), cell_names());
    assert_eq!(dataset.matrix_kind(), MatrixKind::Counts);
    for (row, expected) in counts().chunks(5).enumerate() {
        for (column, &value) in expected.iter().enumerate() {
            assert_eq!(dataset.matrix().get(row, column), value, "cell {row}, gene {column}");
        }
    }
    let names: Vec<String> = dataset.perturbations().iter().map(|perturbation| perturbation.name()).collect();
    assert_eq!(names, ["JAK2", "JAK2+STAT1", "STAT1"]);
    let expected = CODES.map(|code| match code {
        3 => CellRole::Control,
        0 => CellRole::Perturbed(0),
        1 => CellRole::Perturbed(2),
        2 => CellRole::Perturbed(1),
        _ => CellRole::Unassigned,
    });
    assert_eq!(dataset.roles(), expected);
}

/// Frames as arrays of records.
// The derived implementations are unsafe by their nature.
#[allow(unsafe_code)]
mod records {
    use super::*;

    #[derive(H5Type, Clone)]
    #[repr(C)]
    pub struct Cell {
        pub index: VarLenUnicode,
        pub n_counts: f32,
        pub perturbation: i8,
        pub batch: i8,
        pub passed: bool,
        pub note: FixedAscii<6>,
    }

    #[derive(H5Type, Clone)]
    #[repr(C)]
    pub struct FixedCell {
        pub index: FixedAscii<8>,
        pub perturbation: u8,
    }

    #[derive(H5Type, Clone)]
    #[repr(C)]
    pub struct Gene {
        pub index: VarLenUnicode,
        pub gene_ids: VarLenUnicode,
    }
}

fn gene_records(genes: usize) -> Vec<records::Gene> {
    let gene = |(at, symbol): (usize, &&str)| records::Gene {
        index: text(symbol),
        gene_ids: text(&format!("ENSG0000000000{at}.3")),
    };
    GENES[..genes].iter().enumerate().map(gene).collect()
}

fn cell_records() -> Vec<records::Cell> {
    let cell = |(at, name): (usize, String)| records::Cell {
        index: text(&name),
        n_counts: 3.0,
        perturbation: CODES[at],
        batch: (at % 2) as i8,
        passed: true,
        note: FixedAscii::from_ascii("fine").expect("short"),
    };
    cell_names().into_iter().enumerate().map(cell).collect()
}

/// Records with all that belongs to them.
fn fill_records(file: &File) {
    array(file, "obs", &cell_records());
    array(file, "var", &gene_records(5));
    legacy_sparse(file, "X");
    let uns = file.create_group("uns").expect("new");
    array(&uns, "perturbation_categories", &texts(&LEVELS));
    array(&uns, "batch_categories", &texts(&["b1", "b2"]));
}

/// Sound files of this table, for others to damage.
pub fn examples() -> Vec<Vec<u8>> {
    let dense_frames = |file: &File| {
        frames(file);
        dense(file, "X", 5);
    };
    let bytes = |(_folder, path): (tempfile::TempDir, PathBuf)| std::fs::read(path).expect("read");
    vec![bytes(file(fill_records)), bytes(file(dense_frames))]
}

#[test]
fn arrays_of_records_open_with_their_categories() {
    let (_folder, path) = file(fill_records);
    let dataset = open(&path);
    assert_is_the_table(&dataset);
    assert_eq!(dataset.batch().map(|batch| batch.levels.clone()), Some(vec!["b1".to_owned(), "b2".to_owned()]));
    assert_eq!(dataset.genes().get(3).ensembl.as_deref(), Some("ENSG00000000003"));
    // The other columns are there to be named.
    let options = ImportOptions { cell_type_column: Some("note".into()), ..ImportOptions::default() };
    let named = h5ad::read(&path, &options, &Silent).expect("opened");
    assert_eq!(named.cell_type().map(|types| types.levels.clone()), Some(vec!["fine".to_owned()]));
}

#[test]
fn old_raw_counts_and_unsigned_codes_of_fixed_words_open() {
    let (_folder, path) = file(|file| {
        let cell = |(at, name): (usize, String)| records::FixedCell {
            index: FixedAscii::from_ascii(&name).expect("short"),
            perturbation: CODES[at] as u8,
        };
        array(file, "obs", &cell_names().into_iter().enumerate().map(cell).collect::<Vec<_>>());
        array(file, "var", &gene_records(2));
        array(file, "raw.var", &gene_records(5));
        dense(file, "raw.X", 5);
        let x = file.new_dataset::<f32>().shape([CELLS, 2]).create("X").expect("new");
        x.write_raw(&[0.37f32; CELLS * 2]).expect("written");
        let uns = file.create_group("uns").expect("new");
        array(&uns, "perturbation_categories", &texts(&LEVELS));
        // A category of this name elsewhere, which cannot be meant.
        uns.new_dataset::<VarLenUnicode>()
            .create("index_categories")
            .expect("new")
            .write_scalar(&text("x"))
            .expect("written");
    });
    assert_is_the_table(&open(&path));
}

#[test]
fn records_that_are_not_there_are_told_before_memory_is_taken() {
    let (_folder, path) = file(|file| {
        let huge = file.new_dataset::<records::Cell>().chunk([1 << 10]).deflate(1).shape([1usize << 40]);
        huge.create("obs").expect("new");
        array(file, "var", &gene_records(5));
        dense(file, "X", 5);
    });
    let error = error(&path);
    assert!(error.starts_with("obs: found shape [1099511627776] with 0 stored bytes"), "{error}");
}

/// `obs` and `var` as groups, `obs/perturbation` categorical.
fn frames(file: &File) -> (Group, Group) {
    let frame = |name: &str, rows: &[String]| {
        let group = file.create_group(name).expect("new");
        attribute(&group, "encoding-type", "dataframe");
        attribute(&group, "_index", "_index");
        array(&group, "_index", &texts(rows));
        group
    };
    let obs = frame("obs", &cell_names());
    let perturbation = obs.create_group("perturbation").expect("new");
    attribute(&perturbation, "encoding-type", "categorical");
    array(&perturbation, "codes", &CODES);
    array(&perturbation, "categories", &texts(&LEVELS));
    (obs, frame("var", &GENES.map(str::to_owned)))
}

#[test]
fn without_x_another_matrix_is_taken_and_without_any_it_is_told() {
    for (place, null) in [("layers/counts", true), ("layers/molecules", false), ("raw/X", true)] {
        let (_folder, path) = file(|file| {
            let (_, var) = frames(file);
            if null {
                let x = file.new_dataset::<f32>().shape(hdf5::Extents::Null).create("X").expect("new");
                attribute(&x, "encoding-type", "null");
            }
            let (parent, name) = place.split_once('/').expect("two");
            let group = file.create_group(parent).expect("new");
            dense(&group, name, 5);
            if parent == "raw" {
                let raw = group.create_group("var").expect("new");
                attribute(&raw, "_index", "_index");
                array(
                    &raw,
                    "_index",
                    &var.dataset("_index").expect("there").read_raw::<VarLenUnicode>().expect("read"),
                );
            }
        });
        let dataset = open(&path);
        assert_is_the_table(&dataset);
        assert_eq!(dataset.import().choices[0].chosen, place);
    }
    let (_folder, path) = file(|file| {
        frames(file);
        file.new_dataset::<f32>().shape(hdf5::Extents::Null).create("X").expect("new");
    });
    assert_eq!(error(&path), "X is missing; expected a matrix in X, raw/X or a layer");
}

#[test]
fn nullable_words_serve_as_names_and_categories() {
    let (_folder, path) = file(|file| {
        let (obs, _) = frames(file);
        dense(file, "X", 5);
        let nullable = |parent: &Group, name: &str, words: &[String]| {
            parent.unlink(name).expect("there before");
            let group = parent.create_group(name).expect("new");
            attribute(&group, "encoding-type", "nullable-string-array");
            array(&group, "values", &texts(words));
            array(&group, "mask", &vec![false; words.len()]);
        };
        nullable(&obs, "_index", &cell_names());
        nullable(&obs.group("perturbation").expect("there"), "categories", &LEVELS.map(str::to_owned));
    });
    assert_is_the_table(&open(&path));
}

#[test]
fn half_precision_opens() {
    let (_folder, path) = file(|file| {
        array(file, "obs", &cell_records());
        array(file, "var", &gene_records(5));
        let uns = file.create_group("uns").expect("new");
        array(&uns, "perturbation_categories", &texts(&LEVELS));
        let values: Vec<half::f16> = counts().into_iter().map(half::f16::from_f32).collect();
        let array = file.new_dataset::<half::f16>().shape([CELLS, 5]).create("X").expect("new");
        array.write_raw(&values).expect("written");
    });
    assert_is_the_table(&open(&path));

    // Compressed rows.
    let (_folder, path) = file(|file| {
        fill_records(file);
        let matrix = file.group("X").expect("written");
        let values: Vec<half::f16> =
            counts().into_iter().filter(|value| *value != 0.0).map(half::f16::from_f32).collect();
        matrix.unlink("data").expect("was there");
        array(&matrix, "data", &values);
    });
    assert_is_the_table(&open(&path));
}
