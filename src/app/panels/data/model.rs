//! What the open model says about itself.

use egui::{Grid, RichText, Ui};

use super::card;
use crate::app::state::State;
use crate::app::theme;
use crate::words::{counted, grouped};

pub(super) fn show(ui: &mut Ui, state: &State) {
    let Some(model) = &state.runtime.model else { return };
    let card_ = model.card();
    let cells: u32 = card_.perturbations.iter().map(|perturbation| perturbation.training_cells).sum();
    let held_out = card_.perturbations.iter().filter(|perturbation| perturbation.held_out).count();
    let perturbed = card_.treatments.iter().filter(|treatment| treatment.perturbed_cells > 0).count();
    let trained_on = format!("{} ({})", card_.dataset.name, counted(card_.dataset.cells as usize, "cell"));
    let file = match &state.document.sources.model {
        Some(file) => file.path.display().to_string(),
        None => "In no file yet; save it with File → Save model as…".to_owned(),
    };
    let prior_network = card_.prior_network.as_ref().map(|network| ("Started from", network.in_words()));
    let facts = [
        ("File", file),
        ("Trained on", trained_on),
        (
            "Training cells",
            format!("{} and {} controls", grouped(cells as usize), grouped(card_.control_cells[0] as usize)),
        ),
        ("Network", format!("{} ({} perturbed)", counted(card_.treatments.len(), "gene"), grouped(perturbed))),
        ("Held out", if held_out == 0 { "No perturbation".to_owned() } else { counted(held_out, "perturbation") }),
        if card_.members.is_empty() {
            ("Kept epoch", format!("{} of {}; {}", card_.best_epoch, card_.history.len(), card_.ended))
        } else {
            let kept: Vec<String> = card_.members.iter().map(|run| run.best_epoch.to_string()).collect();
            ("Ensemble", format!("{}; kept epochs {}", card_.ended, crate::words::listed(&kept, 12)))
        },
        ("Made by", format!("GRN Explorer {}, seed {}", card_.program_version, card_.settings.seed)),
    ];
    card(ui, "Model", |ui| {
        let weak = theme::colours(ui).text_weak;
        Grid::new("model facts").num_columns(2).min_row_height(20.0).spacing([theme::LARGE, 4.0]).show(ui, |ui| {
            for (name, value) in facts.into_iter().chain(prior_network) {
                ui.label(RichText::new(name).color(weak));
                ui.add(egui::Label::new(value).wrap());
                ui.end_row();
            }
        });
        if !card_.differs_from_paper.is_empty() {
            ui.add_space(theme::SMALL);
            ui.label(RichText::new("Differs from the published model").color(weak));
            for difference in &card_.differs_from_paper {
                ui.add(egui::Label::new(format!("• {difference}")).wrap());
            }
        }
    });
}
