//! Tables of counts.

use std::path::Path;

use super::beside::data_set_name;
use super::effects;
use super::labels::{CellLabels, cell_labels};
use super::orientation::by_names;
use super::raw_table::RawTable;
use super::{TextError, words_or_numbers};
use crate::data::import::{Evidence, ImportError, MemoryFrame, ReadMatrix, Source, understand};
use crate::data::{Choice, CsrMatrix, Dataset, ImportOptions, Orientation};
use crate::jobs::Progress;
use crate::words::{counted, grouped, listed};

/// Read the table of counts in `path`.
pub(super) fn read(path: &Path, options: &ImportOptions, progress: &dyn Progress) -> Result<Dataset, TextError> {
    let mut table = RawTable::read(path, progress)?;
    if let Some(axes) = effects::axes(path, &table, options, progress)? {
        return effects::read(path, table, axes, options, progress);
    }
    if table.columns.is_none() {
        let expected =
            "a first line with the names of the genes (or cells), or lists of genes and perturbations beside it";
        return Err(TextError::unexpected(format!("{}, line 1", table.name), "only numbers", expected));
    }
    if let Some((place, found)) = table.gap.take() {
        return Err(TextError::unexpected(place, found, "a finite number"));
    }
    let (orientation, why, labels) = orient(path, &table, options, progress)?;
    progress.check()?;
    progress.stage("Reading genes and labels", None);
    let mut source = Source { name: data_set_name(path), path: path.to_owned(), ..Source::default() };
    source.choices.push(Choice {
        what: "matrix".to_owned(),
        chosen: format!("{} rows × {} columns", grouped(table.height), grouped(table.width)),
        reason: format!("a table separated by {}", table.separator.label()),
        alternatives: Vec::new(),
    });
    let (label, other) = match orientation {
        Orientation::CellsInRows => ("cells in rows", "genes in rows"),
        Orientation::GenesInRows => ("genes in rows", "cells in rows"),
    };
    source.choices.push(Choice {
        what: "orientation".to_owned(),
        chosen: label.to_owned(),
        reason: why,
        alternatives: vec![other.to_owned()],
    });

    let RawTable { name, rows, columns, facts, height, width, starts, indices, values, .. } = table;
    let matrix = CsrMatrix::new(height, width, starts, indices, values).map_err(ImportError::from)?;
    let mut evidence = Evidence::default();
    evidence.add_all(matrix.values().iter());
    let numbered = |what: &str, length: usize| (1..=length).map(|number| format!("{what} {number}")).collect();
    let columns = columns.unwrap_or_default();
    let (matrix, cells, genes) = match orientation {
        Orientation::CellsInRows => (matrix, rows.unwrap_or_else(|| numbered("cell", height)), columns),
        Orientation::GenesInRows => (matrix.transposed(), columns, rows.unwrap_or_else(|| numbered("gene", height))),
    };
    progress.check()?;
    let mut cells = MemoryFrame::new(name.as_str(), cells);
    let mut genes = MemoryFrame::new(name.as_str(), genes);
    if !facts.is_empty() {
        let names: Vec<&str> = facts.iter().map(|(name, _)| name.as_str()).collect();
        let (what, described) = match orientation {
            Orientation::CellsInRows => ("columns about cells", "cell"),
            Orientation::GenesInRows => ("columns about genes", "gene"),
        };
        source.choices.push(Choice {
            what: what.to_owned(),
            chosen: listed(&names, 6),
            reason: format!("words, or names that tell something of a {described}"),
            alternatives: Vec::new(),
        });
    }
    for (fact, values) in facts {
        let column = words_or_numbers(&fact, values);
        match orientation {
            Orientation::CellsInRows => cells.push(&fact, column),
            Orientation::GenesInRows => genes.push(&fact, column),
        };
    }
    if let Some(labels) = labels {
        source.choices.push(labels.choice);
        source.warnings.extend(labels.warnings);
        cells = cells.with_first(labels.columns);
    }
    let read = ReadMatrix { matrix, evidence, added_up: 0 };
    let understood = understand::<TextError, _, _>(&cells, &genes, None, None, options, progress)?;
    understood.finish(read, source, options, progress)
}

/// Which axis the cells are, why, and what a second file tells of them.
fn orient(
    path: &Path,
    table: &RawTable,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<(Orientation, String, Option<CellLabels>), TextError> {
    let none = Vec::new();
    let of_rows = table.rows.as_ref().unwrap_or(&none);
    let of_columns = table.columns.as_ref().unwrap_or(&none);
    let labels = |names: &Vec<String>| cell_labels(path, &[path], names, options, progress);
    let by_table =
        options.orientation.map(|orientation| (orientation, "named by you".to_owned())).or_else(|| by_names(table));
    if let Some((orientation, why)) = by_table {
        let names = match orientation {
            Orientation::CellsInRows => of_rows,
            Orientation::GenesInRows => of_columns,
        };
        return Ok((orientation, why, labels(names)?));
    }
    // A file with labels knows the names of the cells.
    let known = |labels: &CellLabels| format!("{} names the cells", labels.choice.chosen);
    match labels(of_rows) {
        Ok(Some(labels)) => return Ok((Orientation::CellsInRows, known(&labels), Some(labels))),
        Ok(None) | Err(TextError::OtherCells { .. }) => {}
        Err(error) => return Err(error),
    }
    if let Some(labels) = labels(of_columns)? {
        return Ok((Orientation::GenesInRows, known(&labels), Some(labels)));
    }
    let why = format!(
        "nothing tells whether the {} are cells or genes; name the orientation if they are genes",
        counted(table.height, "row")
    );
    Ok((Orientation::CellsInRows, why, None))
}
