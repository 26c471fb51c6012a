//! All filters, in the order in which they work, each with what it left.

use std::collections::BTreeSet;
use std::sync::Arc;

use egui::{Align, Layout, RichText, ScrollArea, Slider, Ui, WidgetInfo};

use crate::app::views::network::{FALSE_DISCOVERY, Shown};
use crate::app::{Action, State, theme};
use crate::document::NetworkFilter;
use crate::network::filter::{Component, GeneList, Left, Neighbourhood, Reach, Step, first_view};
use crate::network::{Grn, Sign, SignEvidence};
use crate::words::{counted, grouped};

/// What this page keeps for itself: facts about the network that need a look at all of it.
#[derive(Default)]
pub(super) struct FiltersPage {
    facts: Option<Facts>,
}

/// What occurs in a network.
struct Facts {
    network: Arc<Grn>,
    list: Option<Arc<GeneList>>,
    /// In the order of [`SIGNS`].
    signs: [bool; 3],
    /// In the order of [`KINDS`].
    kinds: [bool; 4],
    /// Genes of the list.
    listed: usize,
    first: NetworkFilter,
}

const SIGNS: [Sign; 3] = [Sign::Activates, Sign::Represses, Sign::Unknown];
const KINDS: [SignEvidence; 4] =
    [SignEvidence::Measured, SignEvidence::Predicted, SignEvidence::Reference, SignEvidence::None];

impl Facts {
    fn of(network: &Arc<Grn>, list: Option<&Arc<GeneList>>) -> Self {
        let edges = network.edges();
        let has = |gene: &&crate::network::NetworkGene| list.is_some_and(|list| list.contains(&gene.symbol));
        Self {
            network: network.clone(),
            list: list.cloned(),
            signs: SIGNS.map(|sign| edges.iter().any(|edge| edge.sign == sign)),
            kinds: KINDS.map(|kind| edges.iter().any(|edge| edge.evidence == kind)),
            listed: network.genes().iter().filter(has).count(),
            first: first_view(network),
        }
    }

    fn is_current(&self, network: &Arc<Grn>, list: Option<&Arc<GeneList>>) -> bool {
        let same = match (&self.list, list) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        same && Arc::ptr_eq(&self.network, network)
    }
}

impl FiltersPage {
    /// Draw the filters into the rest of `ui`.
    pub(super) fn show(&mut self, ui: &mut Ui, shown: &Shown, state: &State, actions: &mut Vec<Action>) {
        let list = state.document.filter.regulators.as_ref();
        let facts = match self.facts.take().filter(|facts| facts.is_current(shown.network(), list)) {
            Some(facts) => facts,
            None => Facts::of(shown.network(), list),
        };
        filters(ui, shown, self.facts.insert(facts), state, actions);
    }
}

fn filters(ui: &mut Ui, shown: &Shown, facts: &Facts, state: &State, actions: &mut Vec<Action>) {
    let mut page = Page { shown, facts, state, filter: state.document.filter.clone(), load: false };
    ScrollArea::vertical().id_salt("filters").auto_shrink(false).show(ui, |ui| {
        page.edges(ui);
        page.limits(ui);
        page.genes(ui);
        page.neighbourhood(ui);
        ui.add_space(theme::MEDIUM);
        ui.horizontal_wrapped(|ui| {
            let first = &facts.first;
            let reset = ui.add_enabled(page.filter != *first, egui::Button::new("Reset all filters"));
            if reset.on_hover_text("Back to the first view of this network").clicked() {
                page.filter = first.clone();
            }
            let bare = NetworkFilter::default();
            let all = ui.add_enabled(page.filter != bare, egui::Button::new("Show everything"));
            if all.on_hover_text("Every gene and edge, which can be many").clicked() {
                page.filter = bare;
            }
        });
    });
    if page.load {
        actions.push(Action::AskRegulators);
    }
    if page.filter != state.document.filter {
        actions.push(Action::SetFilter(Box::new(page.filter)));
    }
}

/// The filters being edited in this frame.
struct Page<'a> {
    shown: &'a Shown,
    facts: &'a Facts,
    state: &'a State,
    filter: NetworkFilter,
    load: bool,
}

impl Page<'_> {
    fn network(&self) -> &Arc<Grn> {
        self.shown.network()
    }

    /// What this filter left, if it was set.
    fn left(&self, step: Step) -> Option<Left> {
        self.shown.left().iter().find(|left| left.step == step).copied()
    }

    /// What this filter left and a cross that takes it back, at the right of a line.
    fn right(&mut self, ui: &mut Ui, step: Step, title: &str) {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if !self.filter.is_set(step) {
                return;
            }
            let reset = ui.small_button("×");
            reset.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, format!("Reset {title}")));
            if reset.on_hover_text("Take this filter back").clicked() {
                self.filter = self.filter.without(step);
            }
            if let Some(left) = self.left(step) {
                let text = format!("{} · {}", counted(left.edges, "edge"), counted(left.genes, "gene"));
                let label = egui::Label::new(RichText::new(text).small().color(theme::colours(ui).text_weak));
                ui.add(label.truncate()).on_hover_text("What is left after this filter and those above it");
            }
        });
    }

    /// A line with a box that sets the filter to `on`.
    fn tick(&mut self, ui: &mut Ui, step: Step, title: &str, hint: &str, on: impl FnOnce(&mut NetworkFilter)) {
        ui.horizontal(|ui| {
            let mut set = self.filter.is_set(step);
            if ui.checkbox(&mut set, title).on_hover_text(hint).changed() {
                if set {
                    on(&mut self.filter);
                } else {
                    self.filter = self.filter.without(step);
                }
            }
            self.right(ui, step, title);
        });
    }

    /// A line with a title alone.
    fn title(&mut self, ui: &mut Ui, step: Step, title: &str, hint: &str) {
        ui.horizontal(|ui| {
            ui.label(title).on_hover_text(hint);
            self.right(ui, step, title);
        });
    }

    fn edges(&mut self, ui: &mut Ui) {
        let grn = self.network().clone();
        let edges = grn.edges();
        let (high, low) = (edges.first(), edges.last());
        let (high, low) = (high.map_or(1.0, |edge| edge.probability), low.map_or(0.0, |edge| edge.probability));
        let lowest = self.shown.edges().last().map_or(low, |edge| edge.probability);
        let hint = "Edges with at least this probability. The model's probabilities crowd near 0.5 because they are \
                    fitted to shifts of tenths of a log unit: their order tells more than their value";
        self.tick(ui, Step::Probability, "Probability", hint, |filter| filter.minimum_probability = Some(lowest));
        if let Some(least) = self.filter.minimum_probability {
            let mut least = least.clamp(low, high);
            // Only the range that occurs: outside it nothing changes.
            let slider = Slider::new(&mut least, low..=high).fixed_decimals(3).smart_aim(false);
            if control(ui, slider, "Lowest probability") {
                self.filter.minimum_probability = Some(least);
            }
        }
        self.false_discovery(ui);
        self.title(ui, Step::Signs, "Sign", "Activating, repressing and unsigned edges");
        ui.horizontal_wrapped(|ui| {
            let signs = &mut self.filter.signs;
            let toggles = [
                (&mut signs.activates, "Activates"),
                (&mut signs.represses, "Represses"),
                (&mut signs.unknown, "Unknown"),
            ];
            for ((on, text), occurs) in toggles.into_iter().zip(self.facts.signs) {
                toggle(ui, on, text, occurs);
            }
        });
        self.title(ui, Step::Evidence, "Evidence", "What the sign of an edge rests on");
        ui.horizontal_wrapped(|ui| {
            let evidence = &mut self.filter.evidence;
            let toggles = [
                (&mut evidence.measured, "Measured"),
                (&mut evidence.predicted, "Predicted"),
                (&mut evidence.reference, "Reference"),
                (&mut evidence.none, "None"),
            ];
            for ((on, text), occurs) in toggles.into_iter().zip(self.facts.kinds) {
                toggle(ui, on, text, occurs);
            }
        });
        self.regulators(ui);
        let hint = "Edges between genes whose expression was measured";
        self.tick(ui, Step::Measured, "Measured genes only", hint, |filter| filter.measured_only = true);
    }

    fn false_discovery(&mut self, ui: &mut Ui) {
        let title = "FDR at most";
        if !self.network().has_false_discovery_rates() && !self.filter.is_set(Step::FalseDiscovery) {
            let missing = "The edges of this network were not tested against shuffled labels: that is part of the training, with the \
                           network following direct shifts";
            ui.add_enabled(false, egui::Checkbox::new(&mut false, title)).on_disabled_hover_text(missing);
            return;
        }
        self.tick(ui, Step::FalseDiscovery, title, FALSE_DISCOVERY, |filter| filter.false_discovery_rate = Some(0.05));
        if let Some(most) = &mut self.filter.false_discovery_rate {
            let slider = Slider::new(most, 0.001..=0.5).logarithmic(true).max_decimals(3);
            control(ui, slider, "Highest false discovery rate");
        }
    }

    fn regulators(&mut self, ui: &mut Ui) {
        let hint = "Edges whose regulator is in a list, such as one of transcription factors: a file with one symbol \
                    per line, or a table of edges of which the regulators are taken";
        self.title(ui, Step::Regulators, "Regulators in a list", hint);
        ui.horizontal_wrapped(|ui| {
            self.load |= ui.button("Load a list…").on_hover_text(hint).clicked();
            if let Some(list) = &self.filter.regulators {
                let (here, all) = (grouped(self.facts.listed), grouped(list.len()));
                let text = format!("{}: {here} of {all} here", list.name());
                ui.label(RichText::new(text).small().color(theme::colours(ui).text_weak));
            }
        });
    }

    fn limits(&mut self, ui: &mut Ui) {
        let highest = self.network().genes().len().saturating_sub(1).clamp(1, 50);
        let hint = "The best edges of each regulator, so that no regulator is left out";
        let on = |filter: &mut NetworkFilter| filter.per_regulator = Some(2);
        self.tick(ui, Step::PerRegulator, "Per regulator", hint, on);
        if let Some(most) = &mut self.filter.per_regulator {
            *most = (*most).clamp(1, highest);
            control(ui, Slider::new(most, 1..=highest).integer(), "Edges per regulator");
        }
        let hint = "The best edges of each target, so that no target is left out";
        let on = |filter: &mut NetworkFilter| filter.per_target = Some(2);
        self.tick(ui, Step::PerTarget, "Per target", hint, on);
        if let Some(most) = &mut self.filter.per_target {
            *most = (*most).clamp(1, highest);
            control(ui, Slider::new(most, 1..=highest).integer(), "Edges per target");
        }
        if self.filter.top.is_some() {
            let hint = "The number of edges set above, of those that pass the filters so far";
            self.title(ui, Step::Top, "Best edges", hint);
        }
        self.agreement(ui);
    }

    /// Of an ensemble alone.
    fn agreement(&mut self, ui: &mut Ui) {
        let network = self.network().clone();
        let Some(ranks) = network.member_ranks() else {
            if self.filter.minimum_agreement.is_some() {
                let hint = "This network is no ensemble's: all edges pass";
                self.title(ui, Step::Agreement, "Agreement", hint);
            }
            return;
        };
        let members = ranks.members();
        let hint = "Edges that many members of the ensemble have among their own best, each as many as are left by the \
                    filters above";
        let on =
            |filter: &mut NetworkFilter| filter.minimum_agreement = Some(members.div_ceil(2) as f32 / members as f32);
        self.tick(ui, Step::Agreement, "Agreement", hint, on);
        if let Some(least) = self.filter.minimum_agreement {
            let mut fewest = ranks.fewest(least).clamp(1, members.max(1));
            let slider = Slider::new(&mut fewest, 1..=members.max(1)).integer().suffix(format!(" of {members}"));
            if control(ui, slider, "Fewest members that keep an edge") {
                self.filter.minimum_agreement = Some(fewest as f32 / members as f32);
            }
        }
    }

    fn genes(&mut self, ui: &mut Ui) {
        let hint = "Genes taken out of the picture with their edges; nothing takes their place";
        self.title(ui, Step::Hidden, "Hidden genes", hint);
        ui.horizontal_wrapped(|ui| {
            let selected: BTreeSet<String> = self.state.document.selection.iter().cloned().collect();
            let new = selected.difference(&self.filter.hidden).count();
            let text = if new > 1 { format!("Hide the {new} selected") } else { "Hide the selected".to_owned() };
            let button = ui.add_enabled(new > 0, egui::Button::new(text));
            if button.on_disabled_hover_text("Select a gene first").clicked() {
                self.filter.hidden.extend(selected);
            }
            let hidden: Vec<String> = self.filter.hidden.iter().take(12).cloned().collect();
            for gene in hidden {
                let show = ui.small_button(format!("{gene}  ×"));
                show.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, format!("Show {gene} again")));
                if show.on_hover_text("Show it again").clicked() {
                    self.filter.hidden.remove(&gene);
                }
            }
            if let Some(more) = self.filter.hidden.len().checked_sub(12).filter(|more| *more > 0) {
                ui.label(RichText::new(format!("and {more} more")).small());
            }
        });
        let hint = "Genes with at least so many edges among those shown, in and out together; the others go, and with \
                    their edges genes that then have too few";
        self.tick(ui, Step::Degree, "Edges per gene", hint, |filter| filter.minimum_degree = 2);
        if self.filter.minimum_degree > 1 {
            self.filter.minimum_degree = self.filter.minimum_degree.clamp(2, 20);
            control(
                ui,
                Slider::new(&mut self.filter.minimum_degree, 2..=20).integer(),
                "Lowest number of edges per gene",
            );
        }
        let hint = "A part of what is left that is connected, whatever the direction of edges";
        self.title(ui, Step::Component, "Component", hint);
        ui.horizontal_wrapped(|ui| {
            let mut choices = vec![(None, "All".to_owned()), (Some(Component::Largest), "Largest".to_owned())];
            let own = match (&self.filter.component, self.state.document.focus()) {
                (Some(Component::Of(gene)), _) => Some(gene.as_str()),
                (_, focus) => focus,
            };
            if let Some(gene) = own {
                choices.push((Some(Component::Of(gene.to_owned())), format!("Of {gene}")));
            }
            for (component, text) in choices {
                let now = self.filter.component == component;
                let choice = ui.selectable_label(now, &text);
                choice.widget_info(|| {
                    WidgetInfo::selected(egui::Role::RadioButton, true, now, format!("Component: {text}"))
                });
                if choice.clicked() {
                    self.filter.component = component;
                }
            }
        });
    }

    fn neighbourhood(&mut self, ui: &mut Ui) {
        let hint = "The genes within some edges of others, along the edges left";
        self.title(ui, Step::Neighbourhood, "Neighbourhood", hint);
        match self.filter.trail.last_mut() {
            Some(around) => {
                let text = format!("Around {}", crate::words::listed(&around.genes, 3));
                ui.label(RichText::new(text).small().color(theme::colours(ui).text_weak));
                ui.horizontal_wrapped(|ui| reach(ui, around));
            }
            None => {
                let selected = &self.state.document.selection;
                let button = ui.add_enabled(!selected.is_empty(), egui::Button::new("Around the selected"));
                if button.on_disabled_hover_text("Select a gene first").clicked() {
                    self.filter.visit(selected.clone());
                }
            }
        }
    }
}

/// Choices of how far and which way a neighbourhood goes, for a line of `ui`.
pub(in crate::app::views) fn reach(ui: &mut Ui, around: &mut Neighbourhood) {
    for hops in 1..=Neighbourhood::MOST_HOPS {
        let words = counted(usize::from(hops), "hop");
        let on = around.hops == hops;
        let choice = ui.selectable_label(on, if hops == 1 { words.clone() } else { hops.to_string() });
        let label = format!("Neighbours within {words}");
        choice.widget_info(|| WidgetInfo::selected(egui::Role::RadioButton, true, on, &label));
        if choice.on_hover_text(label).clicked() {
            around.hops = hops;
        }
    }
    ui.add_space(theme::SMALL);
    for (reach, text, hint) in [
        (Reach::Both, "Both ways", "Along edges and against them"),
        (Reach::Regulators, "Regulators", "Against edges: who regulates them, and who regulates those"),
        (Reach::Targets, "Targets", "Along edges: whom they regulate, and whom those regulate"),
    ] {
        let on = around.reach == reach;
        let choice = ui.selectable_label(on, text);
        let label = format!("Direction: {text}");
        choice.widget_info(|| WidgetInfo::selected(egui::Role::RadioButton, true, on, &label));
        if choice.on_hover_text(hint).clicked() {
            around.reach = reach;
        }
    }
}

/// A slider below its filter's line; whether it was moved.
fn control(ui: &mut Ui, slider: Slider<'_>, label: &str) -> bool {
    ui.scope(|ui| {
        ui.spacing_mut().slider_width = (ui.available_width() - 76.0).clamp(60.0, 260.0);
        let response = ui.add(slider);
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Slider, true, label));
        response.changed()
    })
    .inner
}

/// A word that can be on or off; weak where no edge has it.
fn toggle(ui: &mut Ui, on: &mut bool, text: &str, occurs: bool) {
    let mut words = RichText::new(text);
    if !occurs {
        words = words.color(theme::colours(ui).text_weak);
    }
    let response = ui.selectable_label(*on, words);
    response.widget_info(|| WidgetInfo::selected(egui::Role::CheckBox, true, *on, format!("Edges: {text}")));
    let hint = if occurs { "Click to show or hide these edges" } else { "No edge of this network is such" };
    if response.on_hover_text(hint).clicked() {
        *on = !*on;
    }
}
