//! How the model is built: its network, what it reads and writes, and how it predicts.

use egui::{Checkbox, CollapsingHeader, DragValue, Ui};

use super::settings::{check, choice, name, number, rows};
use crate::app::action::Action;
use crate::models::TrainConfig;
use crate::models::gpo_vae::{GeneEffectsPrior, GpoVaeConfig, InputScale, Likelihood, MaskParameters, Start, Unseen};

pub(super) fn show(ui: &mut Ui, config: &mut TrainConfig, actions: &mut Vec<Action>) {
    CollapsingHeader::new("Learned network").show(ui, |ui| {
        rows(ui, "network settings", |ui| {
            mask_rows(ui, &mut config.model);
            known_rows(ui, config, actions);
        });
    });
    CollapsingHeader::new("Encoder and decoder")
        .show(ui, |ui| rows(ui, "coder settings", |ui| coder_rows(ui, &mut config.model)));
    CollapsingHeader::new("Prediction")
        .show(ui, |ui| rows(ui, "prediction settings", |ui| prediction_rows(ui, &mut config.model)));
}

fn mask_rows(ui: &mut Ui, model: &mut GpoVaeConfig) {
    number!(ui, model.mask_prior, 0.001..=0.999, 0.01, "Prior of an edge", "Probability of an edge before any data");
    choice(
        ui,
        "Parameters",
        "What is learned of an edge: its logit as in the published presets, or its probability itself",
        &mut model.mask,
        &MaskParameters::ALL,
        MaskParameters::label,
    );
    number!(
        ui,
        model.mask_temperature,
        0.05..=10.0,
        0.01,
        "Temperature",
        "At which edges are drawn in training; lower is nearer to yes and no, with steeper gradients"
    );
}

/// The network to start from, and what is made of it.
fn known_rows(ui: &mut Ui, config: &mut TrainConfig, actions: &mut Vec<Action>) {
    let hint = "A network known beforehand, from a file of edges: the learned one starts from its probabilities";
    name(ui, "Start from", hint);
    let shown = config.prior_network.as_ref().map(|network| (network.name(), network.file.display().to_string()));
    let mut dropped = false;
    ui.vertical(|ui| {
        if let Some((name, path)) = &shown {
            ui.add(egui::Label::new(name).truncate()).on_hover_text(path);
        }
        ui.horizontal(|ui| {
            let label = if shown.is_some() { "Change…" } else { "Choose a network…" };
            if ui.button(label).on_hover_text(hint).clicked() {
                actions.push(Action::AskPriorNetwork);
            }
            dropped = shown.is_some() && ui.button("None").on_hover_text("Start from no network").clicked();
        });
    });
    ui.end_row();
    if dropped {
        config.prior_network = None;
    }
    let prior = config.model.mask_prior;
    let Some(network) = &mut config.prior_network else { return };
    number!(
        ui,
        network.listed,
        0.001..=0.999,
        0.01,
        "Its edges",
        "Probability of the edges of a file that has neither probabilities nor weights"
    );
    let hint = "Probability of the pairs that are not in the file; off, the prior of an edge";
    let id = name(ui, "Other pairs", hint);
    ui.horizontal(|ui| {
        let mut own = network.unlisted.is_some();
        if ui.add(Checkbox::without_text(&mut own)).labelled_by(id).on_hover_text(hint).changed() {
            network.unlisted = own.then_some(prior);
        }
        match &mut network.unlisted {
            Some(unlisted) => {
                ui.add(DragValue::new(unlisted).range(0.001..=0.999).speed(0.01)).labelled_by(id).on_hover_text(hint);
            }
            None => {
                ui.label("prior of an edge");
            }
        }
    });
    ui.end_row();
    check(
        ui,
        &mut network.as_prior,
        "Prior from it, too",
        "Its probabilities are also what the edges are held against in the loss, in place of the prior of an edge",
    );
}

fn coder_rows(ui: &mut Ui, model: &mut GpoVaeConfig) {
    let hint = "The distribution that the counts are taken to follow";
    choice(ui, "Counts", hint, &mut model.likelihood, &Likelihood::ALL, Likelihood::label);
    let hint = "What the mean expression of genes and its spread begin with: the moments of the counts, or drawn numbers as published, for which \
                training needs its first epochs";
    choice(ui, "Expression starts from", hint, &mut model.start, &Start::ALL, Start::label);
    let hint = "What the encoder of the cell's own state reads";
    choice(ui, "Encoder reads", hint, &mut model.input, &InputScale::ALL, InputScale::label);
    check(
        ui,
        &mut model.mean_field,
        "From counts alone",
        "The cell's own state is found from its counts alone, without the effects of what was done to it",
    );
    check(
        ui,
        &mut model.sum_mode,
        "Sum of effects",
        "The decoder reads the sum of the cell's own state and the effects instead of both side by side; needs as many latent dimensions as the network has genes",
    );
    number!(
        ui,
        model.effect_prior_scale,
        0.001..=1000.0,
        0.01,
        "Spread of effects",
        "Standard deviation that the effects of perturbations are expected to have before any data"
    );
    number!(
        ui,
        model.gene_effects,
        0.0..=10.0,
        0.01,
        "Effects on genes",
        "Scale (natural logarithms) of what a perturbation may do to single genes beside its effect on the latent state: most genes nothing, a few much; 0 for nothing, as published"
    );
    let hint = "How likely small effects on genes are before any data: peaked at 0, what the cells do not show clearly is drawn to 0";
    let prior = &mut model.gene_effects_prior;
    choice(ui, "Their prior", hint, prior, &GeneEffectsPrior::ALL, GeneEffectsPrior::label);
}

fn prediction_rows(ui: &mut Ui, model: &mut GpoVaeConfig) {
    let hint = "What is answered for a gene that no training cell was perturbed in: what perturbed genes do, the more of those that respond \
                as it does, which also answers for genes beside the network; or, as published, parameters of its own, which nothing has \
                taught";
    choice(ui, "Genes never perturbed", hint, &mut model.unseen, &Unseen::ALL, Unseen::label);
    number!(
        ui,
        model.prediction_samples,
        1..=100_000,
        "Samples",
        "A predicted effect is the mean of so many; more are steadier and slower"
    );
    check(
        ui,
        &mut model.data_library,
        "Library sizes of the data",
        "Predict at the library sizes of the control cells, for perturbed cells by as much more or less as the screen shows; off, at 10,000 molecules as published, which does not compare with shallow cells",
    );
}
