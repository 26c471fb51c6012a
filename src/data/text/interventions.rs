//! A folder with one table per intervention, called after what was intervened on: `iv=3.txt`, `iv=.txt` without intervention.
//!
//! Rows are cells, columns genes, the same in all of them. What stands behind `=` is a column's name or number (from 0; from 1 where one
//! of them is the number of columns), several joined by `+` or `,`; nothing, or a word for control, where nothing was done.

use std::path::{Path, PathBuf};

use super::lines::file_name;
use super::raw_table::RawTable;
use super::{TextError, data_set_name};
use crate::data::import::{Evidence, ImportError, MemoryFrame, ReadMatrix, Source, understand};
use crate::data::labels::control_sign;
use crate::data::{Choice, CsrMatrix, Dataset, ImportOptions, Values};
use crate::jobs::Progress;
use crate::words::{counted, listed};

/// Name of the column that the interventions get, and of cells without one.
const COLUMN: &str = "perturbation";
const CONTROL: &str = "control";
const ENDINGS: [&str; 4] = [".txt", ".csv", ".tsv", ".tab"];

/// The tables in `folder`, sorted by name, with what each was intervened on; none unless there are two or more that begin alike.
pub(super) fn tables_in(folder: &Path) -> Option<Vec<(String, PathBuf)>> {
    let mut tables: Vec<(String, String, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(folder).ok()?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let plain = name.strip_suffix(".gz").unwrap_or(&name);
        let stem = ENDINGS.iter().find_map(|ending| plain.strip_suffix(ending));
        if let Some((prefix, target)) = stem.and_then(|stem| stem.split_once('='))
            && !name.starts_with('.')
            && entry.path().is_file()
        {
            tables.push((prefix.to_owned(), target.trim().to_owned(), entry.path()));
        }
    }
    tables.sort();
    let prefix = tables.first()?.0.clone();
    let alike = tables.len() > 1 && tables.iter().all(|table| table.0 == prefix);
    alike.then(|| tables.into_iter().map(|(_, target, path)| (target, path)).collect())
}

/// Read the `tables` of `folder` as one screen.
pub(super) fn read(
    folder: &Path,
    tables: &[(String, PathBuf)],
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<Dataset, TextError> {
    let mut genes: Vec<String> = Vec::new();
    let (mut starts, mut indices, mut values) = (vec![0], Vec::new(), Values::default());
    let (mut cells, mut labels) = (Vec::new(), Vec::new());
    let mut of_table = Vec::new();
    for (target, path) in tables {
        let table = RawTable::read(path, progress)?;
        if let Some((place, found)) = table.gap {
            return Err(TextError::unexpected(place, found, "a finite number"));
        }
        let columns = table.columns.filter(|_| table.facts.is_empty()).ok_or_else(|| {
            TextError::unexpected(
                format!("{}, line 1", table.name),
                "other columns",
                "the names of genes, and numbers below them",
            )
        })?;
        if genes.is_empty() {
            genes = columns;
        } else if genes != columns {
            let expected = format!("the columns of {}: {}", file_name(&tables[0].1), listed(&genes, 4));
            return Err(TextError::unexpected(format!("{}, line 1", table.name), listed(&columns, 4), expected));
        }
        let before = indices.len();
        starts.extend(table.starts.iter().skip(1).map(|start| before + start));
        indices.extend(table.indices);
        table.values.iter().for_each(|value| values.push(value));
        let stem = table.name.rsplit_once('.').map_or(table.name.as_str(), |(stem, _)| stem).to_owned();
        cells.extend((1..=table.height).map(|row| format!("{stem} {row}")));
        of_table.push((target, path, table.height));
    }
    let numbers = tables.iter().flat_map(|(target, _)| target.split(['+', ','])).filter_map(|word| word.parse().ok());
    let first = usize::from(numbers.max() == Some(genes.len()));
    let mut numbered = false;
    for (target, path, height) in of_table {
        let mut targets = Vec::new();
        for word in target.split(['+', ',']).map(str::trim).filter(|word| !word.is_empty()) {
            let named = genes.iter().find(|gene| *gene == word);
            let by_number = || word.parse::<usize>().ok()?.checked_sub(first).and_then(|at| genes.get(at));
            numbered |= named.is_none() && by_number().is_some();
            match named.or_else(by_number) {
                Some(gene) => targets.push(gene.clone()),
                None if control_sign(word).is_some() => {}
                None => {
                    let expected = format!("one of the columns {}, its number, or nothing", listed(&genes, 4));
                    return Err(TextError::unexpected(file_name(path), format!("{word:?} behind ="), expected));
                }
            }
        }
        let label = if targets.is_empty() { CONTROL.to_owned() } else { targets.join("+") };
        labels.extend(std::iter::repeat_n(Some(label), height));
    }
    let matrix = CsrMatrix::new(cells.len(), genes.len(), starts, indices, values).map_err(ImportError::from)?;
    let mut evidence = Evidence::default();
    evidence.add_all(matrix.values().iter());
    let mut reason = "a folder with one table per intervention, called after what was intervened on".to_owned();
    if numbered {
        reason.push_str(&format!(
            " by the number of its column, counted from {first} (name the files after columns where that is wrong)"
        ));
    }
    let choice = Choice {
        what: "matrix".to_owned(),
        chosen: format!("{} in {}", counted(cells.len(), "cell"), counted(tables.len(), "table")),
        reason,
        alternatives: Vec::new(),
    };
    let source =
        Source { name: data_set_name(folder), path: folder.to_owned(), choices: vec![choice], ..Source::default() };
    let name = source.name.clone();
    let mut obs = MemoryFrame::new(name.as_str(), cells);
    obs.push_words(COLUMN, labels.into_iter());
    let var = MemoryFrame::new(name.as_str(), genes);
    let understood = understand::<TextError, _, _>(&obs, &var, None, Some(COLUMN), options, progress)?;
    understood.finish(ReadMatrix { matrix, evidence, added_up: 0 }, source, options, progress)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{CellRole, MatrixKind, Perturbation};
    use crate::jobs::Silent;

    fn screen(files: &[(&str, &str)]) -> Result<Dataset, String> {
        let folder = tempfile::tempdir().expect("folder");
        files.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).expect("written"));
        assert_eq!(
            super::super::kind_of(folder.path()).expect("readable"),
            Some(super::super::TextKind::Interventions)
        );
        super::super::read(folder.path(), &ImportOptions::default(), &Silent).map_err(|error| error.to_string())
    }

    fn names(dataset: &Dataset) -> Vec<String> {
        dataset.perturbations().iter().map(Perturbation::name).collect()
    }

    #[test]
    fn files_are_called_after_the_number_or_the_name_of_a_column() {
        let control = ("iv=.txt", "\"RAF1\",\"MAPK1\",\"AKT1\"\n0.5,1.5,2.5\n1.25,0,1\n");
        let other = "\"RAF1\",\"MAPK1\",\"AKT1\"\n0.75,2.5,0\n";
        let dataset = screen(&[control, ("iv=1.txt", other), ("iv=2.txt", other)]).expect("a screen");
        assert_eq!((names(&dataset), dataset.cell_count()), (vec!["AKT1".to_owned(), "MAPK1".to_owned()], 4));
        assert_eq!(dataset.matrix_kind(), MatrixKind::LogNormalised);
        assert_eq!(dataset.roles()[..2], [CellRole::Control; 2]);
        assert_eq!(dataset.matrix().get(1, 0), 1.25);
        let counted = &dataset.import().choices[0].reason;
        assert!(counted.contains("counted from 0"), "{counted}");
        // A third column of three can only be counted from 1.
        let dataset = screen(&[control, ("iv=3.txt", other)]).expect("a screen");
        assert_eq!(names(&dataset), ["AKT1"]);
        let dataset = screen(&[("do=control.csv", control.1), ("do=RAF1+AKT1.csv", other)]).expect("a screen");
        assert_eq!(names(&dataset), ["AKT1+RAF1"]);
        assert_eq!(dataset.control_cells().len(), 2);
    }

    #[test]
    fn what_does_not_belong_together_is_named() {
        let control = ("iv=.txt", "RAF1,AKT1\n0.5,1.5\n");
        let error = screen(&[control, ("iv=9.txt", "RAF1,AKT1\n1,2\n")]).expect_err("no such column");
        assert!(error.contains("iv=9.txt: found \"9\" behind =, expected one of the columns RAF1, AKT1"), "{error}");
        let error = screen(&[control, ("iv=0.txt", "RAF1,PKA\n1,2\n")]).expect_err("other columns");
        assert!(error.contains("iv=0.txt, line 1: found RAF1, PKA, expected the columns of iv=.txt"), "{error}");
    }
}
