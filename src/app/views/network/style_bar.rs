//! The lines below the toolbar that choose what colours, sizes and widths say, and what lies beside the network.

use egui::{ComboBox, RichText, Ui, WidgetInfo};

use super::NetworkView;
use crate::app::attached::Attachment;
use crate::app::findings::EdgeTesting;
use crate::app::views::edge_evidence::HELD_OUT;
use crate::app::{Action, State, theme};
use crate::document::{EdgeAttribute, GeneAttribute, Style};
use crate::words::{counted, grouped};

/// What a list chooses: its name for screen readers, and the shorter one in the list itself.
#[derive(Clone, Copy)]
struct Named(&'static str, &'static str);

const GENE_COLOUR: Named = Named("Colour of genes", "Colour");
const GENE_SIZE: Named = Named("Size of genes", "Size");
const EDGE_COLOUR: Named = Named("Colour of edges", "Edges");
const EDGE_WIDTH: Named = Named("Width of edges", "Width");

/// Most letters of what a list has chosen.
const LONGEST: usize = 18;

/// Canvases less wide than this are narrow.
const NARROW: f32 = 640.0;

/// As much as fits into one line.
pub(super) fn close_together(ui: &mut Ui) {
    let narrow = ui.available_width() < NARROW;
    let spacing = ui.spacing_mut();
    spacing.item_spacing.x = if narrow { 4.0 } else { 5.0 };
    spacing.button_padding.x = if narrow { 5.0 } else { 8.0 };
}

const TABLE: &str = "Table of genes…";
const REFERENCE: &str = "Reference network…";
const USUAL: &str = "Usual style";

/// Width of what comes after the lists, all side by side, in points.
fn width_of_rest(ui: &Ui, state: &State) -> f32 {
    let font = egui::TextStyle::Button.resolve(ui.style());
    let spacing = ui.spacing();
    let around = 2.0 * spacing.button_padding.x + spacing.item_spacing.x;
    let width =
        |text: String| ui.painter().layout_no_wrap(text, font.clone(), egui::Color32::PLACEHOLDER).size().x + around;
    let mut whole = match &state.document.sources.gene_table {
        Some(file) => width(crate::app::work::file_name(&file.path)) + width("×".to_owned()),
        None => width(TABLE.to_owned()),
    };
    if state.runtime.attached.reference.is_none() {
        whole += width(REFERENCE.to_owned());
    }
    if state.document.style != Style::default() {
        whole += width(USUAL.to_owned());
    }
    // Room for a sign that something is being counted.
    whole + spacing.interact_size.y
}

/// Draw them.
pub(super) fn show(view: &NetworkView, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let style = &state.document.style;
    let mut new = style.clone();
    ui.horizontal_wrapped(|ui| {
        close_together(ui);
        let hint = "What the colours of the nodes say";
        attributes(ui, GENE_COLOUR, hint, &mut new.gene_colour, true, state);
        attributes(ui, GENE_SIZE, "What the sizes of the nodes say", &mut new.gene_size, false, state);
        edges(ui, EDGE_COLOUR, &EDGE_COLOURS, &mut new.edge_colour, state);
        edges(ui, EDGE_WIDTH, &EDGE_WIDTHS, &mut new.edge_width, state);
        let rest = |ui: &mut Ui, actions: &mut Vec<Action>| {
            ui.horizontal(|ui| attachment(ui, Attachment::GeneTable, TABLE, state, actions));
            if state.runtime.attached.reference.is_none() {
                attachment(ui, Attachment::Reference, REFERENCE, state, actions);
            }
            if *style != Style::default() && ui.button(USUAL).on_hover_text("As it was at first").clicked() {
                actions.push(Action::SetStyle(Box::default()));
            }
        };
        // In one line: what has no room in it goes into a menu.
        if width_of_rest(ui, state) <= ui.available_size_before_wrap().x {
            rest(ui, actions);
        } else {
            let more = ui.menu_button("More", |ui| rest(ui, actions)).response;
            more.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, "More of the style"));
        }
        if view.known.is_counting() {
            ui.spinner().on_hover_text("Counting paths");
        }
        if let Some(reason) = view.known.failed() {
            ui.label(RichText::new(reason).small().color(theme::colours(ui).bad));
        }
    });
    if new != *style {
        actions.push(Action::SetStyle(Box::new(new)));
    }
    if state.document.style.edge_colour == EdgeAttribute::HeldOut {
        held_out(ui, state, actions);
    }
    if state.runtime.attached.reference.is_some() {
        reference(view, ui, state, actions);
    }
}

/// What held-out cells say of the edges shown, how far the test is, or why there is none.
fn held_out(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| {
        close_together(ui);
        let obstacle = state.edge_test_obstacle();
        match (&obstacle, &state.runtime.edge_testing) {
            (Some(obstacle), _) => _ = ui.label(RichText::new(obstacle).color(theme::colours(ui).warning)),
            (None, EdgeTesting::Running(progress, _)) => {
                ui.spinner();
                let share = progress.fraction.map(|share| format!(", {:.0} %", share * 100.0)).unwrap_or_default();
                ui.label(format!("{}{share}", progress.stage));
                if ui.button("Cancel").clicked() {
                    actions.push(Action::CancelEdgeTests);
                }
            }
            (None, EdgeTesting::Stopped(reason)) => {
                ui.label(reason.as_deref().unwrap_or("The test on held-out cells was cancelled"));
                if ui.button("Test again").clicked() {
                    actions.push(Action::TestEdgesAgain);
                }
            }
            (None, EdgeTesting::None | EdgeTesting::Ready(_)) => {
                if let Some(tests) = state.edge_tests() {
                    ui.add(egui::Label::new(tests.describe()).wrap()).on_hover_text(HELD_OUT);
                }
            }
        }
    });
}

/// The reference network, and what it says.
fn reference(view: &NetworkView, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| {
        close_together(ui);
        attachment(ui, Attachment::Reference, "Reference network…", state, actions);
        let style = &state.document.style;
        let mut new = style.clone();
        ui.checkbox(&mut new.mark_known, "Mark known edges").on_hover_text("Edges that are in the reference network");
        ui.checkbox(&mut new.show_missing, "Show its other edges")
            .on_hover_text("Edges of the reference network between the genes shown that are not among those shown; dashed");
        if new != *style {
            actions.push(Action::SetStyle(Box::new(new)));
        }
        let Some(overlap) = view.known.overlap() else {
            ui.spinner();
            return;
        };
        let text = format!(
            "{} of {} known, p = {}",
            grouped(overlap.common as usize),
            counted(overlap.shown as usize, "edge"),
            p_text(overlap.p_value)
        );
        let renamed = match view.known.overlay().map_or(0, |overlay| overlay.renamed) {
            0 => String::new(),
            renamed => format!(", {} by another name", grouped(renamed)),
        };
        let hint = format!(
            "{:.1} would be by chance. {} of the network are in the reference{renamed}. Chance draws as many of the {} pairs of a \
             regulator and a target that occur as such in both, of which the reference knows {} (hypergeometric). {} known \
             edges have the same sign in both, {} the opposite",
            overlap.expected,
            counted(overlap.genes, "gene"),
            grouped(overlap.pairs as usize),
            grouped(overlap.known as usize),
            grouped(overlap.same_sign as usize),
            grouped(overlap.opposite_sign as usize)
        );
        // On a line of its own rather than broken.
        ui.add(egui::Label::new(text).extend()).on_hover_text(hint);
    });
}

/// `0.03`, `2.1e−9`.
pub(in crate::app::views) fn p_text(p_value: f64) -> String {
    if p_value >= 0.001 {
        return format!("{p_value:.3}");
    }
    if p_value <= 0.0 {
        return "0".to_owned();
    }
    format!("{p_value:.1e}").replace('-', "−")
}

/// A button that asks for a file, or the file's name and a button that puts it away.
pub(in crate::app) fn attachment(ui: &mut Ui, kind: Attachment, ask: &str, state: &State, actions: &mut Vec<Action>) {
    let sources = &state.document.sources;
    let file = match kind {
        Attachment::Reference => &sources.reference,
        Attachment::GeneTable => &sources.gene_table,
        Attachment::GeneSets => &sources.gene_sets,
        Attachment::GeneNames => &sources.gene_names,
        Attachment::Compared => &sources.compared,
        Attachment::Before => &sources.before,
    };
    let Some(file) = file else {
        let (_, _, title) = kind.dialog();
        if ui.button(ask).on_hover_text(format!("{title}. {}", kind.expected())).clicked() {
            actions.push(Action::AskAttach(kind));
        }
        return;
    };
    let name = crate::app::work::file_name(&file.path);
    let button = ui.button(RichText::new(&name).strong());
    button.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, format!("{name}, change")));
    if button.on_hover_text(format!("{}\nAnother {}…", file.path.display(), kind.label())).clicked() {
        actions.push(Action::AskAttach(kind));
    }
    let away = ui.button("×");
    let label = format!("Put the {} away", kind.label());
    away.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, &label));
    if away.on_hover_text(&label).clicked() {
        actions.push(Action::Detach(kind));
    }
}

/// What genes can be coloured and sized by.
const GENES: [(GeneAttribute, &str); 9] = [
    (GeneAttribute::Nothing, "All alike"),
    (GeneAttribute::Prediction, "Shift of each gene under the knock-out that is asked for"),
    (GeneAttribute::Measurement, "Shift of each gene under the perturbation of the response view"),
    (GeneAttribute::OutDegree, "Number of edges shown out of the gene"),
    (GeneAttribute::InDegree, "Number of edges shown into the gene"),
    (GeneAttribute::PageRank, "Where a walk along the edges shown ends up: genes that much leads to"),
    (GeneAttribute::Betweenness, "Share of the shortest paths between other genes that lead through the gene"),
    (GeneAttribute::Community, "Groups of genes with more edges among themselves than by chance (Leiden)"),
    (GeneAttribute::KnockDown, "Its own measured shift when it was perturbed: how far a knock-down reached"),
];

const EDGE_COLOURS: [(EdgeAttribute, &str); 8] = [
    (EdgeAttribute::Sign, "Activation and repression"),
    (EdgeAttribute::Probability, "The model's probability"),
    (EdgeAttribute::Evidence, "What the sign rests on: a measured shift, a predicted one, a file, or nothing"),
    (EdgeAttribute::Agreement, "How many members of the ensemble have the edge among as many as are shown"),
    (EdgeAttribute::FalseDiscovery, "How far the edge stands out from shuffled labels"),
    (EdgeAttribute::HeldOut, "Whether cells that the training never saw support the edge and its sign"),
    (EdgeAttribute::Reference, "Whether the reference network knows the edge"),
    (EdgeAttribute::Nothing, "All alike"),
];

const EDGE_WIDTHS: [(EdgeAttribute, &str); 5] = [
    (EdgeAttribute::Rank, "The rank among the edges shown"),
    (EdgeAttribute::Probability, "The model's probability"),
    (EdgeAttribute::Agreement, "How many members of the ensemble have the edge among as many as are shown"),
    (EdgeAttribute::Reference, "Whether the reference network knows the edge"),
    (EdgeAttribute::Nothing, "All alike"),
];

/// A list that says what it chooses and what is chosen; as wide as that.
fn list<'a>(label: &str, short: &str, chosen: &str) -> ComboBox<'a> {
    // Columns of tables may have long names.
    let chosen: String = match chosen.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &chosen[..end]),
        None => chosen.to_owned(),
    };
    let text = format!("{short}: {chosen}");
    // High enough for all attributes: one that is out of sight is not found.
    ComboBox::from_id_salt(label).selected_text(text).width(0.0).height(400.0).wrap_mode(egui::TextWrapMode::Extend)
}

/// A list of attributes of genes, `groups` among them or only what has a size.
fn attributes(
    ui: &mut Ui,
    Named(label, short): Named,
    hint: &str,
    chosen: &mut GeneAttribute,
    groups: bool,
    state: &State,
) {
    let text = match &*chosen {
        GeneAttribute::Prediction => "Predicted",
        GeneAttribute::Measurement => "Measured",
        other => other.label(),
    };
    let combo = list(label, short, text).height(420.0);
    let shown = combo.show_ui(ui, |ui| {
        for (attribute, hint) in GENES {
            // Groups have no size.
            if groups || attribute != GeneAttribute::Community {
                let is = attribute == *chosen;
                if ui.selectable_label(is, attribute.label()).on_hover_text(hint).clicked() {
                    *chosen = attribute;
                }
            }
        }
        let file = state.runtime.network_file.as_ref().filter(|_| state.has_no_model());
        if let Some(file) = file {
            let given = if groups { file.look.gene_colours.is_some() } else { file.look.gene_sizes.is_some() };
            let is = *chosen == GeneAttribute::File;
            if given && ui.selectable_label(is, "As in the file").on_hover_text("What the network file gives").clicked()
            {
                *chosen = GeneAttribute::File;
            }
        }
        let own = file.and_then(|file| file.table.as_ref());
        for table in state.runtime.attached.gene_table.iter().chain(own) {
            ui.separator();
            for column in table.columns() {
                let is = matches!(&*chosen, GeneAttribute::Column(name) if name == column);
                if ui.selectable_label(is, column).on_hover_text(format!("Column of {}", table.name())).clicked() {
                    *chosen = GeneAttribute::Column(column.to_owned());
                }
            }
        }
    });
    shown.response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::ComboBox, true, label));
    shown.response.on_hover_text(hint);
}

fn edges(
    ui: &mut Ui,
    Named(label, short): Named,
    choices: &[(EdgeAttribute, &str)],
    chosen: &mut EdgeAttribute,
    state: &State,
) {
    let file = state.runtime.network_file.as_ref().filter(|_| state.has_no_model()).map(|file| &file.look);
    let colours = choices.iter().any(|choice| choice.0 == EdgeAttribute::Sign);
    let given = file.is_some_and(|look| if colours { look.edge_colours.is_some() } else { look.edge_widths.is_some() });
    let shown = list(label, short, chosen.label()).show_ui(ui, |ui| {
        let obstacle = state.edge_test_obstacle();
        for (attribute, hint) in choices {
            let missing = match attribute {
                EdgeAttribute::Reference if state.runtime.attached.reference.is_none() => {
                    Some("Choose a reference network first")
                }
                EdgeAttribute::Agreement if state.network().is_none_or(|network| network.member_ranks().is_none()) => {
                    Some("Needs an ensemble: train several members")
                }
                EdgeAttribute::HeldOut => obstacle.as_deref(),
                EdgeAttribute::FalseDiscovery
                    if state.network().is_none_or(|network| !network.has_false_discovery_rates()) =>
                {
                    Some("Needs a model whose training tested its edges against shuffled labels")
                }
                _ => None,
            };
            let choice = egui::Button::selectable(attribute == chosen, attribute.label());
            let choice = ui.add_enabled(missing.is_none(), choice).on_hover_text(*hint);
            if choice.on_disabled_hover_text(missing.unwrap_or_default()).clicked() {
                *chosen = *attribute;
            }
        }
        let is = *chosen == EdgeAttribute::File;
        if given && ui.selectable_label(is, "As in the file").on_hover_text("What the network file gives").clicked() {
            *chosen = EdgeAttribute::File;
        }
    });
    shown.response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::ComboBox, true, label));
}

#[cfg(test)]
mod tests {
    use super::p_text;

    #[test]
    fn chances_are_short() {
        assert_eq!([0.25, 0.001, 0.00099999, 3.4e-12, 0.0].map(p_text), ["0.250", "0.001", "1.0e−3", "3.4e−12", "0"]);
    }
}
