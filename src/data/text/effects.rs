//! Tables of effects: one value per perturbation and gene, without cells.

use std::path::{Path, PathBuf};

use super::beside::{FEATURES, PERTURBATIONS, data_set_name, list_beside};
use super::fields::Separator;
use super::list::List;
use super::orientation::{is_barcode, share};
use super::raw_table::RawTable;
use super::{TextError, words_or_numbers};
use crate::data::import::{Evidence, ImportError, MemoryFrame, ReadMatrix, Source, understand};
use crate::data::labels::{LabelReader, Meaning};
use crate::data::{Choice, CsrMatrix, Dataset, Gene, Genes, ImportOptions, MatrixKind, Orientation, Values, Warning};
use crate::jobs::Progress;
use crate::words::{counted, grouped, listed};

/// Name of the column that the perturbations get.
const COLUMN: &str = "perturbation";

/// How a table of effects is to be read.
#[derive(Debug)]
pub(super) struct Axes {
    perturbations: Vec<String>,
    genes: Vec<String>,
    perturbations_in_rows: bool,
    /// Why it is such a table, in a clause.
    reason: String,
}

/// The perturbations and genes of `table`, if it is one of effects: its values are no counts and one axis names perturbations of the genes of
/// the other; or the user says so.
pub(super) fn axes(
    path: &Path,
    table: &RawTable,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<Option<Axes>, TextError> {
    let forced = options.matrix_kind == Some(MatrixKind::Effects);
    let labelled = options.labels_file.as_ref().is_some_and(|file| file.as_os_str() != "none");
    let open = options.matrix_kind.is_none() && !labelled && options.orientation.is_none();
    let mut evidence = Evidence::default();
    evidence.add_all(table.values.iter().filter(|value| value.is_finite()));
    let looks_so = open && table.facts.is_empty() && evidence.kind() != MatrixKind::Counts;
    if !forced && !looks_so {
        return Ok(None);
    }
    let found = match (&table.rows, &table.columns) {
        (Some(rows), Some(columns)) => {
            by_names(rows, columns, evidence.negative > 0, forced.then_some(options.orientation))
        }
        (None, Some(columns)) => by_order(table, columns),
        _ => by_lists(path, table, progress)?,
    };
    if found.is_none() && forced {
        let expected = "names of perturbations and genes on the two axes, or lists of both beside it";
        return Err(TextError::unexpected(table.name.clone(), "a table without them", expected));
    }
    Ok(found)
}

/// One axis names perturbations of the genes on the other.
///
/// `forced` if the user says that it is so, and perhaps which axis.
fn by_names(rows: &[String], columns: &[String], negative: bool, forced: Option<Option<Orientation>>) -> Option<Axes> {
    let axes = |in_rows: bool, reason: String| {
        let (perturbations, genes) = if in_rows { (rows, columns) } else { (columns, rows) };
        Some(Axes {
            perturbations: perturbations.to_vec(),
            genes: genes.to_vec(),
            perturbations_in_rows: in_rows,
            reason,
        })
    };
    if let Some(Some(orientation)) = forced {
        return axes(orientation == Orientation::CellsInRows, "named by you".to_owned());
    }
    let (of_rows, of_columns) = (named_share(rows, columns), named_share(columns, rows));
    if of_rows.max(of_columns) >= 0.5 {
        let in_rows = of_rows >= of_columns;
        let axis = if in_rows { "rows" } else { "columns" };
        let share = 100.0 * of_rows.max(of_columns);
        return axes(in_rows, format!("{share:.0} % of the {axis} name a gene of the other axis"));
    }
    let cells = share(rows, is_barcode).max(share(columns, is_barcode)) > 0.2;
    if forced.is_some() || (negative && !cells) {
        let in_rows = rows.len() <= columns.len();
        let axis = if in_rows { "rows" } else { "columns" };
        return axes(in_rows, format!("the {axis} are taken for perturbations, as there are fewer of them"));
    }
    None
}

/// Share of `names` that are controls or perturbations of some of `genes`.
fn named_share(names: &[String], genes: &[String]) -> f64 {
    let genes = Genes::new(genes.iter().map(Gene::named).collect());
    let reader = LabelReader::new(&genes, names.iter().map(String::as_str));
    share(names, |name| match reader.read(name) {
        Meaning::Control(_) => true,
        Meaning::Targets(targets) => targets.iter().any(|target| target.measured),
        Meaning::Unassigned => false,
    })
}

/// A square table whose rows have no names: each is the perturbation of the gene at its place, as DREAM writes them.
fn by_order(table: &RawTable, columns: &[String]) -> Option<Axes> {
    (table.height == table.width && table.height > 1).then(|| Axes {
        perturbations: columns.to_vec(),
        genes: columns.to_vec(),
        perturbations_in_rows: true,
        reason: "the table is square and its rows have no names, so that each is taken for the perturbation of the gene at its place"
            .to_owned(),
    })
}

/// Lists of genes and perturbations beside a table of numbers alone.
fn by_lists(path: &Path, table: &RawTable, progress: &dyn Progress) -> Result<Option<Axes>, TextError> {
    let (Some(genes), Some(perturbations)) = (list_beside(path, FEATURES), list_beside(path, PERTURBATIONS)) else {
        return Ok(None);
    };
    let mut genes = List::read(&genes, progress)?;
    let mut perturbations = List::read(&perturbations, progress)?;
    let reason = format!("{} and {} have as many names", genes.name, perturbations.name);
    let (genes, perturbations) = (genes.columns.swap_remove(0), perturbations.columns.swap_remove(0));
    let in_rows = (perturbations.len(), genes.len()) == (table.height, table.width);
    let in_columns = (genes.len(), perturbations.len()) == (table.height, table.width);
    let axes = Axes { perturbations, genes, perturbations_in_rows: in_rows, reason };
    Ok((in_rows || in_columns).then_some(axes))
}

/// Read `table` as effects.
pub(super) fn read(
    path: &Path,
    table: RawTable,
    axes: Axes,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<Dataset, TextError> {
    let Axes { perturbations, genes, perturbations_in_rows, reason } = axes;
    let RawTable { name, separator, facts, height, width, starts, indices, values, .. } = table;
    let missing = values.iter().filter(|value| !value.is_finite()).count();
    let mut sound = Values::default();
    values.iter().for_each(|value| sound.push(if value.is_finite() { value } else { 0.0 }));
    let matrix = CsrMatrix::new(height, width, starts, indices, sound).map_err(ImportError::from)?;
    let matrix = if perturbations_in_rows { matrix } else { matrix.transposed() };
    let mut evidence = Evidence::default();
    evidence.add_all(matrix.values().iter());
    let by = match separator {
        Separator::Space => "spaces".to_owned(),
        other => other.label().to_owned(),
    };
    let mut source = Source { name: data_set_name(path), path: path.to_owned(), ..Source::default() };
    let (shape, other) = if perturbations_in_rows {
        ("perturbations in rows", "perturbations in columns")
    } else {
        ("perturbations in columns", "perturbations in rows")
    };
    source.choices.push(Choice {
        what: "matrix".to_owned(),
        chosen: format!("{} × {}", counted(matrix.rows(), "perturbation"), counted(matrix.columns(), "gene")),
        reason: format!("a table separated by {by}"),
        alternatives: Vec::new(),
    });
    source.choices.push(Choice {
        what: "orientation".to_owned(),
        chosen: shape.to_owned(),
        reason,
        alternatives: vec![other.to_owned()],
    });
    let why = format!(
        "one value per perturbation and gene, from {} to {}, and no cells",
        evidence.smallest, evidence.largest
    );
    source.kind = Some((MatrixKind::Effects, why));
    if missing > 0 {
        let message = format!(
            "{} missing and shown as 0",
            if missing == 1 { "1 value is".to_owned() } else { format!("{} values are", grouped(missing)) }
        );
        source.warnings.push(Warning { message });
    }
    let mut cells = MemoryFrame::new(name.as_str(), perturbations.clone());
    cells.push_words(COLUMN, perturbations.into_iter().map(Some));
    let mut var = MemoryFrame::new(name.as_str(), genes);
    for (fact, values) in facts {
        let column = words_or_numbers(&fact, values);
        let frame = if perturbations_in_rows { &mut cells } else { &mut var };
        frame.push(&fact, column);
    }
    let mut understood = understand::<TextError, _, _>(&cells, &var, None, Some(COLUMN), options, progress)?;
    understood.need_no_control();
    let read = ReadMatrix { matrix, evidence, added_up: 0 };
    understood.finish(read, source, options, progress)
}

/// The mean of the rows of the table in `path`, one value for each of `genes`, which its columns name in any order: the wild type that
/// belongs to a table of effects.
///
/// # Errors
/// If it is no table of numbers, or lacks one of the genes.
pub fn profile(path: &Path, genes: &[String], progress: &dyn Progress) -> Result<Vec<f64>, TextError> {
    let table = RawTable::read(path, progress)?;
    if let Some((place, found)) = table.gap {
        return Err(TextError::unexpected(place, found, "a finite number"));
    }
    let columns = table.columns.unwrap_or_default();
    let mut sums = vec![0.0; columns.len()];
    table.indices.iter().zip(table.values.iter()).for_each(|(&at, value)| sums[at as usize] += f64::from(value));
    let of_gene = |gene: &String| {
        let at = columns.iter().position(|column| column == gene).ok_or_else(|| {
            let expected = format!("a column {gene}, as in the data");
            TextError::unexpected(
                format!("{}, line 1", table.name),
                format!("columns {}", listed(&columns, 4)),
                expected,
            )
        })?;
        Ok(sums[at] / table.height as f64)
    };
    genes.iter().map(of_gene).collect()
}

/// The file beside the table of effects `path` with what was measured without any perturbation, told by its name: that of the table with
/// `wildtype` in place of `knockouts` and the like.
pub fn wild_type_beside(path: &Path) -> Option<PathBuf> {
    const PERTURBED: [&str; 9] = [
        "knockouts",
        "knock_outs",
        "knockout",
        "knock_out",
        "knockdowns",
        "knock_downs",
        "knockdown",
        "knock_down",
        "perturbations",
    ];
    const WILD: [&str; 4] = ["wildtype", "wild_type", "wild-type", "wt"];
    let name = path.file_name()?.to_str()?;
    let lower = name.to_ascii_lowercase();
    let (at, word) = PERTURBED.iter().find_map(|word| Some((lower.rfind(word)?, word)))?;
    let beside = |wild: &str| path.with_file_name(format!("{}{wild}{}", &name[..at], &name[at + word.len()..]));
    WILD.iter().map(|wild| beside(wild)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::Silent;

    #[test]
    fn the_wild_type_is_found_by_its_name_and_read_by_the_names_of_its_columns() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
            folder.path().join(name)
        };
        let knock_outs = write("net_1_knockouts.tsv", "A\tB\n0\t1.5\n1.25\t0\n");
        assert_eq!(wild_type_beside(&knock_outs), None);
        let wild = write("net_1_wildtype.tsv", "\"B\"\t\"A\"\n0.5\t0.25\n");
        assert_eq!(wild_type_beside(&knock_outs).as_ref(), Some(&wild));
        let genes = ["A", "B"].map(str::to_owned);
        assert_eq!(profile(&wild, &genes, &Silent).unwrap(), [0.25, 0.5]);
        let error = profile(&wild, &["C".to_owned()], &Silent).unwrap_err().to_string();
        assert!(error.contains("a column C") && error.contains("net_1_wildtype.tsv"), "{error}");
    }
}
