//! Settings of the next run, each explained in plain words on hover.

use egui::{Checkbox, CollapsingHeader, ComboBox, DragValue, Grid, RichText, Ui};

use super::{cells, filters, memory, variants, weak};
use crate::app::action::Action;
use crate::app::command::Command;
use crate::app::panels::dialogs::primary_button;
use crate::app::state::State;
use crate::app::theme;
use crate::models::TrainConfig;
use crate::models::gpo_vae::{Alignment, GpoVaeConfig, Preset};
use crate::training::DeviceChoice;

/// What is being typed.
#[derive(Default)]
pub(in crate::app) struct SettingsForm {
    /// Search among the perturbations to hold out.
    pub(super) held_out: String,
}

const PRESETS: [(Preset, &str, &str); 4] = [
    (Preset::Default, "Recommended", "Mends what the published settings get wrong on small screens"),
    (Preset::Adamson, "As published, Adamson", "The authors' settings for Adamson 2016"),
    (Preset::K562, "As published, K562", "The authors' settings for Replogle K562"),
    (Preset::Rpe1, "As published, RPE1", "The authors' settings for Replogle RPE1"),
];

const DEVICES: [(DeviceChoice, &str); 4] = [
    (DeviceChoice::Auto, "Best there is"),
    (DeviceChoice::Cpu, "Processor"),
    (DeviceChoice::Cuda, "NVIDIA GPU"),
    (DeviceChoice::Metal, "Apple GPU"),
];

pub(super) fn show(form: &mut SettingsForm, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.label(RichText::new("Train a model").text_style(theme::title()));
    ui.add(egui::Label::new(weak(ui, subtitle(state))).wrap());
    ui.add_space(theme::MEDIUM);
    let mut config = state.document.training.clone();
    let mut device = state.document.device;
    ui.add_enabled_ui(!state.is_training(), |ui| {
        presets(ui, &mut config);
        rows(ui, "main settings", |ui| {
            device_row(ui, &mut device);
            main_rows(ui, &mut config);
        });
        ui.add_space(theme::SMALL);
        CollapsingHeader::new("Loss").show(ui, |ui| rows(ui, "loss settings", |ui| loss_rows(ui, &mut config.model)));
        CollapsingHeader::new("Model").show(ui, |ui| {
            variants::show(ui, &mut config, actions);
            CollapsingHeader::new("Size of the model")
                .show(ui, |ui| rows(ui, "size settings", |ui| size_rows(ui, &mut config.model)));
        });
        CollapsingHeader::new("Cells and perturbations").show(ui, |ui| cells::show(form, ui, state, &mut config));
        CollapsingHeader::new("Filters").show(ui, |ui| filters::show(ui, state, &mut config.prepare));
    });
    ui.add_space(theme::MEDIUM);
    let fits = state.is_training() || memory::show(ui, state, &mut config, device, actions);
    ui.add_space(theme::SMALL);
    ui.horizontal_wrapped(|ui| {
        let start = primary_button(ui, Command::StartTraining.label());
        let start = ui.add_enabled(fits && Command::StartTraining.is_enabled(state), start);
        let start = start.on_disabled_hover_text(match (state.is_training(), fits) {
            (true, _) => "A run is under way",
            (false, false) => "It needs more memory than is free",
            (false, true) => "Open a data set first",
        });
        if start.clicked() {
            actions.push(Action::StartTraining(Box::new(config.clone()), device));
        }
    });
    if config != state.document.training || device != state.document.device {
        actions.push(Action::SetTraining(Box::new(config), device));
    }
}

fn subtitle(state: &State) -> String {
    match &state.runtime.dataset {
        Some(dataset) => format!("GPO-VAE on {}", dataset.name()),
        None if state.has_no_model() => "A network file holds no cells: open a data set to train on".to_owned(),
        None => "Open a data set to train on".to_owned(),
    }
}

fn presets(ui: &mut Ui, config: &mut TrainConfig) {
    let current = PRESETS.iter().find(|(preset, ..)| GpoVaeConfig::preset(*preset) == config.model);
    rows(ui, "preset", |ui| {
        let label = name(ui, "Preset", "A named set of all settings of the model; anything can be changed afterwards");
        let shown = current.map_or("Own settings", |(_, label, _)| label);
        let combo = ComboBox::from_id_salt("preset combo").width(170.0).selected_text(shown);
        let response = combo.show_ui(ui, |ui| {
            for (preset, label, hint) in PRESETS {
                let selected = current.is_some_and(|(current, ..)| *current == preset);
                if ui.selectable_label(selected, label).on_hover_text(hint).clicked() {
                    config.model = GpoVaeConfig::preset(preset);
                }
            }
        });
        response.response.labelled_by(label);
        ui.end_row();
    });
}

pub(super) fn rows(ui: &mut Ui, id: &str, add: impl FnOnce(&mut Ui)) {
    Grid::new(id).num_columns(2).min_col_width(118.0).spacing([theme::MEDIUM, 6.0]).show(ui, add);
}

/// The name of a setting; its identifier labels the field beside it.
pub(super) fn name(ui: &mut Ui, name: &str, hint: &str) -> egui::Id {
    ui.label(name).on_hover_text(hint).id
}

/// A row with one of several named values.
pub(super) fn choice<T: Copy + PartialEq>(
    ui: &mut Ui,
    label: &str,
    hint: &str,
    value: &mut T,
    all: &[T],
    shown: impl Fn(T) -> &'static str,
) {
    let id = name(ui, label, hint);
    let combo = ComboBox::from_id_salt((label, "combo")).width(150.0).selected_text(shown(*value));
    let response = combo.show_ui(ui, |ui| {
        for &one in all {
            ui.selectable_value(value, one, shown(one));
        }
    });
    response.response.labelled_by(id);
    ui.end_row();
}

/// One row with a number: `number!(ui, value, range, "Name", "hint")`.
macro_rules! number {
    ($ui:expr, $value:expr, $range:expr, $name:literal, $hint:expr) => {
        number!($ui, $value, $range, 1.0, $name, $hint)
    };
    ($ui:expr, $value:expr, $range:expr, $speed:expr, $name:literal, $hint:expr) => {
        $crate::app::panels::training::settings::row(
            $ui,
            $name,
            $hint,
            egui::DragValue::new(&mut $value).range($range).speed($speed),
        )
    };
}

pub(super) use number;

pub(super) fn row(ui: &mut Ui, label: &str, hint: &str, value: DragValue<'_>) {
    let id = name(ui, label, hint);
    ui.add(value).labelled_by(id).on_hover_text(hint);
    ui.end_row();
}

fn device_row(ui: &mut Ui, device: &mut DeviceChoice) {
    let label = name(ui, "Device", "Where to compute; a GPU needs a build of the program that supports it");
    let shown = DEVICES.iter().find(|(choice, _)| choice == device).map_or("", |(_, label)| label);
    let combo = ComboBox::from_id_salt("device combo").width(170.0).selected_text(shown);
    let response = combo.show_ui(ui, |ui| {
        for (choice, label) in DEVICES {
            ui.selectable_value(device, choice, label);
        }
    });
    response.response.labelled_by(label);
    ui.end_row();
}

fn main_rows(ui: &mut Ui, config: &mut TrainConfig) {
    let model = &mut config.model;
    number!(
        ui,
        model.epochs,
        1..=10_000,
        "Epochs",
        "Passes over the training cells, at most; training ends earlier when the validation loss stops falling"
    );
    number!(
        ui,
        model.patience,
        1..=10_000,
        "Patience",
        "Epochs without improvement of the validation loss before training ends"
    );
    number!(
        ui,
        config.seed,
        0..=u64::MAX,
        "Seed",
        "Start of every random choice: the same seed, data and settings give the same model on the same machine"
    );
    let mut members = config.members.unwrap_or(1);
    number!(
        ui,
        members,
        1..=100,
        0.1,
        "Members",
        "Models to train, one after the other, each with its own draws and on cells drawn again within every perturbation: together they \
         tell how sure each edge and each predicted shift is. 1 trains a single model; 5 to 10 take as many times longer"
    );
    config.members = (members > 1).then_some(members);
    let id = name(ui, "Learning rate", "How far the parameters move in each step; lower it if the training diverges");
    let rate = DragValue::new(&mut model.learning_rate).range(1e-6..=1.0).speed(1e-5).max_decimals(7);
    ui.add(rate).labelled_by(id);
    ui.end_row();
    number!(ui, model.batch_size, 1..=65_536, "Batch size", "Cells per step of the optimiser");
}

fn loss_rows(ui: &mut Ui, model: &mut GpoVaeConfig) {
    let hint = "Weight of the cells that pass quality control; the rest goes to those that fail. As published it is the share of failing cells in the batch, which leaves the good cells almost without weight where few fail";
    let id = name(ui, "α, good cells", hint);
    ui.horizontal(|ui| {
        let mut fixed = model.alpha.is_some();
        if ui.add(Checkbox::without_text(&mut fixed)).labelled_by(id).on_hover_text("Off: as published").changed() {
            model.alpha = fixed.then_some(0.5);
        }
        match &mut model.alpha {
            Some(alpha) => {
                ui.add(DragValue::new(alpha).range(0.0..=1.0).speed(0.01)).labelled_by(id).on_hover_text(hint);
            }
            None => {
                ui.label("as published");
            }
        }
    });
    ui.end_row();
    number!(
        ui,
        model.beta,
        0.0..=1e6,
        0.01,
        "β, counterfactual",
        "Weight of the term that makes good and failing cells of one perturbation agree once the artifact is taken out"
    );
    number!(
        ui,
        model.gamma,
        0.0..=1e6,
        1.0,
        "γ, network",
        "Weight of the term that aligns the network with the measured shifts"
    );
    let hint = "Single cells: the shift of each cell against one control cell, as published. Direct shifts: the mean shift of a perturbation in \
                standard errors, less where a chain over another gene explains it, even odds at two of them; the network starts there";
    choice(ui, "Network follows", hint, &mut model.alignment, &Alignment::ALL, Alignment::label);
    if model.alignment == Alignment::Cells {
        number!(ui, model.hops, 0..=50, "Hops", "How many further steps of indirect regulation explain a shift");
        number!(
            ui,
            model.fold_change,
            0.0..=10.0,
            0.01,
            "Shift of an edge",
            "The shift in log units above which a pair counts as an edge"
        );
    }
    if model.alignment == Alignment::DirectShifts {
        number!(
            ui,
            model.null_shuffles,
            0..=1000,
            "Label shuffles",
            "How often the labels of the cells are shuffled to tell the false discovery rate of edges; 0 for not at all"
        );
    }
    number!(ui, model.lambda, 0.0..=1e6, 0.1, "λ, sparsity", "Weight of the term that keeps the network sparse");
    check(
        ui,
        &mut model.exact_kl,
        "Exact divergence",
        "The exact Kullback–Leibler divergence in the counterfactual term instead of the authors' expression",
    );
}

pub(super) fn check(ui: &mut Ui, value: &mut bool, label: &str, hint: &str) {
    let id = name(ui, label, hint);
    ui.add(Checkbox::without_text(value)).labelled_by(id).on_hover_text(hint);
    ui.end_row();
}

fn size_rows(ui: &mut Ui, model: &mut GpoVaeConfig) {
    number!(ui, model.latent, 1..=4096, "Latent dimensions", "Numbers that describe the state of a cell");
    number!(
        ui,
        model.particles,
        1..=100,
        "Samples per cell",
        "Random draws per cell and step; more are steadier and slower"
    );
    number!(ui, model.decoder_hidden, 1..=8192, "Decoder width", "Units of each hidden layer of the decoder");
    number!(ui, model.decoder_layers, 1..=16, "Decoder layers", "Hidden layers of the decoder");
    number!(
        ui,
        model.basal_hidden,
        1..=8192,
        "Basal encoder width",
        "Units of each layer of the encoder of the cell's own state"
    );
    number!(ui, model.basal_layers, 1..=16, "Basal encoder layers", "Layers of the encoder of the cell's own state");
    number!(
        ui,
        model.embedding_hidden,
        1..=8192,
        "Effect encoder width",
        "Units of each layer of the encoders of perturbation and artifact effects"
    );
    number!(
        ui,
        model.embedding_layers,
        1..=16,
        "Effect encoder layers",
        "Layers of the encoders of perturbation and artifact effects"
    );
    number!(
        ui,
        model.averaging,
        0.0..=1000.0,
        0.1,
        "Averaged over",
        "Epochs over which parameters are averaged before they are judged and kept; 0 for those of the last step, as published"
    );
    number!(ui, model.weight_decay, 0.0..=1.0, 1e-7, "Weight decay", "Pull of every parameter towards zero");
    number!(ui, model.clip_norm, 0.001..=1e9, 1.0, "Largest gradient", "Longer gradients are shortened to this norm");
}
