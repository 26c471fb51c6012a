//! The volcano plot, and the MA plot.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use egui::{Ui, Vec2};

use super::{DifferentialView, Thresholds};
use crate::app::action::{Action, ExportContent, TableMaker};
use crate::app::state::State;
use crate::app::views::export::{Choice, Content, Draw, Exportable, PRINT_TEXT_SIZE};
use crate::app::views::network::theme as figure_theme;
use crate::data::Dataset;
use crate::figures::Figure as _;
use crate::figures::screen::{Against, VolcanoFigure};
use crate::tasks::figure::{describe_differential, differential};
use crate::tasks::preprocess::TestedGroup;

/// Font size on the screen.
const TEXT_SIZE: f32 = 12.0;

/// The plot of `found`.
fn figure(
    found: &TestedGroup,
    against: Against,
    thresholds: Thresholds,
    selection: &[String],
    text_size: f32,
) -> VolcanoFigure {
    let limits = [f64::from(thresholds.change), thresholds.level];
    differential(found, against, limits, selection, text_size)
}

/// Genes up and down.
pub(super) fn counts(found: &TestedGroup, thresholds: Thresholds) -> [usize; 2] {
    let table = &found.table;
    let changed = |at: &usize| {
        table.adjusted_p_values[*at] < thresholds.level && table.log_fold_changes[*at].abs() >= thresholds.change
    };
    let up = (0..table.genes).filter(changed).filter(|&at| table.log_fold_changes[at] > 0.0).count();
    let down = (0..table.genes).filter(changed).filter(|&at| table.log_fold_changes[at] < 0.0).count();
    [up, down]
}

/// Draw it in `size`; a click selects a gene.
pub(super) fn show(
    view: &mut DifferentialView,
    ui: &mut Ui,
    size: Vec2,
    found: &Arc<TestedGroup>,
    version: u64,
    state: &State,
    actions: &mut Vec<Action>,
) {
    let (against, thresholds, selection) = (view.against, view.thresholds, &state.document.selection);
    let mut hasher = DefaultHasher::new();
    (version, against, thresholds.change.to_bits(), thresholds.level.to_bits(), selection).hash(&mut hasher);
    let label = format!("{} of {}", against.label(), found.perturbation);
    let drawn = view.figure.show(ui, size.max(Vec2::splat(120.0)), hasher.finish(), &label, |size, dark| {
        figure(found, against, thresholds, selection, TEXT_SIZE).scene(size, &figure_theme(dark))
    });
    if let Some(at) = drawn.clicked {
        let extend = ui.input(|input| input.modifiers.command);
        actions.push(Action::Select { gene: found.genes[at].clone(), extend });
    }
}

/// The plot and the table.
pub(super) fn exportable(
    dataset: &Dataset,
    found: &Arc<TestedGroup>,
    shown: Against,
    thresholds: Thresholds,
    selection: &[String],
) -> Exportable {
    let name = &found.perturbation;
    let plot = |against: Against| {
        let figure = figure(found, against, thresholds, selection, PRINT_TEXT_SIZE);
        let figure = VolcanoFigure { title: name.clone(), ..figure };
        let metadata = Box::new(describe_differential(&figure, found, dataset));
        let draw: Draw = Arc::new(move |size, theme| figure.scene(size, theme).scene);
        let short = if against == Against::Mean { "ma" } else { "volcano" };
        Choice {
            label: against.label().to_owned(),
            name: format!("{short}-{name}"),
            content: Content::Figure { draw, aspect: 1.1, width_mm: 89.0, metadata },
        }
    };
    let table = found.clone();
    let other = if shown == Against::Mean { Against::Significance } else { Against::Mean };
    Exportable {
        choices: vec![
            plot(shown),
            plot(other),
            Choice {
                label: "All genes (table)".to_owned(),
                name: format!("differential-{name}"),
                content: Content::Table(ExportContent::Made(TableMaker(Arc::new(move || table.tsv())))),
            },
        ],
    }
}
