//! Which guides work: each beside the other guides of its target.

use std::sync::Arc;

use egui::{Align, Layout, RichText, Role, Sense, TextEdit, Ui, WidgetInfo};
use egui_extras::{Column, TableBuilder};

use super::table::{cell, p_value};
use crate::app::action::{Action, ExportContent, ExportRequest, TableMaker};
use crate::app::findings::GuideFinding;
use crate::app::state::{DataSection, State};
use crate::app::widgets::{Sort, SortColumn, empty_page};
use crate::app::{ExportFormat, theme};
use crate::preprocess::guides::{Guide, GuideCheck};
use crate::tasks::guides;
use crate::words::{counted, grouped};

/// By what the rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Name,
    Target,
    Cells,
    Remaining,
    P,
    Responding,
    Others,
    Agreement,
}

const COLUMNS: [SortColumn<Key>; 8] = [
    SortColumn::rising(Key::Name, "Guide", "As the file names it"),
    SortColumn::rising(Key::Target, "Target", "The perturbation that its cells have"),
    SortColumn::falling(Key::Cells, "Cells", "Cells with this guide"),
    SortColumn::rising(
        Key::Remaining,
        "Remaining",
        "Mean normalised expression of the target as a share of the control cells'; a knock-out by cutting may leave the transcript",
    ),
    SortColumn::rising(
        Key::P,
        "Adjusted p",
        "One-sided Mann–Whitney test of the target against the control cells, adjusted over all guides (Benjamini–Hochberg)",
    ),
    SortColumn::falling(
        Key::Responding,
        "Responding",
        "Share of its cells that respond, told by the genes that move with the target; the others look like control cells",
    ),
    SortColumn::falling(Key::Others, "Others", "The same of the cells of the target's other guides"),
    SortColumn::falling(
        Key::Agreement,
        "Agreement",
        "Correlation over genes of the guide's shifts with those of the target's other guides (what the common control cells make alike \
         is taken off). Near 0 where it does nothing, or something else; – where the others do too little to agree with",
    ),
];

/// What the section keeps for itself.
pub(super) struct GuidesView {
    sort: Sort<Key>,
    filter: String,
    /// Positions of the guides shown, and what they were sorted for.
    order: Vec<u32>,
    ordered: Option<(Arc<GuideCheck>, Sort<Key>, String)>,
}

impl Default for GuidesView {
    fn default() -> Self {
        Self { sort: Sort::rising(Key::Target), filter: String::new(), order: Vec::new(), ordered: None }
    }
}

/// Wider than this, names are far from their numbers.
const WIDEST: f32 = 940.0;

/// Draw the section.
pub(super) fn show(view: &mut GuidesView, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let check = match &state.runtime.findings.guides {
        GuideFinding::Ready(check) => check.clone(),
        GuideFinding::None => {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.label("Comparing guides…");
            });
            return;
        }
        GuideFinding::NoGuides => {
            let text = "No column of the file names several guides of one target. Where there is one under another name, choose it on \
                        the import page";
            if empty_page(ui, "No guides", text, &["Import page"]).is_some() {
                actions.push(Action::ShowSection(DataSection::Import));
            }
            return;
        }
        GuideFinding::NoCounts => {
            let text = "Guides are compared by counts, but the matrix that was read holds none. Choose another matrix on the \
                        import page, if the file has one";
            if empty_page(ui, "No counts", text, &["Import page"]).is_some() {
                actions.push(Action::ShowSection(DataSection::Import));
            }
            return;
        }
        GuideFinding::Failed(reason) => {
            empty_page(ui, "The guides could not be compared", reason, &[]);
            return;
        }
    };
    ui.set_max_width(ui.available_width().min(WIDEST));
    head(view, ui, &check, actions);
    let is_wanted = |(of, sort, filter): &(Arc<GuideCheck>, Sort<Key>, String)| {
        Arc::ptr_eq(of, &check) && *sort == view.sort && *filter == view.filter
    };
    if !view.ordered.as_ref().is_some_and(is_wanted) {
        view.order = order(&check.guides, view.sort, &view.filter);
        view.ordered = Some((check.clone(), view.sort, view.filter.clone()));
    }
    if view.order.is_empty() {
        ui.label("No guide or target contains this text");
        return;
    }
    let (sort, rows) = (&mut view.sort, &view.order);
    let height = ui.available_height();
    egui::ScrollArea::horizontal().auto_shrink([false, false]).show(ui, |ui| {
        TableBuilder::new(ui)
            .id_salt("guides")
            .striped(true)
            .sense(Sense::click())
            .cell_layout(Layout::left_to_right(Align::Center))
            .column(Column::remainder().at_least(110.0).clip(true))
            .column(Column::exact(110.0).clip(true))
            .column(Column::exact(66.0))
            .columns(Column::exact(90.0), 5)
            .min_scrolled_height(120.0)
            .max_scroll_height(height)
            .auto_shrink(false)
            .header(theme::ROW_HEIGHT + 4.0, |mut header| {
                for column in COLUMNS {
                    header.col(|ui| {
                        cell(ui, !matches!(column.key, Key::Name | Key::Target), |ui| column.header(ui, sort));
                    });
                }
            })
            .body(|body| {
                body.rows(theme::ROW_HEIGHT, rows.len(), |mut row| {
                    let guide = &check.guides[rows[row.index()] as usize];
                    row.set_selected(
                        guide.perturbation.is_some()
                            && state.view.perturbation.as_deref() == guide.perturbation.as_deref(),
                    );
                    cells(&mut row, guide);
                    let response = row.response();
                    response.widget_info(|| WidgetInfo::labeled(Role::Row, true, format!("guide {}", guide.name)));
                    if response.on_hover_text(hint(guide)).clicked()
                        && let Some(perturbation) = &guide.perturbation
                    {
                        actions.push(Action::ShowPerturbation(Some(perturbation.clone())));
                    }
                });
            });
    });
}

fn head(view: &mut GuidesView, ui: &mut Ui, check: &Arc<GuideCheck>, actions: &mut Vec<Action>) {
    let colours = theme::colours(ui);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("Guides").heading());
        let text = format!("{} of column {}", counted(check.guides.len(), "guide"), check.column);
        ui.label(RichText::new(text).color(colours.text_weak));
        let less = check.guides.iter().filter(|guide| guide.works_less()).count();
        if less > 0 {
            let text =
                format!("▲ {} with fewer responding cells than the others of the target", counted(less, "guide"));
            ui.label(RichText::new(text).small().color(colours.warning));
        }
    });
    ui.horizontal(|ui| {
        let room = (ui.available_width() - 92.0).clamp(60.0, 320.0);
        let field = ui.add(TextEdit::singleline(&mut view.filter).hint_text("Filter guides").desired_width(room));
        field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Filter guides"));
        if ui.button("Save…").on_hover_text("Save this list as a table (TSV)").clicked() {
            let made = check.clone();
            let content = ExportContent::Made(TableMaker(Arc::new(move || guides::table(&made))));
            actions.push(Action::Export(ExportRequest {
                name: "guides".to_owned(),
                content,
                format: ExportFormat::Tsv,
                width_mm: 0.0,
                dpi: 0.0,
                path: None,
            }));
        }
    });
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn cells(row: &mut egui_extras::TableRow<'_, '_>, guide: &Guide) {
    row.col(|ui| {
        cell(ui, false, |ui| {
            if guide.works_less() {
                ui.label(RichText::new("▲").small().color(theme::colours(ui).warning));
            }
            ui.add(egui::Label::new(&guide.name).truncate().selectable(false));
        });
    });
    row.col(|ui| {
        let colours = theme::colours(ui);
        let target = match &guide.perturbation {
            Some(perturbation) => RichText::new(perturbation),
            None => RichText::new("control").color(colours.text_weak),
        };
        cell(ui, false, |ui| ui.add(egui::Label::new(target).truncate().selectable(false)));
    });
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let texts = [
        grouped(guide.cells),
        or_dash(guide.knock_down.and_then(|own| own.remaining).map(percent)),
        or_dash(guide.adjusted_p.map(p_value)),
        or_dash(guide.responding.map(|share| percent(f64::from(share)))),
        or_dash(guide.others_responding.map(|share| percent(f64::from(share)))),
        or_dash(guide.agreement.map(|r| format!("{r:.2}").replace('-', "−"))),
    ];
    for (at, text) in texts.into_iter().enumerate() {
        row.col(|ui| {
            let mut text = RichText::new(text);
            if at == 3 && guide.works_less() {
                text = text.color(theme::colours(ui).warning);
            }
            cell(ui, true, |ui| ui.add(egui::Label::new(text).selectable(false)));
        });
    }
}

fn hint(guide: &Guide) -> String {
    let mut lines = vec![format!("{}: {}", guide.name, counted(guide.cells, "cell"))];
    if let (Some(own), Some(others), Some(p)) = (guide.responding, guide.others_responding, guide.share_adjusted_p) {
        let [own, others] = [own, others].map(|share| percent(f64::from(share)));
        lines.push(format!(
            "{own} of its cells respond, of the target's other guides {others} (adjusted p {})",
            p_value(p)
        ));
    }
    if guide.works_less() {
        lines.push("It works in fewer cells than the others: leave its cells out, or weigh what they say".to_owned());
    }
    if let Some(perturbation) = &guide.perturbation {
        lines.push(format!("Click to show {perturbation}"));
    }
    lines.join("\n")
}

/// Positions of the guides that contain `filter`. Those without a value come last, either way round; equal ones in the order of the
/// targets.
fn order(guides: &[Guide], sort: Sort<Key>, filter: &str) -> Vec<u32> {
    let wanted = filter.trim().to_lowercase();
    let of = |at: &u32| &guides[*at as usize];
    let is_wanted = |at: &u32| {
        let guide = of(at);
        let names = [Some(guide.name.as_str()), guide.perturbation.as_deref()];
        names.into_iter().flatten().any(|name| name.to_lowercase().contains(&wanted))
    };
    let value = |guide: &Guide| match sort.key {
        Key::Name | Key::Target => None,
        Key::Cells => Some(guide.cells as f64),
        Key::Remaining => guide.knock_down.and_then(|own| own.remaining),
        Key::P => guide.adjusted_p,
        Key::Responding => guide.responding.map(f64::from),
        Key::Others => guide.others_responding.map(f64::from),
        Key::Agreement => guide.agreement,
    };
    let mut rows: Vec<u32> = (0..guides.len() as u32).filter(is_wanted).collect();
    // Guides come by target; the sort is stable.
    rows.sort_by(|a, b| match (sort.key, of(a), of(b)) {
        (Key::Name, a, b) => sort.apply(a.name.cmp(&b.name)),
        (Key::Target, a, b) => {
            let by_target = a.perturbation.is_none().cmp(&b.perturbation.is_none());
            sort.apply(by_target.then_with(|| a.perturbation.cmp(&b.perturbation)))
        }
        (_, a, b) => sort.numbers(value(a), value(b)),
    });
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guides_are_sorted_by_any_column_and_missing_values_come_last() {
        let guide = |name: &str, perturbation: Option<&str>, cells, responding| Guide {
            name: name.into(),
            perturbation: perturbation.map(str::to_owned),
            cells,
            knock_down: None,
            adjusted_p: None,
            responding,
            others_responding: None,
            share_adjusted_p: None,
            agreement: None,
        };
        let guides = [
            guide("A1", Some("A"), 5, Some(0.2)),
            guide("A2", Some("A"), 9, Some(0.9)),
            guide("B1", Some("B"), 9, None),
            guide("n", None, 20, None),
        ];
        let names =
            |sort| order(&guides, sort, "").iter().map(|&at| guides[at as usize].name.clone()).collect::<Vec<_>>();
        assert_eq!(names(Sort::falling(Key::Cells)), ["n", "A2", "B1", "A1"]);
        assert_eq!(names(Sort::falling(Key::Responding)), ["A2", "A1", "B1", "n"]);
        assert_eq!(names(Sort::rising(Key::Responding)), ["A1", "A2", "B1", "n"]);
        assert_eq!(names(Sort::rising(Key::Target)), ["A1", "A2", "B1", "n"]);
        assert_eq!(names(Sort::falling(Key::Name))[0], "n");
        let found = |filter: &str| order(&guides, Sort::rising(Key::Name), filter).len();
        assert_eq!([found(" a"), found("b"), found("N"), found("x")], [2, 1, 1, 0]);
    }
}
