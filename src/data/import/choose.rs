//! Which columns hold the perturbations, the controls, the batch, the cell type, the guides.

use std::collections::BTreeMap;

use super::frame::{Column, Frame, compact};
use crate::data::labels::{ColumnFit, ControlFlags, KIND_COLUMNS, Labels, PERTURBATION_COLUMNS, fit};
use crate::data::{Categories, CellRole, Choice, Genes, ImportOptions};
use crate::words::{counted, grouped, listed};

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
/// Columns with guides; one of them may be the perturbation column itself.
const GUIDE_COLUMNS: &[&str] = &[
    "guide_id",
    "guide_identity",
    "guide",
    "guide_name",
    "guide_ids",
    "sgrna",
    "sgrna_id",
    "sgrna_name",
    "grna",
    "grna_id",
    "sgid_ab",
    "protospacer",
    "feature_call",
    "perturbation_raw",
];
/// A guide with fewer cells says nothing.
const FEWEST_OF_GUIDE: usize = 5;
/// Columns that mark controls with 1.
const CONTROL_COLUMNS: &[&str] = &["control", "is_control", "is_ctrl", "ctrl"];
/// CELLxGENE's column, which marks controls with the word `control`.
const STRATEGY_COLUMN: &str = "genetic_perturbation_strategy";
/// What the user writes for no column.
const NO_COLUMN: &str = "none";

/// The perturbation column, if one was found, and why.
pub(super) struct ChosenColumn {
    pub(super) column: Option<Categories>,
    pub(super) choice: Choice,
}

/// The best column of the labels file; else of the file itself.
pub(super) fn choose_perturbations<F: Frame>(
    obs: &F,
    genes: &Genes,
    sure: Option<&str>,
    options: &ImportOptions,
) -> Result<ChosenColumn, F::Error> {
    let what = "perturbation column".to_owned();
    let known: Vec<&str> = PERTURBATION_COLUMNS.iter().filter_map(|name| obs.find(name)).collect();
    if let Some(name) = &options.perturbation_column {
        let name = obs.find(name).ok_or_else(|| obs.unknown(name))?;
        let column = obs.words(name)?;
        let alternatives = known.iter().filter(|other| **other != name).map(|&name| name.to_owned()).collect();
        let choice = Choice { what, chosen: name.to_owned(), reason: "named by you".to_owned(), alternatives };
        return Ok(ChosenColumn { column: Some(column), choice });
    }
    let (from_labels, own) = obs.columns().split_at(obs.label_columns());
    let mut best = best_among(obs, from_labels, genes)?;
    if best.is_none() {
        best = best_among(obs, own, genes)?;
    }
    if best.is_none()
        && let Some(name) = sure.and_then(|name| obs.find(name))
    {
        let column = obs.words(name)?;
        let fitness = fit(&column, genes);
        best = Some((column, fitness));
    }
    let Some((column, fitness)) = best else {
        let reason = "no column has labels that are genes of the data set".to_owned();
        let alternatives = obs.columns().iter().filter(|name| obs.has_words(name)).cloned().collect();
        return Ok(ChosenColumn {
            column: None,
            choice: Choice { what, chosen: NO_COLUMN.to_owned(), reason, alternatives },
        });
    };
    let mut reason =
        format!("{} of {} name measured genes", grouped(fitness.partly_measured), counted(fitness.targeting, "label"));
    if fitness.has_control {
        reason.push_str(", and there is a control");
    }
    let alternatives =
        known.iter().filter(|name| **name != column.name && obs.has_words(name)).map(|&name| name.to_owned()).collect();
    let choice = Choice { what, chosen: column.name.clone(), reason, alternatives };
    Ok(ChosenColumn { column: Some(column), choice })
}

/// Of the columns `names` the first of a known name whose labels are mostly genes; else the first of a known name with a control; else any
/// column whose labels are mostly genes.
fn best_among<F: Frame>(obs: &F, names: &[String], genes: &Genes) -> Result<Option<(Categories, ColumnFit)>, F::Error> {
    let known: Vec<&str> = PERTURBATION_COLUMNS
        .iter()
        .filter_map(|name| obs.find(name))
        .filter(|name| names.iter().any(|own| own == name))
        .collect();
    let mut possible = None;
    for name in &known {
        // 0/1 columns such as `control` or a flag called `perturbation` hold no labels.
        if !obs.has_words(name) {
            continue;
        }
        let column = obs.words(name)?;
        let fitness = fit(&column, genes);
        if fitness.is_good() {
            return Ok(Some((column, fitness)));
        }
        if possible.is_none() && fitness.is_possible() {
            possible = Some((column, fitness));
        }
    }
    if possible.is_some() {
        return Ok(possible);
    }
    for name in names {
        if known.contains(&name.as_str()) || !obs.has_words(name) {
            continue;
        }
        let Ok(column) = obs.words(name) else { continue };
        let fitness = fit(&column, genes);
        if fitness.is_good() && (fitness.has_control || fitness.measured > 1) {
            return Ok(Some((column, fitness)));
        }
    }
    Ok(None)
}

/// A column that marks the control cells, if there is one.
pub(super) fn control_flags<F: Frame>(obs: &F) -> Result<Option<ControlFlags>, F::Error> {
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
pub(super) fn choose_batch<F: Frame>(
    obs: &F,
    taken: &str,
    wanted: Option<&str>,
) -> Result<(Option<Categories>, Option<Choice>), F::Error> {
    choose_category(obs, "batch", &present(obs, BATCH_COLUMNS, taken), wanted, |column| levels(obs, column, 2))
}

/// The type or line of each cell, if a column tells.
pub(super) fn choose_cell_type<F: Frame>(
    obs: &F,
    taken: &str,
    wanted: Option<&str>,
) -> Result<(Option<Categories>, Option<Choice>), F::Error> {
    choose_category(obs, "cell type", &present(obs, CELL_TYPE_COLUMNS, taken), wanted, |column| levels(obs, column, 1))
}

/// Those of `names` that `obs` has, but the one that is `taken`.
fn present<'a, F: Frame>(obs: &'a F, names: &[&str], taken: &str) -> Vec<&'a str> {
    let mut present: Vec<&str> = names.iter().filter_map(|name| obs.find(name)).filter(|name| *name != taken).collect();
    present.dedup();
    present
}

/// Why a column serves as categories: it has so many levels, at least `fewest`. As many levels as cells is a barcode.
fn levels<F: Frame>(obs: &F, column: &Categories, fewest: usize) -> Option<String> {
    let fits = (fewest..=obs.length().div_ceil(2)).contains(&column.levels.len());
    fits.then(|| format!("{}: {}", counted(column.levels.len(), "level"), listed(&column.levels, 4)))
}

/// The column that is `wanted`, else the first of those `present` that serves, and why: what `serves` says.
fn choose_category<F: Frame>(
    obs: &F,
    what: &str,
    present: &[&str],
    wanted: Option<&str>,
    serves: impl Fn(&Categories) -> Option<String>,
) -> Result<(Option<Categories>, Option<Choice>), F::Error> {
    let choice = |chosen: &str, reason: String| Choice {
        what: what.to_owned(),
        chosen: chosen.to_owned(),
        reason,
        alternatives: present.iter().filter(|name| **name != chosen).map(|&name| name.to_owned()).collect(),
    };
    match wanted {
        Some(NO_COLUMN) if obs.find(NO_COLUMN).is_none() => {
            return Ok((None, Some(choice(NO_COLUMN, "named by you".to_owned()))));
        }
        Some(name) => {
            let name = obs.find(name).ok_or_else(|| obs.unknown(name))?;
            let column = compact(obs.words(name)?);
            return Ok((Some(column), Some(choice(name, "named by you".to_owned()))));
        }
        None => {}
    }
    for name in present {
        let column = compact(obs.words(name)?);
        if let Some(reason) = serves(&column) {
            return Ok((Some(column), Some(choice(name, reason))));
        }
    }
    Ok((None, None))
}

/// The guide of each cell, if a column names several for one target; the perturbation column itself may.
pub(super) fn choose_guide<F: Frame>(
    obs: &F,
    taken: &str,
    labels: &Labels,
    wanted: Option<&str>,
) -> Result<(Option<Categories>, Option<Choice>), F::Error> {
    let mut present = present(obs, GUIDE_COLUMNS, taken);
    present.extend(obs.find(taken));
    present.retain(|name| obs.has_words(name));
    choose_category(obs, "guide column", &present, wanted, |column| {
        let several = targets_with_several(column, labels);
        let guides = counted(column.levels.len(), "guide");
        (several > 0).then(|| format!("{guides}; {} with several", counted(several, "target")))
    })
}

/// Perturbations whose cells are those of several levels of `guides`; none where a level is of many perturbations.
fn targets_with_several(guides: &Categories, labels: &Labels) -> usize {
    let mut cells: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    for (code, role) in guides.codes.iter().zip(&labels.roles) {
        if let (&Some(code), CellRole::Perturbed(perturbation)) = (code, role) {
            *cells.entry((code, *perturbation)).or_default() += 1;
        }
    }
    let (mut of_guide, mut of_target) = (vec![0usize; guides.levels.len()], BTreeMap::<u32, usize>::new());
    for ((code, perturbation), _) in cells.into_iter().filter(|(_, count)| *count >= FEWEST_OF_GUIDE) {
        of_guide[code as usize] += 1;
        *of_target.entry(perturbation).or_default() += 1;
    }
    // A batch has cells of all perturbations.
    let astray = of_guide.iter().filter(|targets| **targets > 1).count();
    let guides = of_guide.iter().filter(|targets| **targets > 0).count();
    if 10 * astray > guides { 0 } else { of_target.values().filter(|guides| **guides > 1).count() }
}

/// The columns that say how cells were perturbed.
pub(super) fn kind_columns<F: Frame>(obs: &F) -> Result<Vec<Categories>, F::Error> {
    let present = KIND_COLUMNS.iter().filter_map(|name| obs.find(name)).filter(|name| obs.has_words(name));
    present.map(|name| obs.words(name)).collect()
}
