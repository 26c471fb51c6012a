//! Which cells train, which judge, and which control each is compared with.

use egui::Ui;

use super::settings::{SettingsForm, check, choice, number, rows};
use crate::app::state::State;
use crate::app::theme;
use crate::models::TrainConfig;
use crate::models::gpo_vae::Escaped;
use crate::preprocess::control_matching::Matching;
use crate::preprocess::{PrepareConfig, SplitBy};

pub(super) fn show(form: &mut SettingsForm, ui: &mut Ui, state: &State, config: &mut TrainConfig) {
    rows(ui, "cell settings", |ui| cell_rows(ui, config));
    held_out(form, ui, state, &mut config.prepare);
}

fn cell_rows(ui: &mut Ui, config: &mut TrainConfig) {
    let TrainConfig { prepare, model, .. } = config;
    number!(
        ui,
        prepare.quality_mads,
        0.5..=20.0,
        0.1,
        "Quality limit",
        "A cell fails quality control beyond the median by so many median absolute deviations"
    );
    check(
        ui,
        &mut prepare.doublets,
        "Look for doublets",
        "Cells that look like two cells in one droplet (Scrublet's method) fail quality control",
    );
    let hint = "What cells are taken for that carry a guide but look like control cells: told apart, they are trained on as control cells, \
                and a perturbation's response is that of the share of its cells that respond; as published they are perturbed cells like all";
    choice(ui, "Escaped cells", hint, &mut model.escaped, &Escaped::ALL, Escaped::label);
    number!(
        ui,
        prepare.test_share,
        0.0..=0.9,
        0.01,
        "Test share",
        "Share of cells never used in training, for an honest comparison"
    );
    number!(
        ui,
        prepare.validation_share,
        0.01..=0.9,
        0.01,
        "Validation share",
        "Share of the remaining cells that decide when to stop"
    );
    let hint = "What the test shows: cells of perturbations that were seen, or perturbations, combinations or genes that were not";
    choice(ui, "Split", hint, &mut prepare.split, &SplitBy::ALL, SplitBy::label);
    if prepare.split != SplitBy::Cells {
        number!(
            ui,
            prepare.held_out_share,
            0.01..=0.9,
            0.01,
            "Held-out share",
            "Share of the perturbations, combinations or genes that is kept whole from the training"
        );
    }
    let hint = "How each cell finds the control cell that it is compared with; the exact ways need 8 bytes for every pair of a \
                cell and a control";
    choice(ui, "Matching", hint, &mut prepare.matching, &Matching::ALL, Matching::label);
    check(
        ui,
        &mut prepare.extra_treatments,
        "Responding genes",
        "Add genes to the network that no guide targets but that respond strongly",
    );
}

/// Perturbations kept whole from the training, to be predicted unseen.
fn held_out(form: &mut SettingsForm, ui: &mut Ui, state: &State, prepare: &mut PrepareConfig) {
    let Some(dataset) = &state.runtime.dataset else { return };
    let held = &mut prepare.held_out_perturbations;
    ui.add_space(theme::SMALL);
    let hint = "These perturbations are kept whole from the training, to see how well they are predicted unseen";
    let label = ui.label("Held-out perturbations").on_hover_text(hint);
    ui.horizontal_wrapped(|ui| {
        held.retain(|name| {
            !ui.button(format!("{name} ×")).on_hover_text(format!("Use {name} for training again")).clicked()
        });
    });
    let field = egui::TextEdit::singleline(&mut form.held_out).desired_width(180.0).hint_text("Add a perturbation");
    ui.add(field).labelled_by(label.id);
    let query = form.held_out.trim().to_lowercase();
    if query.is_empty() {
        return;
    }
    let names = dataset.perturbations().iter().map(crate::data::Perturbation::name);
    let fitting = names.filter(|name| name.to_lowercase().starts_with(&query) && !held.contains(name));
    let mut added = None;
    ui.horizontal_wrapped(|ui| {
        for name in fitting.take(6) {
            if ui.button(&name).clicked() {
                added = Some(name);
            }
        }
    });
    if let Some(name) = added {
        held.push(name);
        form.held_out.clear();
    }
}
