//! From a column of labels to the role of every cell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{ControlSign, LabelReader, LabelStyle, Meaning, Separator, Target};
use crate::data::{Categories, CellRole, Choice, Genes, ImportOptions, Perturbation, Warning, nearest};
use crate::words::{counted, grouped, listed};

/// A second column that marks control cells: GEARS's 0/1 `control`, CELLxGENE's strategy `control`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlFlags {
    /// Name of the column.
    pub column: String,
    /// Whether each cell is marked.
    pub cells: Vec<bool>,
}

/// The role of every cell and how it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Each condition other than control once, sorted.
    pub perturbations: Vec<Perturbation>,
    /// One per cell.
    pub roles: Vec<CellRole>,
    /// The decisions.
    pub choices: Vec<Choice>,
    /// What the user should know.
    pub warnings: Vec<Warning>,
    /// Every label that at least one cell has, in the order of the column.
    pub levels: Vec<Level>,
}

/// One label of the perturbation column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// As in the file.
    pub label: String,
    /// Cells that have it.
    pub cells: usize,
    /// What it was taken for.
    pub taken_for: LevelUse,
}

/// What a label was taken for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LevelUse {
    /// Control cells.
    Control,
    /// Cells without an assignment.
    Unassigned,
    /// The perturbation of this name.
    Perturbed(String),
}

/// Why labels cannot be assigned as asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LabelError {
    /// A label that the user named does not occur.
    #[error("column {column} has no label {label}; {hint}")]
    UnknownLabel {
        /// The perturbation column.
        column: String,
        /// The label that was asked for.
        label: String,
        /// Labels that it has.
        hint: String,
    },
}

/// What a label turned out to be.
enum Use {
    Control,
    Unassigned,
    Perturbed(Vec<Target>),
}

/// Read the labels of `column` for the measured `genes`.
pub fn assign(
    column: &Categories,
    flags: Option<&ControlFlags>,
    genes: &Genes,
    style: LabelStyle,
    options: &ImportOptions,
) -> Result<Labels, LabelError> {
    for label in options.control_labels.iter().chain(&options.unassigned_labels) {
        if !column.levels.iter().any(|level| level.trim() == label.trim()) {
            return Err(unknown(column, label));
        }
    }
    let mut cells = vec![0usize; column.levels.len()];
    for code in column.codes.iter().flatten() {
        cells[*code as usize] += 1;
    }
    let used = || column.levels.iter().zip(&cells).filter(|(_, cells)| **cells > 0).map(|(level, _)| level.as_str());
    let separator = Separator::of(options.combination_separator.as_deref());
    let reader = LabelReader::with_style(genes, used().collect::<Vec<_>>(), style).split_at(separator);
    let meanings: Vec<Meaning> = column.levels.iter().map(|level| reader.read(level)).collect();
    let is_named = |names: &[String], level: &str| names.iter().any(|name| name.trim() == level.trim());
    let any_sure = meanings
        .iter()
        .zip(&cells)
        .any(|(meaning, cells)| *cells > 0 && *meaning == Meaning::Control(ControlSign::Sure));
    let flagged = flags.map_or(0, |flags| flags.cells.iter().filter(|flag| **flag).count());
    let named_controls = !options.control_labels.is_empty();

    let mut controls = Vec::new();
    let mut passed_over = Vec::new();
    let mut unassigned = Vec::new();
    let uses: Vec<Use> = column
        .levels
        .iter()
        .zip(meanings)
        .zip(&cells)
        .map(|((level, meaning), &cells)| {
            let itself = || Use::Perturbed(vec![Target { symbol: level.trim().to_owned(), measured: false }]);
            let decided = if is_named(&options.control_labels, level) {
                Use::Control
            } else if is_named(&options.unassigned_labels, level) {
                Use::Unassigned
            } else {
                match meaning {
                    Meaning::Unassigned => Use::Unassigned,
                    Meaning::Targets(targets) => Use::Perturbed(targets),
                    Meaning::Control(_) if named_controls => itself(),
                    Meaning::Control(ControlSign::Sure) => Use::Control,
                    Meaning::Control(ControlSign::Weak) if any_sure || flagged > 0 => {
                        if cells > 0 {
                            passed_over.push(level.clone());
                        }
                        itself()
                    }
                    Meaning::Control(ControlSign::Weak) => Use::Control,
                }
            };
            if cells > 0 {
                match decided {
                    Use::Control => controls.push(level.clone()),
                    Use::Unassigned => unassigned.push(level.clone()),
                    Use::Perturbed(_) => {}
                }
            }
            decided
        })
        .collect();

    let by_flag = controls.is_empty() && flagged > 0;
    let mut labels = Labels { levels: levels(column, &cells, &uses), ..Labels::default() };
    let mut numbers: BTreeMap<Perturbation, u32> = BTreeMap::new();
    let mut measured: BTreeMap<&str, bool> = BTreeMap::new();
    let mut perturbed_levels = 0;
    for (decided, &cells) in uses.iter().zip(&cells) {
        if let Use::Perturbed(targets) = decided
            && cells > 0
        {
            perturbed_levels += 1;
            numbers.insert(perturbation(targets), 0);
            measured.extend(targets.iter().map(|target| (target.symbol.as_str(), target.measured)));
        }
    }
    for (number, index) in numbers.values_mut().zip(0..) {
        *number = index;
    }
    let role_of_level: Vec<CellRole> = uses
        .iter()
        .map(|decided| match decided {
            Use::Control => CellRole::Control,
            Use::Unassigned => CellRole::Unassigned,
            Use::Perturbed(targets) => {
                numbers.get(&perturbation(targets)).map_or(CellRole::Unassigned, |number| CellRole::Perturbed(*number))
            }
        })
        .collect();
    labels.roles = column
        .codes
        .iter()
        .enumerate()
        .map(|(cell, code)| match code {
            _ if by_flag && flags.is_some_and(|flags| flags.cells[cell]) => CellRole::Control,
            Some(code) => role_of_level[*code as usize],
            None => CellRole::Unassigned,
        })
        .collect();
    labels.perturbations = numbers.into_keys().collect();
    if by_flag {
        drop_empty(&mut labels);
    }

    let found = Found {
        column: &column.name,
        controls: &controls,
        passed_over: &passed_over,
        unassigned: &unassigned,
        flags: flags.filter(|_| by_flag),
        named_controls,
    };
    report_control(&mut labels, &found);
    if let Some(flags) = flags.filter(|_| !by_flag && flagged > 0 && !named_controls) {
        compare_with_flags(&mut labels, flags);
    }
    report_unassigned(&mut labels, &found);
    report_targets(&mut labels, perturbed_levels, &measured, genes);
    Ok(labels)
}

/// What each label that occurs was taken for.
fn levels(column: &Categories, cells: &[usize], uses: &[Use]) -> Vec<Level> {
    let all = column.levels.iter().zip(cells).zip(uses);
    all.filter(|((_, cells), _)| **cells > 0)
        .map(|((label, &cells), decided)| {
            let taken_for = match decided {
                Use::Control => LevelUse::Control,
                Use::Unassigned => LevelUse::Unassigned,
                Use::Perturbed(targets) => LevelUse::Perturbed(perturbation(targets).name()),
            };
            Level { label: label.clone(), cells, taken_for }
        })
        .collect()
}

/// Where all cells of a perturbation turned out to be controls by their flag, it is none.
fn drop_empty(labels: &mut Labels) {
    let mut cells = vec![0usize; labels.perturbations.len()];
    for index in labels.roles.iter().filter_map(|role| role.perturbation()) {
        cells[index] += 1;
    }
    let mut next = 0;
    let numbers: Vec<Option<u32>> = cells
        .iter()
        .map(|&cells| {
            (cells > 0).then(|| {
                next += 1;
                next - 1
            })
        })
        .collect();
    for role in &mut labels.roles {
        if let CellRole::Perturbed(index) = role
            && let Some(number) = numbers[*index as usize]
        {
            *index = number;
        }
    }
    let mut kept = cells.iter().map(|&cells| cells > 0);
    labels.perturbations.retain(|_| kept.next().unwrap_or(true));
}

struct Found<'a> {
    column: &'a str,
    controls: &'a [String],
    passed_over: &'a [String],
    unassigned: &'a [String],
    flags: Option<&'a ControlFlags>,
    named_controls: bool,
}

fn perturbation(targets: &[Target]) -> Perturbation {
    Perturbation::of(targets.iter().map(|target| target.symbol.as_str()))
}

fn unknown(column: &Categories, label: &str) -> LabelError {
    let near = nearest(label, column.levels.iter().map(String::as_str), 3);
    let hint = if near.is_empty() {
        format!("it has {}", listed(&column.levels, 8))
    } else {
        format!("did you mean {}?", near.join(", "))
    };
    LabelError::UnknownLabel { column: column.name.clone(), label: label.to_owned(), hint }
}

fn report_control(labels: &mut Labels, found: &Found<'_>) {
    let cells = labels.roles.iter().filter(|role| **role == CellRole::Control).count();
    let what = "control".to_owned();
    let choice = if let Some(flags) = found.flags {
        let reason = format!("no label means control, but column {} marks {}", flags.column, counted(cells, "cell"));
        Choice { what, chosen: format!("cells marked in {}", flags.column), reason, alternatives: Vec::new() }
    } else if found.controls.is_empty() {
        let message = format!(
            "no label of column {} means control, so there is nothing to compare with: name the control label",
            found.column
        );
        labels.warnings.push(Warning { message });
        let reason = format!("no label of column {} means control by convention", found.column);
        Choice { what, chosen: "none".to_owned(), reason, alternatives: Vec::new() }
    } else {
        let reason = if found.named_controls {
            format!("named by you; {}", counted(cells, "cell"))
        } else {
            format!("means control by convention; {}", counted(cells, "cell"))
        };
        Choice { what, chosen: listed(found.controls, 5), reason, alternatives: found.passed_over.to_vec() }
    };
    labels.choices.push(choice);
    if found.controls.len() > 1 && !found.named_controls {
        let message = format!(
            "{} were taken together as control: {}",
            counted(found.controls.len(), "label"),
            listed(found.controls, 8)
        );
        labels.warnings.push(Warning { message });
    }
    if !found.passed_over.is_empty() {
        let message = format!(
            "{} could be a control too, but was not added to the others: {}",
            counted(found.passed_over.len(), "label"),
            listed(found.passed_over, 8)
        );
        labels.warnings.push(Warning { message });
    }
}

fn compare_with_flags(labels: &mut Labels, flags: &ControlFlags) {
    let differ = labels
        .roles
        .iter()
        .zip(&flags.cells)
        .filter(|(role, flag)| (**role == CellRole::Control) != **flag && **role != CellRole::Unassigned)
        .count();
    if differ > 0 {
        let message = format!(
            "column {} disagrees with the labels on which cells are controls for {}; the labels are used",
            flags.column,
            counted(differ, "cell")
        );
        labels.warnings.push(Warning { message });
    }
}

fn report_unassigned(labels: &mut Labels, found: &Found<'_>) {
    let cells = labels.roles.iter().filter(|role| **role == CellRole::Unassigned).count();
    if cells == 0 {
        return;
    }
    let words: Vec<String> = found
        .unassigned
        .iter()
        .map(|label| if label.trim().is_empty() { "(empty)".to_owned() } else { label.clone() })
        .collect();
    let chosen = if words.is_empty() { "cells without a label".to_owned() } else { listed(&words, 5) };
    let reason =
        format!("{} of {} cells: left out, never taken for controls", grouped(cells), grouped(labels.roles.len()));
    labels.choices.push(Choice { what: "unassigned".to_owned(), chosen, reason, alternatives: Vec::new() });
    let message = format!(
        "{} of {} cells have no perturbation assigned and are left out",
        grouped(cells),
        grouped(labels.roles.len())
    );
    labels.warnings.push(Warning { message });
}

fn report_targets(labels: &mut Labels, levels: usize, measured: &BTreeMap<&str, bool>, genes: &Genes) {
    let combined: Vec<String> = labels
        .perturbations
        .iter()
        .filter(|perturbation| perturbation.targets().len() > 1)
        .map(Perturbation::name)
        .collect();
    if !combined.is_empty() {
        labels.choices.push(Choice {
            what: "combinations".to_owned(),
            chosen: counted(combined.len(), "combination"),
            reason: format!("labels that name several genes, such as {}", listed(&combined, 2)),
            alternatives: Vec::new(),
        });
    }
    if levels > labels.perturbations.len() {
        labels.choices.push(Choice {
            what: "guides".to_owned(),
            chosen: "put together by target".to_owned(),
            reason: format!(
                "{} name {}",
                counted(levels, "label"),
                counted(labels.perturbations.len(), "perturbation")
            ),
            alternatives: Vec::new(),
        });
    }
    let unmeasured: Vec<&str> =
        measured.iter().filter(|(_, measured)| !**measured).map(|(symbol, _)| *symbol).collect();
    if !unmeasured.is_empty() {
        let message = format!(
            "{} of {} are not among the {}: {}",
            grouped(unmeasured.len()),
            counted(measured.len(), "perturbed gene"),
            counted(genes.len(), "measured gene"),
            listed(&unmeasured, 8)
        );
        labels.warnings.push(Warning { message });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Gene;

    fn column(cells: &[&str]) -> Categories {
        let mut levels: Vec<String> = Vec::new();
        let codes = cells
            .iter()
            .map(|&label| {
                if label == "missing" {
                    return None;
                }
                let known = levels.iter().position(|level| level == label);
                Some(known.unwrap_or_else(|| {
                    levels.push(label.to_owned());
                    levels.len() - 1
                }) as u32)
            })
            .collect();
        Categories { name: "perturbation".into(), levels, codes }
    }

    fn genes() -> Genes {
        Genes::new(["STAT1", "JAK2", "TP53"].map(Gene::named).to_vec())
    }

    fn named(labels: &Labels) -> Vec<String> {
        let name = |role: &CellRole| match role {
            CellRole::Control => "control".to_owned(),
            CellRole::Unassigned => "unassigned".to_owned(),
            CellRole::Perturbed(index) => labels.perturbations[*index as usize].name(),
        };
        labels.roles.iter().map(name).collect()
    }

    #[test]
    fn unassigned_cells_are_never_controls() {
        let cells = ["ctrl", "nan", "missing", "", "STAT1+ctrl", "JAK2+STAT1", "STAT1+JAK2", "*"];
        let labels = assign(&column(&cells), None, &genes(), LabelStyle::Published, &ImportOptions::default()).unwrap();
        let expected =
            ["control", "unassigned", "unassigned", "unassigned", "STAT1", "JAK2+STAT1", "JAK2+STAT1", "unassigned"];
        assert_eq!(named(&labels), expected);
        assert!(labels.warnings.iter().any(|warning| warning.message.starts_with("4 of 8 cells")));
    }

    #[test]
    fn several_sure_controls_are_merged_and_told_and_weak_ones_are_not() {
        let cells = ["NTC", "non-targeting", "AAVS1", "STAT1"];
        let labels = assign(&column(&cells), None, &genes(), LabelStyle::Published, &ImportOptions::default()).unwrap();
        assert_eq!(named(&labels), ["control", "control", "AAVS1", "STAT1"]);
        assert_eq!(labels.choices[0].alternatives, ["AAVS1"]);
        assert!(labels.warnings.iter().any(|warning| warning.message.contains("NTC, non-targeting")));
        let weak =
            assign(&column(&["AAVS1", "STAT1"]), None, &genes(), LabelStyle::Published, &ImportOptions::default())
                .unwrap();
        assert_eq!(named(&weak), ["control", "STAT1"]);
    }

    #[test]
    fn the_user_has_the_last_word_and_a_wrong_word_gets_a_hint() {
        let cells = ["NTC", "AAVS1", "STAT1", "JAK2"];
        let options = ImportOptions {
            control_labels: vec!["AAVS1".into()],
            unassigned_labels: vec!["JAK2".into()],
            ..ImportOptions::default()
        };
        let labels = assign(&column(&cells), None, &genes(), LabelStyle::Published, &options).unwrap();
        assert_eq!(named(&labels), ["NTC", "control", "STAT1", "unassigned"]);
        let options = ImportOptions { control_labels: vec!["AAV".into()], ..ImportOptions::default() };
        let error = assign(&column(&cells), None, &genes(), LabelStyle::Published, &options).unwrap_err();
        assert_eq!(error.to_string(), "column perturbation has no label AAV; did you mean AAVS1?");
    }

    #[test]
    fn flags_serve_where_no_label_means_control() {
        let flags = ControlFlags { column: "control".into(), cells: vec![true, false, false] };
        let labels = assign(
            &column(&["K562", "STAT1", "JAK2"]),
            Some(&flags),
            &genes(),
            LabelStyle::Published,
            &ImportOptions::default(),
        )
        .unwrap();
        assert_eq!(named(&labels), ["control", "STAT1", "JAK2"]);
        assert_eq!(labels.perturbations.len(), 2);
        assert_eq!(labels.choices[0].chosen, "cells marked in control");
        let disagree = assign(
            &column(&["STAT1", "ctrl", "JAK2"]),
            Some(&flags),
            &genes(),
            LabelStyle::Published,
            &ImportOptions::default(),
        )
        .unwrap();
        assert_eq!(named(&disagree), ["STAT1", "control", "JAK2"]);
        assert!(
            disagree
                .warnings
                .iter()
                .any(|warning| warning.message.contains("disagrees") && warning.message.contains("2 cells"))
        );
    }

    #[test]
    fn guides_of_one_target_are_put_together_and_unmeasured_targets_told() {
        let cells = ["NTg1", "STAT1g1", "STAT1g2", "JAK2g1", "BRD4g1", "BRD4g2"];
        let labels = assign(&column(&cells), None, &genes(), LabelStyle::Published, &ImportOptions::default()).unwrap();
        assert_eq!(named(&labels), ["control", "STAT1", "STAT1", "JAK2", "BRD4", "BRD4"]);
        assert!(labels.choices.iter().any(|choice| choice.what == "guides"));
        assert!(labels.warnings.iter().any(|warning| warning.message.contains("1 of 3 perturbed genes")));
    }

    #[test]
    fn every_label_tells_what_it_was_taken_for() {
        let labels = assign(
            &column(&["NT", "NT", "STAT1", "nan", "STAT1+JAK2"]),
            None,
            &genes(),
            LabelStyle::Published,
            &ImportOptions::default(),
        )
        .unwrap();
        let found: Vec<_> = labels.levels.iter().map(|level| (level.label.as_str(), level.cells)).collect();
        assert_eq!(found, [("NT", 2), ("STAT1", 1), ("nan", 1), ("STAT1+JAK2", 1)]);
        let uses: Vec<_> = labels.levels.into_iter().map(|level| level.taken_for).collect();
        assert_eq!(uses[..3], [LevelUse::Control, LevelUse::Perturbed("STAT1".into()), LevelUse::Unassigned]);
        assert_eq!(uses[3], LevelUse::Perturbed("JAK2+STAT1".into()));
        let options = ImportOptions { combination_separator: Some("none".into()), ..ImportOptions::default() };
        let whole = assign(&column(&["NT", "STAT1+JAK2"]), None, &genes(), LabelStyle::Published, &options).unwrap();
        assert_eq!(whole.perturbations[0].targets(), ["STAT1+JAK2"]);
    }

    #[test]
    fn without_any_control_the_user_is_told() {
        let labels =
            assign(&column(&["STAT1", "JAK2"]), None, &genes(), LabelStyle::Published, &ImportOptions::default())
                .unwrap();
        assert!(labels.warnings.iter().any(|warning| warning.message.contains("name the control label")));
    }
}
