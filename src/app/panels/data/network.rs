//! What the open network file holds.

use egui::{Grid, RichText, Ui};

use super::card;
use crate::app::state::State;
use crate::app::theme;
use crate::network::Sign;
use crate::words::{counted, grouped};

pub(super) fn show(ui: &mut Ui, state: &State) {
    let Some(network) = state.runtime.network_file.as_ref().filter(|_| state.has_no_model()) else { return };
    let grn = &network.grn;
    let count = |sign: Sign| grouped(grn.edges().iter().filter(|edge| edge.sign == sign).count());
    let placed = match network.positions.len() {
        0 => "None; the network is laid out anew".to_owned(),
        placed => format!("{} have theirs", counted(placed, "gene")),
    };
    let looks = [
        (network.look.gene_colours.is_some(), "colours of genes"),
        (network.look.gene_sizes.is_some(), "sizes of genes"),
        (network.look.edge_colours.is_some(), "colours of edges"),
        (network.look.edge_widths.is_some(), "widths of edges"),
    ];
    let looks: Vec<&str> = looks.into_iter().filter(|(given, _)| *given).map(|(_, name)| name).collect();
    let columns: Vec<&str> = network.table.iter().flat_map(|table| table.columns()).collect();
    let list = |words: &[&str]| if words.is_empty() { "None".to_owned() } else { words.join(", ") };
    let file = state.document.sources.network.as_ref().map(|file| file.path.display().to_string());
    let facts = [
        ("File", file.unwrap_or_default()),
        ("Genes", grouped(grn.genes().len())),
        ("Edges", grouped(grn.edges().len())),
        (
            "Signs",
            format!(
                "{} activate, {} repress, {} without",
                count(Sign::Activates),
                count(Sign::Represses),
                count(Sign::Unknown)
            ),
        ),
        ("Places", placed),
        ("Style", list(&looks)),
        ("Attributes", list(&columns)),
        ("Reading", if network.notes.is_empty() { "As it is written".to_owned() } else { network.notes.join("; ") }),
    ];
    card(ui, "Network file", |ui| {
        let weak = theme::colours(ui).text_weak;
        Grid::new("network facts").num_columns(2).min_row_height(20.0).spacing([theme::LARGE, 4.0]).show(ui, |ui| {
            for (name, value) in facts {
                ui.label(RichText::new(name).color(weak));
                ui.add(egui::Label::new(value).wrap());
                ui.end_row();
            }
        });
        ui.add_space(theme::SMALL);
        let text = "A network without model and data: filters, paths, statistics, gene sets, references and figures work; \
                    predictions need the model that learned it, training needs a screen";
        ui.add(egui::Label::new(RichText::new(text).color(weak)).wrap());
    });
}
