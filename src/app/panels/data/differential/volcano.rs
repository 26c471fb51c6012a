//! The volcano plot.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use egui::{Ui, Vec2};

use super::{DifferentialView, Thresholds};
use crate::app::action::{Action, ExportContent, TableMaker};
use crate::app::state::State;
use crate::app::views::export::{Choice, Content, Draw, Exportable, PRINT_TEXT_SIZE};
use crate::app::views::network::theme as figure_theme;
use crate::data::Dataset;
use crate::figures::screen::{VolcanoFigure, VolcanoPoint};
use crate::figures::{Figure as _, FigureMetadata};
use crate::tasks::preprocess::TestedGroup;

/// Font size on the screen.
const TEXT_SIZE: f32 = 12.0;

/// The plot of `found`.
fn figure(found: &TestedGroup, thresholds: Thresholds, selection: &[String], text_size: f32) -> VolcanoFigure {
    let table = &found.table;
    let selected: HashSet<&String> = selection.iter().collect();
    let point = |(at, gene): (usize, &String)| VolcanoPoint {
        label: gene.clone(),
        change: table.log_fold_changes[at],
        p: table.adjusted_p_values[at],
        target: found.targets.contains(gene),
        highlighted: selected.contains(gene),
    };
    VolcanoFigure {
        points: found.genes.iter().enumerate().map(point).collect(),
        least_change: thresholds.change,
        level: thresholds.level,
        labels: 16,
        text_size,
        ..VolcanoFigure::default()
    }
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
    let (thresholds, selection) = (view.thresholds, &state.document.selection);
    let mut hasher = DefaultHasher::new();
    (version, thresholds.change.to_bits(), thresholds.level.to_bits(), selection).hash(&mut hasher);
    let label = format!("Volcano plot of {}", found.perturbation);
    let drawn = view.figure.show(ui, size.max(Vec2::splat(120.0)), hasher.finish(), &label, |size, dark| {
        figure(found, thresholds, selection, TEXT_SIZE).scene(size, &figure_theme(dark))
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
    thresholds: Thresholds,
    selection: &[String],
) -> Exportable {
    let name = &found.perturbation;
    let figure = VolcanoFigure { title: name.clone(), ..figure(found, thresholds, selection, PRINT_TEXT_SIZE) };
    let description = format!(
        "Change of every gene in {} cells with {name} against {} control cells",
        found.cells, found.control_cells
    );
    let mut metadata = FigureMetadata::new(format!("Volcano plot of {name}"), description)
        .with("test", found.test.label())
        .with("least |log2 fold change|", thresholds.change)
        .with("adjusted p below", thresholds.level);
    metadata.data_hash = Some(dataset.hash().to_owned());
    let draw: Draw = Arc::new(move |size, theme| figure.scene(size, theme).scene);
    let table = found.clone();
    Exportable {
        choices: vec![
            Choice {
                label: "Volcano plot".to_owned(),
                name: format!("volcano-{name}"),
                content: Content::Figure { draw, aspect: 1.1, width_mm: 89.0, metadata: Box::new(metadata) },
            },
            Choice {
                label: "All genes (table)".to_owned(),
                name: format!("differential-{name}"),
                content: Content::Table(ExportContent::Made(TableMaker(Arc::new(move || table.tsv())))),
            },
        ],
    }
}
