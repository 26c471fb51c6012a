//! Files that belong together, found by their names.

use std::path::{Path, PathBuf};

use super::TextError;
use super::lines::file_name;
use crate::words::listed;

/// A matrix and its two lists.
#[derive(Debug)]
pub(super) struct MatrixFiles {
    pub(super) matrix: PathBuf,
    pub(super) features: PathBuf,
    pub(super) barcodes: PathBuf,
}

/// What lists of genes are called.
pub(super) const FEATURES: &[&str] =
    &["features", "genes", "gene_names", "genenames", "var", "var_names", "gene", "feature"];
/// What lists of perturbations are called.
pub(super) const PERTURBATIONS: &[&str] =
    &["perturbations", "perturbation", "perturbation_names", "conditions", "knockouts", "interventions"];
const BARCODES: &[&str] =
    &["barcodes", "cells", "cell_names", "cellnames", "obs", "obs_names", "barcode", "cell_barcodes"];
/// What tables with labels of cells are called, the most telling first.
const LABELS: &[&str] = &[
    "cell_identities",
    "labels",
    "cell_labels",
    "perturbations",
    "guide_assignments",
    "guide_calls",
    "protospacer_calls_per_cell",
    "identities",
    "metadata",
    "cell_metadata",
    "meta_data",
    "meta",
    "annotations",
    "cell_annotations",
    "annotation",
    "obs",
    "cells",
];
/// Folders in which Cell Ranger leaves its matrix.
const USUAL_FOLDERS: &[&str] = &["filtered_feature_bc_matrix", "filtered_gene_bc_matrices"];
/// What matrix files are called after the name of their sample.
const USUAL_NAMES: &[&str] = &[
    "filtered_feature_bc_matrix",
    "raw_feature_bc_matrix",
    "sample_feature_bc_matrix",
    "filtered_gene_bc_matrices_h5",
    "filtered_gene_bc_matrices",
    "raw_gene_bc_matrices_h5",
    "matrix",
];
/// A folder with more files is not searched to its end.
const MOST_FILES: usize = 10_000;

/// A file of a folder: its path, and its name in lower case without `.gz` and the ending that tells its format.
struct Entry {
    path: PathBuf,
    stem: String,
    ending: String,
}

fn entry(path: PathBuf) -> Entry {
    let lower = file_name(&path).to_lowercase();
    let plain = lower.strip_suffix(".gz").unwrap_or(&lower);
    // GEO adds `.txt` to everything.
    let plain = plain.strip_suffix(".mtx.txt").map_or(plain.to_owned(), |stem| format!("{stem}.mtx"));
    let (stem, ending) = plain.rsplit_once('.').map_or((plain.as_str(), ""), |(stem, ending)| (stem, ending));
    Entry { stem: stem.to_owned(), ending: ending.to_owned(), path }
}

/// The files of `folder`, sorted by name.
fn entries(folder: &Path) -> Result<Vec<Entry>, TextError> {
    let failed =
        |error: std::io::Error| TextError::Read { file: folder.display().to_string(), reason: error.to_string() };
    let mut paths = Vec::new();
    for found in std::fs::read_dir(folder).map_err(failed)?.take(MOST_FILES) {
        let path = found.map_err(failed)?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths.into_iter().map(entry).collect())
}

fn is_list(ending: &str) -> bool {
    matches!(ending, "tsv" | "csv" | "txt" | "tab")
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What stands before `matrix` in the name of a matrix file, or before the ending: `gsm1_` of `GSM1_matrix.mtx.gz`, `counts` of `counts.csv`.
fn prefix_of(stem: &str) -> &str {
    USUAL_NAMES.iter().find_map(|name| stem.strip_suffix(name)).unwrap_or(stem)
}

/// Whether `stem` is `word` after `prefix`, and nothing but separators between.
fn is_named(stem: &str, prefix: &str, word: &str) -> bool {
    let separators = ['_', '-', '.', ' '];
    stem.strip_prefix(prefix).is_some_and(|rest| rest.trim_start_matches(separators) == word)
}

/// The matrix that `path` names: itself, the matrix beside it if it is a list, or the only one of a folder.
///
/// # Errors
/// If there is none or more than one, or a list is missing.
pub(super) fn matrix_files(path: &Path) -> Result<MatrixFiles, TextError> {
    let matrix = if path.is_dir() { matrix_in(path)? } else { path.to_owned() };
    let folder = folder_of(&matrix);
    let stem = entry(matrix.clone()).stem;
    let files = entries(folder)?;
    let lists: Vec<&Entry> = files.iter().filter(|file| is_list(&file.ending)).collect();
    let find = |words: &[&str], what: &str| {
        let prefix = prefix_of(&stem);
        // First the lists of this matrix, then those of the folder.
        for prefix in [prefix, ""] {
            for word in words {
                if let Some(list) = lists.iter().find(|file| is_named(&file.stem, prefix, word)) {
                    return Ok(list.path.clone());
                }
            }
        }
        let found = lists.iter().map(|file| file_name(&file.path)).collect::<Vec<_>>();
        let found = if found.is_empty() { "no lists (.tsv, .csv, .txt)".to_owned() } else { listed(&found, 6) };
        let expected = format!("{what} for {}", file_name(&matrix));
        Err(TextError::Missing { folder: folder.display().to_string(), found, expected })
    };
    let features = find(FEATURES, "a list of genes (features.tsv or genes.tsv)")?;
    let barcodes = find(BARCODES, "a list of cells (barcodes.tsv)")?;
    Ok(MatrixFiles { matrix, features, barcodes })
}

/// The list beside `path` that is called as one of `words`, after the name of `path` or alone.
pub(super) fn list_beside(path: &Path, words: &[&str]) -> Option<PathBuf> {
    let own = entry(path.to_owned()).stem;
    let files = entries(folder_of(path)).ok()?;
    let lists = || files.iter().filter(|file| is_list(&file.ending) && file.path.file_name() != path.file_name());
    let named = |prefix: &str| lists().find(|file| words.iter().any(|word| is_named(&file.stem, prefix, word)));
    named(&own).or_else(|| named("")).map(|file| file.path.clone())
}

/// The only matrix in `folder`.
pub(super) fn matrix_in(folder: &Path) -> Result<PathBuf, TextError> {
    let mut matrices: Vec<PathBuf> =
        entries(folder)?.into_iter().filter(|file| file.ending == "mtx").map(|file| file.path).collect();
    match matrices.len() {
        1 => Ok(matrices.remove(0)),
        0 => {
            let inner = USUAL_FOLDERS.iter().map(|name| folder.join(name)).find(|inner| inner.is_dir());
            match inner {
                Some(inner) => matrix_in(&inner),
                None => Err(TextError::Missing {
                    folder: folder.display().to_string(),
                    found: "none".to_owned(),
                    expected: "a matrix (matrix.mtx or matrix.mtx.gz)".to_owned(),
                }),
            }
        }
        _ => {
            let names: Vec<String> = matrices.iter().map(|path| file_name(path)).collect();
            Err(TextError::unexpected(
                folder.display().to_string(),
                format!("several matrices ({})", listed(&names, 6)),
                "one; open the file of one of them",
            ))
        }
    }
}

/// The matrix beside `path`, if `path` is called like one of its lists.
pub(super) fn matrix_of_list(path: &Path) -> Option<PathBuf> {
    let own = entry(path.to_owned());
    if !is_list(&own.ending) {
        return None;
    }
    let files = entries(folder_of(path)).ok()?;
    let is_own = |matrix: &Entry| {
        [prefix_of(&matrix.stem), ""]
            .iter()
            .any(|prefix| FEATURES.iter().chain(BARCODES).any(|word| is_named(&own.stem, prefix, word)))
    };
    let mut matrices = files.into_iter().filter(|file| file.ending == "mtx" && is_own(file));
    let first = matrices.next()?;
    // Of several nobody knows which is meant.
    matrices.next().is_none().then_some(first.path)
}

/// Tables beside `data` that are called as labels of cells are: those of its own name first, then those of the folder, then those of another
/// name. `taken` are no candidates.
pub(super) fn label_files(data: &Path, taken: &[&Path]) -> Vec<PathBuf> {
    let folder = if data.is_dir() { data } else { folder_of(data) };
    let own = if data.is_dir() { String::new() } else { prefix_of(&entry(data.to_owned()).stem).to_owned() };
    let Ok(files) = entries(folder) else { return Vec::new() };
    let mut ranked: Vec<(usize, usize, PathBuf)> = Vec::new();
    for file in files {
        // All lie in one folder, whatever way leads there.
        let is_file = |other: &Path| other.file_name() == file.path.file_name();
        if !is_list(&file.ending) || taken.iter().any(|other| is_file(other)) || !data.is_dir() && is_file(data) {
            continue;
        }
        let by_word = |matches: &dyn Fn(&str) -> bool| LABELS.iter().position(|word| matches(word));
        let own_name = by_word(&|word| is_named(&file.stem, &own, word)).map(|word| (0, word));
        let plain = || by_word(&|word| file.stem == word).map(|word| (1, word));
        let ends = |word: &str| {
            let rest = file.stem.strip_suffix(word);
            rest.is_some_and(|rest| rest.ends_with(['_', '-', '.', ' ']))
        };
        let other = || by_word(&ends).map(|word| (2, word));
        if let Some((rank, word)) = own_name.or_else(plain).or_else(other) {
            ranked.push((rank, word, file.path));
        }
    }
    ranked.sort();
    // Tables of other samples: only where there is one, as nobody knows whose they are.
    if ranked.iter().filter(|(rank, ..)| *rank == 2).count() > 1 {
        ranked.retain(|(rank, ..)| *rank < 2);
    }
    ranked.into_iter().map(|(_, _, path)| path).collect()
}

/// A name for the data set in `path`: without endings, and that of the folder where the file is called as all are.
pub(in crate::data) fn data_set_name(path: &Path) -> String {
    let name = file_name(path);
    let endings = [".gz", ".txt", ".mtx", ".csv", ".tsv", ".tab", ".h5ad", ".h5", ".hdf5"];
    let mut stem = name.as_str();
    while let Some(shorter) = endings.iter().find_map(|ending| {
        let cut = stem.len().checked_sub(ending.len())?;
        stem.is_char_boundary(cut).then_some(())?;
        stem[cut..].eq_ignore_ascii_case(ending).then_some(&stem[..cut])
    }) {
        stem = shorter;
    }
    let prefix = prefix_of(stem);
    let plain = if prefix == stem { stem } else { prefix.trim_end_matches(['_', '-', '.', ' ']) };
    if !plain.is_empty() && !path.is_dir() {
        return plain.to_owned();
    }
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    // `sample/filtered_feature_bc_matrix` is called after the sample.
    let mut named = folder;
    while let Some(name) = named.and_then(Path::file_name) {
        let name = name.to_string_lossy();
        if !USUAL_FOLDERS.contains(&name.as_ref()) && name != "outs" {
            return name.into_owned();
        }
        named = named.and_then(Path::parent);
    }
    "screen".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("folder");
        for name in names {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("inside")).expect("folder");
            std::fs::write(path, "").expect("written");
        }
        folder
    }

    fn names(paths: &[PathBuf]) -> Vec<String> {
        paths.iter().map(|path| file_name(path)).collect()
    }

    #[test]
    fn lists_are_found_by_the_name_of_their_matrix() {
        let many = folder(&[
            "GSM1_matrix.mtx.txt.gz",
            "GSM1_genes.tsv.gz",
            "GSM1_barcodes.tsv.gz",
            "GSM2_matrix.mtx.txt.gz",
            "GSM2_genes.tsv.gz",
            "GSM2_barcodes.tsv.gz",
        ]);
        let files = matrix_files(&many.path().join("GSM2_matrix.mtx.txt.gz")).expect("found");
        assert_eq!(names(&[files.features, files.barcodes]), ["GSM2_genes.tsv.gz", "GSM2_barcodes.tsv.gz"]);
        assert!(matrix_files(many.path()).expect_err("two").to_string().contains("several matrices"));
        assert_eq!(
            matrix_of_list(&many.path().join("GSM1_genes.tsv.gz")).map(|path| file_name(&path)),
            Some("GSM1_matrix.mtx.txt.gz".into())
        );
        let one = folder(&[
            "outs/filtered_feature_bc_matrix/matrix.mtx.gz",
            "outs/filtered_feature_bc_matrix/features.tsv.gz",
        ]);
        let error = matrix_files(&one.path().join("outs")).expect_err("no barcodes").to_string();
        assert!(error.contains("a list of cells (barcodes.tsv) for matrix.mtx.gz is missing"), "{error}");
        assert!(error.contains("features.tsv.gz"), "{error}");
    }

    #[test]
    fn labels_of_the_own_name_come_first_and_those_of_many_samples_are_nobodys() {
        let files =
            folder(&["counts.csv", "counts_metadata.csv", "labels.tsv", "x_cell_identities.csv.gz", "notes.txt"]);
        let found = label_files(&files.path().join("counts.csv"), &[]);
        assert_eq!(names(&found), ["counts_metadata.csv", "labels.tsv", "x_cell_identities.csv.gz"]);
        let many = folder(&["counts.csv", "a_metadata.csv", "b_metadata.csv"]);
        assert!(label_files(&many.path().join("counts.csv"), &[]).is_empty());
    }

    #[test]
    fn data_sets_are_called_after_what_tells_most() {
        for (path, name) in [
            ("counts.csv.gz", "counts"),
            ("x/GSM1_matrix.mtx.txt.gz", "GSM1"),
            ("x/k562/outs/filtered_feature_bc_matrix/matrix.mtx.gz", "k562"),
            ("x/k562/matrix.mtx", "k562"),
            ("x/k562/outs/filtered_feature_bc_matrix.h5", "k562"),
            ("x/pbmc_raw_feature_bc_matrix.h5", "pbmc"),
            ("x/screen.v2.h5ad", "screen.v2"),
        ] {
            assert_eq!(data_set_name(Path::new(path)), name, "{path}");
        }
    }
}
