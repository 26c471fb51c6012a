//! The table of all perturbations.

use std::sync::Arc;

use egui::{TextEdit, Ui, WidgetInfo};
use egui_extras::{Column, TableBuilder};

use super::{ComparedPerturbation, Comparison, Predictor, R, R_SQUARED, ResponseView, badges};
use crate::app::widgets::{Sort, SortColumn, badge, coefficient, evidence_badge, plain_header, told};
use crate::app::{Action, ExportContent, ExportFormat, ExportRequest, State, theme};
use crate::words::grouped;

/// Columns of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FitColumn {
    /// Name.
    Name,
    /// Number of cells behind the measured shift.
    Cells,
    /// Pearson's r of the model.
    R,
    /// R² of the model.
    RSquared,
    /// R² of the best baseline.
    Baseline,
}

/// Positions of the perturbations whose name contains `filter`, in the order of `sort`; without a value they come last.
pub fn order(perturbations: &[ComparedPerturbation], sort: Sort<FitColumn>, filter: &str) -> Vec<u32> {
    let wanted = filter.trim().to_lowercase();
    let passes = |at: &u32| perturbations[*at as usize].name.to_lowercase().contains(&wanted);
    let mut order: Vec<u32> = (0..perturbations.len() as u32).filter(passes).collect();
    let model = |perturbation: &ComparedPerturbation| perturbation.fit(Predictor::Model);
    let value = |perturbation: &ComparedPerturbation| match sort.key {
        FitColumn::Name => None,
        FitColumn::Cells => Some(f64::from(perturbation.cells)),
        FitColumn::R => model(perturbation).and_then(|fit| fit.r),
        FitColumn::RSquared => model(perturbation).and_then(|fit| fit.r_squared),
        FitColumn::Baseline => perturbation.best_baseline().map(|(_, best)| best),
    };
    order.sort_by(|&a, &b| {
        let (a, b) = (&perturbations[a as usize], &perturbations[b as usize]);
        let by_name = a.name.cmp(&b.name);
        if sort.key == FitColumn::Name {
            return sort.apply(by_name);
        }
        sort.numbers(value(a), value(b)).then(by_name)
    });
    order
}

/// The table as tab-separated values.
pub fn tsv(comparison: &Comparison) -> String {
    let answers = |who: &Predictor| comparison.perturbations.iter().any(|known| known.fit(*who).is_some());
    let predictors: Vec<Predictor> = Predictor::all().filter(answers).collect();
    let mut text = "perturbation\ttruth\tcells\tbeaten_by".to_owned();
    for who in &predictors {
        let name = who.label().to_lowercase().replace([' ', '-'], "_");
        for metric in ["r", "r_squared", "mean_absolute_error"] {
            text.push_str(&format!("\t{name}_{metric}"));
        }
    }
    text.push('\n');
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for perturbation in &comparison.perturbations {
        let beaten = perturbation.beaten_by().map_or("", Predictor::label);
        let (name, truth) = (&perturbation.name, perturbation.truth.label());
        text.push_str(&format!("{name}\t{truth}\t{}\t{beaten}", perturbation.cells));
        for who in &predictors {
            let fit = perturbation.fit(*who);
            let values = [fit.and_then(|fit| fit.r), fit.and_then(|fit| fit.r_squared), fit.map(|fit| fit.error)];
            values.into_iter().for_each(|value| text.push_str(&format!("\t{}", number(value))));
        }
        text.push('\n');
    }
    text
}

/// Draw the table into the rest of `ui`.
pub fn show(
    view: &mut ResponseView,
    ui: &mut Ui,
    comparison: &Comparison,
    chosen: Option<&ComparedPerturbation>,
    state: &State,
    actions: &mut Vec<Action>,
) {
    ui.horizontal(|ui| {
        let room = (ui.available_width() - 84.0).max(60.0);
        let field = TextEdit::singleline(&mut view.filter).hint_text("Filter perturbations").desired_width(room);
        let field = ui.add(field);
        field.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::TextInput, true, "Filter perturbations"));
        if ui.button("Save…").on_hover_text("Save the fits of all perturbations as a table (TSV)").clicked() {
            actions.push(Action::Export(ExportRequest {
                name: "fit-per-perturbation".to_owned(),
                content: ExportContent::Table(Arc::from(tsv(comparison))),
                format: ExportFormat::Tsv,
                width_mm: 0.0,
                dpi: 0.0,
                path: None,
            }));
        }
    });
    let wanted = (view.sort, view.filter.clone(), comparison.perturbations.len());
    if view.ordered.as_ref() != Some(&wanted) {
        view.order = order(&comparison.perturbations, view.sort, &view.filter);
        view.ordered = Some(wanted);
    }
    if view.order.is_empty() {
        ui.label("No perturbation contains this text");
        return;
    }
    let sort = &mut view.sort;
    let narrow = Column::exact(48.0);
    let builder = TableBuilder::new(ui)
        .id_salt("perturbations")
        .striped(true)
        .sense(egui::Sense::click())
        .cell_layout(egui::Layout::left_to_right(egui::Align::Center))
        .column(Column::remainder().at_least(80.0).clip(true))
        .column(Column::exact(72.0).clip(true))
        .column(Column::exact(44.0))
        .column(narrow)
        .column(narrow)
        .column(Column::exact(70.0));
    let header = builder.header(theme::ROW_HEIGHT, |mut header| {
        header.col(|ui| _ = SortColumn::rising(FitColumn::Name, "Perturbation", "Perturbed genes").header(ui, sort));
        header.col(|ui| plain_header(ui, "In training", "What the model saw of it"));
        let text = "Cells behind the measured shift: few cells, much noise";
        header.col(|ui| _ = SortColumn::falling(FitColumn::Cells, "Cells", text).header(ui, sort));
        header.col(|ui| _ = SortColumn::falling(FitColumn::R, "r", R).header(ui, sort));
        header.col(|ui| _ = SortColumn::falling(FitColumn::RSquared, "R²", R_SQUARED).header(ui, sort));
        let text = "R² of the baseline that fits best, of all that have an answer: no change, means of training cells, sums of \
                    single perturbations, a linear model. Marked where it is at least as good as the model";
        header.col(|ui| _ = SortColumn::falling(FitColumn::Baseline, "Baseline", text).header(ui, sort));
    });
    let rows = &view.order;
    header.body(|body| {
        body.rows(theme::ROW_HEIGHT, rows.len(), |mut row| {
            let perturbation = &comparison.perturbations[rows[row.index()] as usize];
            let badges = badges(perturbation, state);
            row.set_selected(chosen.is_some_and(|chosen| chosen.name == perturbation.name));
            let fit = perturbation.fit(Predictor::Model).unwrap_or_default();
            let plain = |text: String| egui::Label::new(text).selectable(false).truncate();
            row.col(|ui| _ = ui.add(plain(perturbation.name.clone())));
            row.col(|ui| {
                if let Some(first) = badges.first() {
                    evidence_badge(ui, first);
                }
            });
            row.col(|ui| _ = ui.add(plain(grouped(perturbation.cells as usize))));
            row.col(|ui| _ = ui.add(plain(coefficient(fit.r))));
            row.col(|ui| _ = ui.add(plain(coefficient(fit.r_squared))));
            row.col(|ui| {
                let best = perturbation.best_baseline();
                let text = coefficient(best.map(|(_, best)| best));
                match perturbation.beaten_by() {
                    Some(who) => {
                        let hint = format!("{} fits at least as well as the model", who.label());
                        badge(ui, &format!("{text} wins"), theme::colours(ui).warning, &hint);
                    }
                    None => {
                        let hint = best.map_or("No baseline has an answer", |(who, _)| who.label());
                        ui.add(plain(text)).on_hover_text(hint);
                    }
                }
            });
            let response = row.response();
            let label = format!("perturbation {}", perturbation.name);
            response.widget_info(|| WidgetInfo::labeled(egui::accesskit::Role::Row, true, &label));
            if response.on_hover_text(format!("{}\n{}", perturbation.name, told(&badges))).clicked() {
                actions.push(Action::ShowPerturbation(Some(perturbation.name.clone())));
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::super::{Fit, Truth};
    use super::*;
    use crate::models::Novelty;
    use crate::models::baselines::BaselineKind;

    fn perturbation(name: &str, cells: u32, r_squared: Option<f64>, baseline: Option<f64>) -> ComparedPerturbation {
        ComparedPerturbation {
            name: name.to_owned(),
            truth: Truth::HeldOut,
            cells,
            novelty: Novelty::NewCombination,
            fits: [(Predictor::Model, r_squared), (Predictor::Baseline(BaselineKind::NoChange), baseline)]
                .map(|(who, r_squared)| (who, Fit { r: None, r_squared, error: 0.0 }))
                .to_vec(),
        }
    }

    fn names(sort: Sort<FitColumn>, filter: &str) -> Vec<&'static str> {
        let all = [
            perturbation("B", 5, Some(0.5), Some(0.7)),
            perturbation("A", 9, None, None),
            perturbation("AC", 1, Some(0.9), Some(0.1)),
        ];
        order(&all, sort, filter).into_iter().map(|at| ["B", "A", "AC"][at as usize]).collect()
    }

    #[test]
    fn what_has_no_fit_comes_last_in_both_orders() {
        assert_eq!(names(Sort::falling(FitColumn::RSquared), ""), ["AC", "B", "A"]);
        assert_eq!(names(Sort::rising(FitColumn::RSquared), ""), ["B", "AC", "A"]);
        assert_eq!(names(Sort::falling(FitColumn::Baseline), ""), ["B", "AC", "A"]);
        assert_eq!(names(Sort::falling(FitColumn::Cells), ""), ["A", "B", "AC"]);
        assert_eq!(names(Sort::rising(FitColumn::Name), "a"), ["A", "AC"]);
    }
}
