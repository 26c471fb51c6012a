//! How the network is laid out: the way, the forces, pause.

use egui::{ComboBox, Popup, PopupCloseBehavior, RichText, Slider, Ui, WidgetInfo};

use super::NetworkView;
use crate::app::{Action, State, theme};
use crate::document::Layout;
use crate::layout::Method;

/// Draw it.
pub fn show(view: &NetworkView, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    methods(ui, state, actions);
    if state.document.layout.method == Method::Force {
        forces(ui, state, actions);
    }
    // A button that comes and goes while a gene is dragged would be in the way.
    if view.is_arranging() && !view.arrangement.is_following() {
        let paused = state.view.layout_paused;
        let (text, hint) = if paused { ("Resume", "Let the layout go on") } else { ("Pause", "Hold the layout") };
        let response = ui.button(text);
        let label = format!("{text} the layout");
        response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, label.as_str()));
        if response.on_hover_text(hint).clicked() {
            actions.push(Action::PauseLayout(!paused));
        }
    }
}

/// What a way to lay out is called, and what it shows.
pub fn words(method: Method) -> (&'static str, &'static str) {
    match method {
        Method::Force => ("Forces", "Genes that regulate each other lie together"),
        Method::Layered => ("Layers", "Regulators lie above their targets"),
        Method::Circular => ("Circle", "All genes lie on a circle, those that regulate each other side by side"),
        Method::Communities => ("Communities", "Groups of genes that hold together lie apart from each other"),
        Method::Concentric => ("Rings", "A gene lies in the middle, its neighbours in rings around it"),
    }
}

/// The layout that choosing `method` asks for: rings go around the gene selected last.
pub fn chosen(method: Method, state: &State) -> Layout {
    let now = &state.document.layout;
    let centre = match method {
        Method::Concentric => state.document.focus().map(str::to_owned).or_else(|| now.centre.clone()),
        _ => now.centre.clone(),
    };
    Layout { method, centre, ..now.clone() }
}

fn methods(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let now = &state.document.layout;
    let name = |layout: &Layout| match (layout.method, &layout.centre) {
        (Method::Concentric, Some(gene)) => format!("Rings around {gene}"),
        (method, _) => words(method).0.to_owned(),
    };
    let combo = ComboBox::from_id_salt("layout").selected_text(name(now)).width(0.0);
    let shown = combo.show_ui(ui, |ui| {
        for method in Method::ALL {
            let layout = chosen(method, state);
            let response = ui.selectable_label(layout == *now, name(&layout)).on_hover_text(words(method).1);
            if response.clicked() && layout != *now {
                actions.push(Action::SetLayout(Box::new(layout)));
            }
        }
    });
    shown.response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::ComboBox, true, "Layout"));
    shown.response.on_hover_text("How the genes are laid out");
}

fn forces(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let response = ui.button("Settings");
    response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Button, true, "Forces of the layout"));
    let response = response.on_hover_text("Repulsion, springs and gravity of the layout");
    Popup::menu(&response).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        ui.set_width(250.0);
        let mut layout = state.document.layout.clone();
        ui.label(RichText::new("Forces of the layout").strong());
        let strength = |value| Slider::new(value, Layout::STRENGTH).logarithmic(true).max_decimals(2);
        ui.add(strength(&mut layout.repulsion).text("Repulsion"))
            .on_hover_text("How strongly genes push each other away");
        ui.add(strength(&mut layout.spring).text("Springs")).on_hover_text("How strongly edges pull");
        ui.add(Slider::new(&mut layout.gravity, Layout::GRAVITY).max_decimals(2).text("Gravity"))
            .on_hover_text("How strongly genes are drawn to the middle");
        if layout != state.document.layout {
            actions.push(Action::SetLayout(Box::new(layout.clone())));
        }
        ui.add_space(theme::SMALL);
        ui.horizontal(|ui| {
            let hint = "Let all genes that are not pinned move again, from where they are";
            if ui.button("Run again").on_hover_text(hint).clicked() {
                actions.push(Action::RunLayout);
            }
            let usual = Layout { repulsion: 1.0, spring: 1.0, gravity: 1.0, ..layout.clone() };
            let reset = ui.add_enabled(usual != layout, egui::Button::new("As usual"));
            if reset.on_hover_text("Set all three to 1").clicked() {
                actions.push(Action::SetLayout(Box::new(usual)));
            }
        });
    });
}
