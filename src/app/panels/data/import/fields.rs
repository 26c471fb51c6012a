//! The choices, one below the other.

use std::path::PathBuf;

use egui::{ComboBox, DragValue, Response, Ui};

use super::{ImportForm, Known, labels, weak};
use crate::app::action::Action;
use crate::app::theme;
use crate::app::work::file_name;
use crate::data::{DEFAULT_GUIDE_THRESHOLD, ImportOptions, KeptGenes, MatrixKind, Orientation, PerturbationKind};

/// What the user picks for no column, and for the row names.
const NONE: &str = "none";
const INDEX: &str = "index";
/// How the reader calls the row names.
const ROW_NAMES: &str = "row names";
/// How the reader calls the table with labels, and the calls of captured guides.
const LABELS: &str = "labels file";
const GUIDES: &str = "guide calls";
/// Widest list.
const WIDTH: f32 = 320.0;

/// A choice among the columns or matrices of the file.
struct Field {
    /// As the reader calls it.
    what: &'static str,
    title: &'static str,
    hint: &'static str,
    slot: fn(&mut ImportOptions) -> &mut Option<String>,
}

const MATRIX: Field = Field {
    what: "matrix",
    title: "Matrix",
    hint: "Training needs raw counts; they may be in a layer or in raw/X",
    slot: |options| &mut options.matrix,
};
const COLUMN: Field = Field {
    what: "perturbation column",
    title: "Perturbation column",
    hint: "The column that tells which gene was perturbed in each cell, or which guide it got",
    slot: |options| &mut options.perturbation_column,
};
const GENES: Field = Field {
    what: "gene names",
    title: "Gene names",
    hint: "Where the symbols of the measured genes are; perturbed genes are found by them",
    slot: |options| &mut options.gene_column,
};
const BATCH: Field = Field {
    what: "batch",
    title: "Batch",
    hint: "Lane, gem group or replicate of each cell",
    slot: |options| &mut options.batch_column,
};
const CELL_TYPE: Field = Field {
    what: "cell type",
    title: "Cell type",
    hint: "Type or line of each cell",
    slot: |options| &mut options.cell_type_column,
};

const GUIDE: Field = Field {
    what: "guide column",
    title: "Guide",
    hint: "The guide that each cell got, beside its target: the page *Guides* tells which of them work",
    slot: |options| &mut options.guide_column,
};

/// Ways to join genes in a label: what is stored, and what is read.
const SEPARATORS: [(Option<&str>, &str); 8] = [
    (None, "By the rules"),
    (Some("+"), "at +"),
    (Some("_"), "at _"),
    (Some("|"), "at |"),
    (Some(","), "at ,"),
    (Some(";"), "at ;"),
    (Some("--"), "at --"),
    (Some(NONE), "Never: every label is one condition"),
];

/// Draw them.
pub(super) fn show(form: &mut ImportForm, ui: &mut Ui, known: &Known<'_>, actions: &mut Vec<Action>) {
    column(form, ui, known, &MATRIX);
    values(form, ui, known);
    labels_file(form, ui, known, actions);
    let before = form.options.perturbation_column.clone();
    column(form, ui, known, &COLUMN);
    if form.options.perturbation_column != before {
        // The labels were those of the other column.
        form.options.control_labels.clear();
        form.options.unassigned_labels.clear();
        form.order = None;
    }
    labels::show(form, ui, known);
    separator(form, ui, known);
    column(form, ui, known, &GENES);
    kind(form, ui, known);
    column(form, ui, known, &BATCH);
    column(form, ui, known, &CELL_TYPE);
    column(form, ui, known, &GUIDE);
    others(form, ui, known);
}

/// What is shown above.
const SHOWN: [&str; 12] = [
    "matrix",
    "values",
    LABELS,
    "perturbation column",
    "control",
    "unassigned",
    "combinations",
    "gene names",
    "kind of perturbation",
    "batch",
    "cell type",
    "guide column",
];

/// What else was decided, by the format or the size of the file.
fn others(form: &mut ImportForm, ui: &mut Ui, known: &Known<'_>) {
    let changed = form.is_changed();
    for choice in known.all(&form.options, changed).iter().filter(|choice| !SHOWN.contains(&choice.what.as_str())) {
        let mut letters = choice.what.chars();
        let name: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        let label = title(ui, &name, "Decided by the format or the size of the file");
        match choice.what.as_str() {
            "orientation" => {
                let entries: Vec<(Option<Orientation>, String)> = vec![
                    (None, format!("{} (by the rules)", choice.chosen)),
                    (Some(Orientation::CellsInRows), "cells in rows".to_owned()),
                    (Some(Orientation::GenesInRows), "genes in rows".to_owned()),
                ];
                if let Some(picked) = list(ui, &label, "orientation", &entries, &form.options.orientation) {
                    form.options.orientation = picked;
                }
            }
            "genes held" => {
                let mut all = form.options.genes == Some(KeptGenes::ALL);
                ui.label(egui::RichText::new(&choice.chosen).text_style(theme::strong()));
                let hint = "Needs as much memory as the reason says, or the computer begins to swap";
                if ui.checkbox(&mut all, "Hold all genes").on_hover_text(hint).changed() {
                    form.options.genes = all.then_some(KeptGenes::ALL);
                }
            }
            GUIDES => {
                let mut threshold = form.options.guide_threshold.unwrap_or(DEFAULT_GUIDE_THRESHOLD);
                let hint = "Molecules of a guide from which on a cell counts as having it";
                let drag = DragValue::new(&mut threshold).range(1..=1000).suffix(" molecules of a guide, or more");
                if ui.add(drag).on_hover_text(hint).labelled_by(label.id).changed() {
                    form.options.guide_threshold = Some(threshold);
                }
            }
            _ => _ = ui.add(egui::Label::new(egui::RichText::new(&choice.chosen).text_style(theme::strong())).wrap()),
        }
        reason(ui, &choice.reason);
    }
}

/// The table with labels of the cells: one that was found or named, none, or another.
fn labels_file(form: &mut ImportForm, ui: &mut Ui, known: &Known<'_>, actions: &mut Vec<Action>) {
    let changed = form.is_changed();
    let choice = known.choice(LABELS, &form.options, changed);
    let label =
        title(ui, "Labels file", "A table (CSV or TSV) with a row for each cell, beside what the file itself says");
    let by_rules = match choice.filter(|_| form.options.labels_file.is_none()) {
        Some(choice) => format!("{} (by the rules)", choice.chosen),
        None => "By the rules".to_owned(),
    };
    let mut entries = vec![(None, by_rules), (Some(PathBuf::from(NONE)), "None".to_owned())];
    let names = choice.iter().flat_map(|choice| std::iter::once(&choice.chosen).chain(&choice.alternatives));
    let beside = names.map(PathBuf::from).chain(form.options.labels_file.clone());
    for path in beside {
        let text = file_name(&path);
        if !entries.iter().any(|(_, known)| *known == text || known.starts_with(&format!("{text} ("))) && text != NONE {
            entries.push((Some(path), text));
        }
    }
    ui.horizontal(|ui| {
        ui.set_max_width(WIDTH + 80.0);
        // The same file may be named with its folder or without.
        let name = form.options.labels_file.as_deref().map(file_name);
        let current = entries.iter().find(|(path, _)| path.as_deref().map(file_name) == name);
        let current = current.map_or_else(|| form.options.labels_file.clone(), |(path, _)| path.clone());
        if let Some(picked) = list_of(ui, &label, LABELS, &entries, &current, WIDTH - 90.0) {
            form.options.labels_file = picked;
        }
        if ui.button("Choose…").on_hover_text("Choose a labels file").clicked() {
            actions.push(Action::AskLabels(known.data.to_owned()));
        }
    });
    reason(ui, choice.map_or("none is used", |choice| choice.reason.as_str()));
}

/// The title of a choice.
pub(super) fn title(ui: &mut Ui, text: &str, hint: &str) -> Response {
    ui.label(weak(ui, text)).on_hover_text(hint)
}

/// Why it was decided so.
pub(super) fn reason(ui: &mut Ui, text: &str) {
    if !text.is_empty() {
        ui.add(egui::Label::new(weak(ui, text)).wrap());
    }
    ui.add_space(theme::SMALL);
}

/// A list; gives back what was picked, if it is not what was chosen.
fn list<T: Clone + PartialEq>(
    ui: &mut Ui,
    label: &Response,
    id: &str,
    entries: &[(T, String)],
    chosen: &T,
) -> Option<T> {
    let width = ui.available_width().min(WIDTH);
    list_of(ui, label, id, entries, chosen, width)
}

fn list_of<T: Clone + PartialEq>(
    ui: &mut Ui,
    label: &Response,
    id: &str,
    entries: &[(T, String)],
    chosen: &T,
    width: f32,
) -> Option<T> {
    let mut picked = chosen.clone();
    let text = entries.iter().find(|(value, _)| value == chosen).map_or("", |(_, text)| text.as_str());
    let combo = ComboBox::from_id_salt(("import", id)).width(width).truncate();
    let response = combo.height(300.0).selected_text(text).show_ui(ui, |ui| {
        for (value, text) in entries {
            ui.selectable_value(&mut picked, value.clone(), text);
        }
    });
    response.response.labelled_by(label.id);
    (picked != *chosen).then_some(picked)
}

fn column(form: &mut ImportForm, ui: &mut Ui, known: &Known<'_>, field: &Field) {
    let changed = form.is_changed();
    let choice = known.choice(field.what, &form.options, changed);
    let stored = |name: &str| if name == ROW_NAMES { INDEX.to_owned() } else { name.to_owned() };
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: String| {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    };
    if field.what == GENES.what {
        add(INDEX.to_owned());
    }
    if field.what == BATCH.what || field.what == CELL_TYPE.what {
        add(NONE.to_owned());
    }
    if let Some(choice) = choice {
        add(stored(&choice.chosen));
        choice.alternatives.iter().for_each(|name| add(stored(name)));
    }
    if let Some(lists) = known.lists(changed) {
        let columns = match field.what {
            "gene names" => &lists.gene_columns[..],
            "matrix" => &[],
            _ => &lists.cell_columns[..],
        };
        columns.iter().for_each(|name| add(name.clone()));
    }
    let slot = (field.slot)(&mut form.options);
    let by_rule = choice.map_or_else(|| NONE.to_owned(), |choice| stored(&choice.chosen));
    let current = slot.clone().unwrap_or(by_rule);
    add(current.clone());
    let label = title(ui, field.title, field.hint);
    let shown = |name: String| {
        let text = if name == INDEX { ROW_NAMES.to_owned() } else { name.clone() };
        (name, text)
    };
    let entries: Vec<(String, String)> = names.into_iter().map(shown).collect();
    if let Some(picked) = list(ui, &label, field.what, &entries, &current) {
        *slot = Some(picked);
    }
    let text = match choice {
        Some(choice) => choice.reason.as_str(),
        None if field.what == BATCH.what || field.what == CELL_TYPE.what => "no column of a known name",
        None => "",
    };
    reason(ui, text);
}

fn values(form: &mut ImportForm, ui: &mut Ui, known: &Known<'_>) {
    let changed = form.is_changed();
    let choice = known.choice("values", &form.options, changed);
    let kinds = [
        (MatrixKind::Counts, "counts"),
        (MatrixKind::LogNormalised, "log-normalised values"),
        (MatrixKind::Scaled, "scaled values"),
        (MatrixKind::Effects, "effects, without cells"),
    ];
    let found = choice.and_then(|choice| {
        kinds
            .iter()
            .find(|(_, text)| text.split([' ', ',']).next() == choice.chosen.split(' ').next())
            .map(|(kind, _)| *kind)
    });
    let mut entries: Vec<(Option<MatrixKind>, String)> =
        kinds.into_iter().map(|(kind, text)| (Some(kind), text.to_owned())).collect();
    if found.is_none() {
        entries.insert(0, (None, "told by the values".to_owned()));
    }
    let hint = "Raw counts, log-normalised values, or scaled values; nothing later guesses again";
    let label = title(ui, "Values", hint);
    let current = form.options.matrix_kind.or(found);
    if let Some(picked) = list(ui, &label, "values", &entries, &current) {
        form.options.matrix_kind = picked;
    }
    let evidence = if form.options.matrix_kind.is_some() && changed { "named by you" } else { "" };
    reason(ui, if evidence.is_empty() { choice.map_or("", |choice| choice.reason.as_str()) } else { evidence });
}

fn separator(form: &mut ImportForm, ui: &mut Ui, known: &Known<'_>) {
    let changed = form.is_changed();
    let hint =
        "Where labels of several genes are taken apart; by the rules at + and |, and at _ between names of genes";
    let label = title(ui, "Combinations", hint);
    let mut entries: Vec<(Option<String>, String)> =
        SEPARATORS.iter().map(|(value, text)| (value.map(str::to_owned), (*text).to_owned())).collect();
    let current = form.options.combination_separator.clone();
    if !entries.iter().any(|(value, _)| *value == current)
        && let Some(text) = &current
    {
        entries.push((current.clone(), format!("at {text}")));
    }
    if let Some(picked) = list(ui, &label, "combinations", &entries, &current) {
        form.options.combination_separator = picked;
    }
    let found = known.choice("combinations", &form.options, changed);
    let text = found.map_or_else(
        || "no label names several genes".to_owned(),
        |choice| format!("{}: {}", choice.chosen, choice.reason),
    );
    reason(ui, &text);
}

fn kind(form: &mut ImportForm, ui: &mut Ui, known: &Known<'_>) {
    let changed = form.is_changed();
    let choice = known.choice("kind of perturbation", &form.options, changed);
    let all = [PerturbationKind::KnockOut, PerturbationKind::KnockDown, PerturbationKind::Activation];
    let found = choice.and_then(|choice| all.into_iter().find(|kind| kind.label() == choice.chosen));
    let current = form.options.kind.or(found).unwrap_or_default();
    let entries: Vec<(PerturbationKind, String)> =
        all.into_iter().map(|kind| (kind, kind.label().to_owned())).collect();
    let label = title(
        ui,
        "Kind of perturbation",
        "It decides the sign of an edge, and in which direction a target should move",
    );
    if let Some(picked) = list(ui, &label, "kind", &entries, &current) {
        form.options.kind = Some(picked);
    }
    reason(ui, choice.map_or("", |choice| choice.reason.as_str()));
}
