//! Which labels are controls and which are nobody's: ticked in the list of all labels with their cells.

use egui::{Align, Checkbox, Layout, ScrollArea, TextEdit, Ui, WidgetInfo, vec2};

use super::fields::{reason, title};
use super::{ImportForm, Known, weak};
use crate::app::theme;
use crate::data::labels::{Level, LevelUse, is_unassigned};
use crate::words::grouped;

/// Rows shown at a time.
const ROWS: usize = 7;
/// More labels than this can be filtered.
const MANY: usize = 12;
/// Width of a column of boxes.
const BOX: f32 = 84.0;

/// Draw them.
pub(super) fn show(form: &mut ImportForm, ui: &mut Ui, known: &Known<'_>) {
    let changed = form.is_changed();
    let hint = "Tick the labels of control cells, and those of cells that nobody could assign: these are left out, never taken \
                for controls";
    title(ui, "Labels", hint);
    let Some(lists) = known.lists(changed).filter(|lists| !lists.levels.is_empty()) else {
        reason(ui, "none: no perturbation column");
        return;
    };
    let levels = &lists.levels;
    let names: Vec<String> = levels.iter().map(|level| level.label.clone()).collect();
    if form.order.as_ref().is_none_or(|(of, _)| *of != names) {
        form.order = Some((names, order(levels)));
    }
    if levels.len() > MANY {
        let width = ui.available_width().min(320.0);
        let field = ui.add(TextEdit::singleline(&mut form.filter).hint_text("Filter labels").desired_width(width));
        field.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::TextInput, true, "Filter labels"));
    } else {
        form.filter.clear();
    }
    let wanted = form.filter.trim().to_lowercase();
    let order = form.order.as_ref().map_or(&[][..], |(_, order)| order);
    let shown: Vec<usize> =
        order.iter().copied().filter(|&at| levels[at].label.to_lowercase().contains(&wanted)).collect();
    let width = ui.available_width();
    let label_width = (width - 2.0 * BOX - 150.0).max(80.0);
    let line = |ui: &mut Ui, add: &mut dyn FnMut(&mut Ui)| {
        ui.allocate_ui_with_layout(vec2(width, theme::ROW_HEIGHT), Layout::left_to_right(Align::Center), |ui| add(ui));
    };
    let column = |ui: &mut Ui, width: f32, add: &mut dyn FnMut(&mut Ui)| {
        let size = vec2(width, theme::ROW_HEIGHT);
        ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_width(width);
            add(ui);
        });
    };
    ui.spacing_mut().item_spacing.x = 0.0;
    line(ui, &mut |ui| {
        for (text, width) in [("Control", BOX), ("Unassigned", BOX), ("Label", label_width), ("Cells", 60.0)] {
            column(ui, width, &mut |ui| _ = ui.label(weak(ui, text).strong()));
        }
    });
    let mut options = form.options.clone();
    let height = theme::ROW_HEIGHT * shown.len().min(ROWS) as f32;
    ScrollArea::vertical()
        .id_salt("labels")
        .max_height(height)
        .min_scrolled_height(height)
        .auto_shrink([false, true])
        .show_rows(ui, theme::ROW_HEIGHT, shown.len(), |ui, rows| {
            ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
            // Empty boxes are told from the card by their rim.
            let rim = egui::Stroke::new(1.0, theme::colours(ui).text_weak);
            ui.visuals_mut().widgets.inactive.bg_stroke = rim;
            for &at in &shown[rows] {
                let level = &levels[at];
                line(ui, &mut |ui| {
                    let mut control = is_control(&options.control_labels, level);
                    column(ui, BOX, &mut |ui| {
                        let tick = ui.add(Checkbox::without_text(&mut control));
                        let name = format!("Control: {}", level.label);
                        tick.widget_info(|| {
                            WidgetInfo::selected(egui::accesskit::Role::CheckBox, true, control, &name)
                        });
                        if tick.changed() {
                            tick_control(&mut options.control_labels, levels, level, control);
                            options.unassigned_labels.retain(|label| *label != level.label);
                        }
                    });
                    let always = is_unassigned(&level.label);
                    let mut nobody = always || options.unassigned_labels.contains(&level.label);
                    column(ui, BOX, &mut |ui| {
                        let tick = ui.add_enabled(!always, Checkbox::without_text(&mut nobody));
                        let name = format!("Unassigned: {}", level.label);
                        tick.widget_info(|| {
                            WidgetInfo::selected(egui::accesskit::Role::CheckBox, !always, nobody, &name)
                        });
                        let tick = tick.on_disabled_hover_text("This word always means that nobody knows");
                        if tick.changed() {
                            options.unassigned_labels.retain(|label| *label != level.label);
                            if nobody {
                                options.unassigned_labels.push(level.label.clone());
                                if is_control(&options.control_labels, level) {
                                    tick_control(&mut options.control_labels, levels, level, false);
                                }
                            }
                        }
                    });
                    let words = if level.label.trim().is_empty() { "(empty)" } else { level.label.as_str() };
                    column(ui, label_width, &mut |ui| _ = ui.add(egui::Label::new(words).truncate()));
                    column(ui, 60.0, &mut |ui| _ = ui.label(grouped(level.cells)));
                    if let LevelUse::Perturbed(name) = &level.taken_for
                        && *name != level.label
                    {
                        ui.add(egui::Label::new(weak(ui, format!("→ {name}"))).truncate());
                    }
                });
            }
        });
    form.options = options;
    ui.add_space(theme::SMALL);
    if !form.options.control_labels.is_empty() && ui.small_button("Controls by the rule").clicked() {
        form.options.control_labels.clear();
    }
    let choices = ["control", "unassigned"].map(|what| known.choice(what, &form.options, changed));
    let words: Vec<String> = choices
        .into_iter()
        .flatten()
        .map(|choice| format!("{}: {} ({})", choice.what, choice.chosen, choice.reason))
        .collect();
    reason(ui, &words.join("\n"));
}

/// Controls first, then what is nobody's, then by the number of cells.
fn order(levels: &[Level]) -> Vec<usize> {
    let rank = |level: &Level| match level.taken_for {
        LevelUse::Control => 0,
        LevelUse::Unassigned => 1,
        LevelUse::Perturbed(_) => 2,
    };
    let mut order: Vec<usize> = (0..levels.len()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&levels[a], &levels[b]);
        rank(a).cmp(&rank(b)).then(b.cells.cmp(&a.cells)).then_with(|| a.label.cmp(&b.label))
    });
    order
}

/// Whether `level` is a control: as ticked, or by the rule where nothing was ticked.
fn is_control(ticked: &[String], level: &Level) -> bool {
    if ticked.is_empty() { level.taken_for == LevelUse::Control } else { ticked.contains(&level.label) }
}

/// Tick `level` or not; what the rule found stays ticked beside it.
fn tick_control(ticked: &mut Vec<String>, levels: &[Level], level: &Level, control: bool) {
    if ticked.is_empty() {
        let by_rule = levels.iter().filter(|level| level.taken_for == LevelUse::Control);
        ticked.extend(by_rule.map(|level| level.label.clone()));
    }
    ticked.retain(|label| *label != level.label);
    if control {
        ticked.push(level.label.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(label: &str, cells: usize, taken_for: LevelUse) -> Level {
        Level { label: label.into(), cells, taken_for }
    }

    #[test]
    fn ticking_keeps_what_the_rule_found() {
        let levels = [
            level("STAT1", 90, LevelUse::Perturbed("STAT1".into())),
            level("NT", 10, LevelUse::Control),
            level("nan", 5, LevelUse::Unassigned),
        ];
        assert_eq!(order(&levels), [1, 2, 0]);
        let mut ticked = Vec::new();
        assert!(is_control(&ticked, &levels[1]) && !is_control(&ticked, &levels[0]));
        tick_control(&mut ticked, &levels, &levels[0], true);
        assert_eq!(ticked, ["NT", "STAT1"]);
        tick_control(&mut ticked, &levels, &levels[1], false);
        assert_eq!(ticked, ["STAT1"]);
    }
}
