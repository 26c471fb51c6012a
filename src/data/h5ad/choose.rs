//! Which matrix to use, and which column holds the perturbations.

use hdf5::Group;

use super::H5adError;
use super::evidence::{Evidence, kind_label};
use super::frame::{Column, Frame, compact};
use super::matrix::FileMatrix;
use crate::data::labels::{ColumnFit, ControlFlags, KIND_COLUMNS, PERTURBATION_COLUMNS, fit};
use crate::data::{Categories, Choice, Genes, ImportOptions, MatrixKind};
use crate::words::{counted, listed};

/// Layers that hold counts by their name, the usual one first.
const COUNT_LAYERS: &[&str] = &["counts", "raw_counts", "count", "raw", "umi", "umis"];
const BATCH_COLUMNS: &[&str] = &[
    "batch",
    "gem_group",
    "gemgroup",
    "gem",
    "lane",
    "library",
    "channel",
    "replicate",
    "sample",
    "donor_id",
    "orig.ident",
];
const CELL_TYPE_COLUMNS: &[&str] = &["cell_type", "celltype", "cell_line", "cellline", "cell_ontology_class"];
/// Columns that mark controls with 1.
const CONTROL_COLUMNS: &[&str] = &["control", "is_control", "is_ctrl", "ctrl"];
/// CELLxGENE's column, which marks controls with the word `control`.
const STRATEGY_COLUMN: &str = "genetic_perturbation_strategy";
/// What the user writes for no column.
const NO_COLUMN: &str = "none";

/// The matrix to read, and why.
pub(super) struct ChosenMatrix {
    pub(super) matrix: FileMatrix,
    pub(super) var: &'static str,
    pub(super) choice: Choice,
}

/// Choose among the layers, raw/X and X: the first that holds counts, or else the first that is log-normalised.
pub(super) fn choose_matrix(file: &Group, wanted: Option<&str>) -> Result<ChosenMatrix, H5adError> {
    let paths = matrix_paths(file);
    if let Some(wanted) = wanted {
        let path = paths.iter().find(|path| *path == wanted || path.strip_prefix("layers/") == Some(wanted));
        let unknown = || H5adError::UnknownMatrix { matrix: wanted.to_owned(), available: listed(&paths, 12) };
        let path = path.ok_or_else(unknown)?;
        let matrix = FileMatrix::open(file, path)?.ok_or_else(unknown)?;
        let alternatives = paths.iter().filter(|other| *other != path).cloned().collect();
        let choice =
            Choice { what: "matrix".into(), chosen: path.clone(), reason: "named by you".into(), alternatives };
        return Ok(ChosenMatrix { var: var_of(path), matrix, choice });
    }
    let mut candidates: Vec<(FileMatrix, Evidence)> = Vec::new();
    let mut failed = None;
    for path in &paths {
        // Other layers (velocity, denoised, scaled) are only taken by name.
        let by_name = path
            .strip_prefix("layers/")
            .is_none_or(|name| COUNT_LAYERS.iter().any(|known| name.eq_ignore_ascii_case(known)));
        if !by_name {
            continue;
        }
        let sampled = FileMatrix::open(file, path).and_then(|matrix| match matrix {
            Some(matrix) => matrix.sample().map(|evidence| Some((matrix, evidence))),
            None => Ok(None),
        });
        match sampled {
            Ok(Some((matrix, evidence))) => {
                let counts = evidence.kind() == MatrixKind::Counts && evidence.values > 0;
                candidates.push((matrix, evidence));
                if counts {
                    break;
                }
            }
            Ok(None) => {}
            // Prefer another matrix to a damaged one only if it holds counts, too.
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    let rank = |evidence: &Evidence| match evidence.kind() {
        MatrixKind::Counts if evidence.values > 0 => 0,
        MatrixKind::Counts => 3,
        MatrixKind::LogNormalised => 1,
        MatrixKind::Scaled => 2,
    };
    let best = (0..candidates.len()).min_by_key(|&at| (rank(&candidates[at].1), at));
    let Some(best) = best.filter(|&best| failed.is_none() || rank(&candidates[best].1) == 0) else {
        return Err(failed.unwrap_or_else(|| H5adError::missing("X", "a matrix in X, raw/X or layers/counts")));
    };
    let others: Vec<String> = candidates
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != best)
        .map(|(_, (matrix, evidence))| format!("{} is {}", matrix.path(), kind_label(evidence.kind())))
        .collect();
    let (matrix, evidence) = candidates.swap_remove(best);
    let mut reason = evidence.reason("sampled");
    if !others.is_empty() {
        reason = format!("{reason}; {}", others.join(", "));
    }
    reason = format!("{reason}; stored as {}", matrix.layout());
    let chosen = matrix.path().to_owned();
    let alternatives = paths.into_iter().filter(|path| *path != chosen).collect();
    let choice = Choice { what: "matrix".to_owned(), chosen: chosen.clone(), reason, alternatives };
    Ok(ChosenMatrix { var: var_of(&chosen), matrix, choice })
}

fn var_of(matrix: &str) -> &'static str {
    match matrix {
        "raw/X" => "raw/var",
        "raw.X" => "raw.var",
        _ => "var",
    }
}

/// All matrices of the file in the order of preference.
fn matrix_paths(file: &Group) -> Vec<String> {
    let layers = if file.link_exists("layers") {
        file.group("layers").and_then(|group| group.member_names()).ok()
    } else {
        None
    };
    let mut layers = layers.unwrap_or_default();
    let preference = |name: &String| COUNT_LAYERS.iter().position(|known| name.eq_ignore_ascii_case(known));
    layers.sort_by_key(|name| (preference(name).unwrap_or(COUNT_LAYERS.len()), name.clone()));
    let (known, other): (Vec<String>, Vec<String>) = layers.into_iter().partition(|name| preference(name).is_some());
    let in_layers = |name: String| format!("layers/{name}");
    let mut paths: Vec<String> = known.into_iter().map(in_layers).collect();
    let is_group = |path: &str| file.link_exists(path) && file.group(path).is_ok();
    if is_group("raw") && file.link_exists("raw/X") {
        paths.push("raw/X".to_owned());
    } else if file.link_exists("raw.X") && file.link_exists("raw.var") {
        paths.push("raw.X".to_owned());
    }
    let has_x = file.link_exists("X") && !file.dataset("X").is_ok_and(|x| x.space().is_ok_and(|space| space.is_null()));
    if has_x {
        paths.push("X".to_owned());
    }
    paths.extend(other.into_iter().map(in_layers));
    paths
}

/// The perturbation column, if one was found, and why.
pub(super) struct ChosenColumn {
    pub(super) column: Option<Categories>,
    pub(super) choice: Choice,
}

/// The first column of a known name whose labels are mostly genes; else the first of a known name with a control; else any column whose
/// labels are mostly genes.
pub(super) fn choose_perturbations(
    obs: &Frame,
    genes: &Genes,
    options: &ImportOptions,
) -> Result<ChosenColumn, H5adError> {
    let what = "perturbation column".to_owned();
    let known: Vec<&str> = PERTURBATION_COLUMNS.iter().filter_map(|name| obs.find(name)).collect();
    if let Some(name) = &options.perturbation_column {
        let name = obs.find(name).ok_or_else(|| obs.unknown(name))?;
        let column = obs.words(name)?;
        let alternatives = known.iter().filter(|other| **other != name).map(|&name| name.to_owned()).collect();
        let choice = Choice { what, chosen: name.to_owned(), reason: "named by you".to_owned(), alternatives };
        return Ok(ChosenColumn { column: Some(column), choice });
    }
    let mut judged: Vec<(Categories, ColumnFit)> = Vec::new();
    let mut best = None;
    for name in &known {
        // 0/1 columns such as `control` or a flag called `perturbation` hold no labels.
        if !obs.has_words(name) {
            continue;
        }
        let column = obs.words(name)?;
        let fitness = fit(&column, genes);
        judged.push((column, fitness));
        if fitness.is_good() {
            best = Some(judged.len() - 1);
            break;
        }
    }
    best = best.or_else(|| judged.iter().position(|(_, fitness)| fitness.is_possible()));
    if best.is_none() {
        for name in obs.columns() {
            if known.contains(&name.as_str()) || !obs.has_words(name) {
                continue;
            }
            let Ok(column) = obs.words(name) else { continue };
            let fitness = fit(&column, genes);
            if fitness.is_good() && (fitness.has_control || fitness.measured > 1) {
                judged.push((column, fitness));
                best = Some(judged.len() - 1);
                break;
            }
        }
    }
    let Some(best) = best else {
        let reason = "no column has labels that are genes of the data set".to_owned();
        let alternatives = obs.columns().iter().filter(|name| obs.has_words(name)).cloned().collect();
        return Ok(ChosenColumn {
            column: None,
            choice: Choice { what, chosen: NO_COLUMN.to_owned(), reason, alternatives },
        });
    };
    let (column, fitness) = judged.swap_remove(best);
    let mut reason =
        format!("{} of {} name measured genes", fitness.partly_measured, counted(fitness.targeting, "label"));
    if fitness.has_control {
        reason.push_str(", and there is a control");
    }
    let alternatives =
        known.iter().filter(|name| **name != column.name && obs.has_words(name)).map(|&name| name.to_owned()).collect();
    let choice = Choice { what, chosen: column.name.clone(), reason, alternatives };
    Ok(ChosenColumn { column: Some(column), choice })
}

/// A column that marks the control cells, if there is one.
pub(super) fn control_flags(obs: &Frame) -> Result<Option<ControlFlags>, H5adError> {
    if let Some(name) = obs.find(STRATEGY_COLUMN)
        && obs.has_words(name)
    {
        let words = obs.words(name)?;
        let is_control: Vec<bool> = words.levels.iter().map(|level| level.eq_ignore_ascii_case("control")).collect();
        let cells = words.codes.iter().map(|code| code.is_some_and(|code| is_control[code as usize])).collect();
        return Ok(Some(ControlFlags { column: name.to_owned(), cells }));
    }
    for name in CONTROL_COLUMNS.iter().filter_map(|name| obs.find(name)) {
        let numbers: Vec<Option<f64>> = match obs.column(name)? {
            Column::Numbers(numbers) => numbers,
            Column::Words(words) => {
                let values: Vec<Option<f64>> = words
                    .levels
                    .iter()
                    .map(|level| match level.to_lowercase().as_str() {
                        "1" | "true" | "yes" => Some(1.0),
                        "0" | "false" | "no" => Some(0.0),
                        _ => None,
                    })
                    .collect();
                words.codes.iter().map(|code| code.and_then(|code| values[code as usize])).collect()
            }
        };
        if numbers.contains(&Some(1.0)) && numbers.iter().flatten().all(|number| *number == 0.0 || *number == 1.0) {
            let cells = numbers.iter().map(|number| *number == Some(1.0)).collect();
            return Ok(Some(ControlFlags { column: name.to_owned(), cells }));
        }
    }
    Ok(None)
}

/// The batch of each cell, if a column tells at least two.
pub(super) fn choose_batch(
    obs: &Frame,
    taken: &str,
    wanted: Option<&str>,
) -> Result<(Option<Categories>, Option<Choice>), H5adError> {
    choose_category(obs, "batch", BATCH_COLUMNS, taken, wanted, 2)
}

/// The type or line of each cell, if a column tells.
pub(super) fn choose_cell_type(
    obs: &Frame,
    taken: &str,
    wanted: Option<&str>,
) -> Result<(Option<Categories>, Option<Choice>), H5adError> {
    choose_category(obs, "cell type", CELL_TYPE_COLUMNS, taken, wanted, 1)
}

fn choose_category(
    obs: &Frame,
    what: &str,
    names: &[&str],
    taken: &str,
    wanted: Option<&str>,
    fewest: usize,
) -> Result<(Option<Categories>, Option<Choice>), H5adError> {
    let mut present: Vec<&str> = names.iter().filter_map(|name| obs.find(name)).filter(|name| *name != taken).collect();
    present.dedup();
    let choice = |chosen: &str, reason: String, present: &[&str]| Choice {
        what: what.to_owned(),
        chosen: chosen.to_owned(),
        reason,
        alternatives: present.iter().filter(|name| **name != chosen).map(|&name| name.to_owned()).collect(),
    };
    match wanted {
        Some(NO_COLUMN) if obs.find(NO_COLUMN).is_none() => {
            return Ok((None, Some(choice(NO_COLUMN, "named by you".to_owned(), &present))));
        }
        Some(name) => {
            let name = obs.find(name).ok_or_else(|| obs.unknown(name))?;
            let column = compact(obs.words(name)?);
            return Ok((Some(column), Some(choice(name, "named by you".to_owned(), &present))));
        }
        None => {}
    }
    for name in &present {
        let column = compact(obs.words(name)?);
        // As many levels as cells is a barcode, not a batch.
        if (fewest..=obs.length().div_ceil(2)).contains(&column.levels.len()) {
            let reason = format!("{}: {}", counted(column.levels.len(), "level"), listed(&column.levels, 4));
            return Ok((Some(column), Some(choice(name, reason, &present))));
        }
    }
    Ok((None, None))
}

/// The columns that say how cells were perturbed.
pub(super) fn kind_columns(obs: &Frame) -> Result<Vec<Categories>, H5adError> {
    let present = KIND_COLUMNS.iter().filter_map(|name| obs.find(name)).filter(|name| obs.has_words(name));
    present.map(|name| obs.words(name)).collect()
}
