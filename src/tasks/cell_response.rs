//! Cells of one perturbation gene by gene: measured ones beside control cells, and cells drawn from the model.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::Context as _;

use crate::data::{CellRole, CsrMatrix, Dataset, MatrixError, MatrixKind, mean_log2_expression};
use crate::figures::response::{
    BoxMark, BoxSeries, BoxStatistics, BoxedGene, BoxesFigure, CellGroupKind, GeneCells, GeneCellsFigure,
};
use crate::jobs::Progress;
use crate::models::{Intervention, PredictError, TrainedModel};
use crate::words::{counted, grouped};

/// Most measured cells of a group that are looked at; of more of them so many, evenly spread over the file.
pub const MOST_CELLS: usize = 2_000;
/// Cells drawn from the model.
pub const DRAWN_CELLS: usize = 500;
/// Genes of the figure of boxes.
pub const TOP_GENES: usize = 20;

/// Which cells a measured shift rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Truth {
    /// Cells never used in training.
    HeldOut,
    /// Cells the model was trained on: a fit to them says little.
    Training,
}

impl Truth {
    /// For a sentence: `held-out cells`.
    pub fn label(self) -> &'static str {
        match self {
            Self::HeldOut => "held-out cells",
            Self::Training => "training cells",
        }
    }

    /// `12 held-out cells`.
    pub fn counted(self, cells: usize) -> String {
        counted(cells, self.label().trim_end_matches('s'))
    }
}

/// Cells of one condition.
#[derive(Clone, Debug)]
pub struct CellGroup {
    /// How many there are; [`CellGroup::cells`] of them are looked at.
    pub all: usize,
    /// Genes × cells: log2(10,000·x/Σx + 1).
    by_gene: CsrMatrix,
    /// Mean of the control cells, one per gene, same unit.
    base: Vec<f32>,
}

impl CellGroup {
    /// Cells that are looked at.
    pub fn cells(&self) -> usize {
        self.by_gene.columns()
    }

    /// Expression of gene number `gene` in every cell: log2(10,000·x/Σx + 1).
    pub fn values(&self, gene: usize) -> Vec<f32> {
        let mut values = vec![0.0; self.cells()];
        self.by_gene.copy_row(gene, &mut values);
        values
    }

    /// The same against the mean of control cells: of measured cells that of measured ones, of drawn cells the model's.
    pub fn changes(&self, gene: usize) -> Vec<f32> {
        let base = self.base[gene];
        self.values(gene).into_iter().map(|value| value - base).collect()
    }
}

/// One perturbation.
#[derive(Clone, Debug)]
pub struct CellResponse {
    /// `STAT1`, or `JAK2+STAT1`.
    pub perturbation: String,
    /// Which cells were measured.
    pub truth: Truth,
    /// Genes of the data set, by which the groups are numbered.
    pub genes: Arc<[String]>,
    /// Control cells.
    pub control: CellGroup,
    /// Perturbed cells.
    pub perturbed: CellGroup,
    /// Cells drawn from the model, or why there are none.
    pub drawn: Result<CellGroup, String>,
}

/// Look at the cells of `perturbation` in `dataset`: held-out ones where there are any, otherwise those of the training, each beside
/// control cells of the same kind; and draw [`DRAWN_CELLS`] from `model` with its own seed. Same input, same output.
///
/// # Errors
/// If `dataset` is not the one that `model` was trained on, the perturbation has no cells of either kind, there are no control
/// cells beside them, or the work was cancelled.
pub fn cell_response(
    dataset: &Dataset,
    model: &TrainedModel,
    perturbation: &str,
    progress: &dyn Progress,
) -> anyhow::Result<CellResponse> {
    let card = model.card();
    anyhow::ensure!(
        dataset.hash() == card.dataset.hash,
        "{} is not the data set the model was trained on ({}), or it was read with other choices, so its held-out cells cannot \
         be told",
        dataset.name(),
        card.dataset.name
    );
    anyhow::ensure!(dataset.matrix_kind() == MatrixKind::Counts, "the matrix of {} holds no counts", dataset.name());
    let index = dataset.perturbations().iter().position(|known| known.name() == perturbation);
    let index = index.with_context(|| format!("there are no cells with {perturbation} in {}", dataset.name()))?;
    progress.stage("Reading cells", None);
    let of = |cells: &[u32], role: CellRole| -> Vec<u32> {
        cells.iter().copied().filter(|&cell| dataset.roles()[cell as usize] == role).collect()
    };
    let role = CellRole::Perturbed(index as u32);
    let held_out = model.held_out_cells();
    let (truth, cells, perturbed) = match of(&held_out, role) {
        perturbed if perturbed.is_empty() => {
            let cells = model.training_cells();
            let perturbed = of(&cells, role);
            (Truth::Training, cells, perturbed)
        }
        perturbed => (Truth::HeldOut, held_out, perturbed),
    };
    anyhow::ensure!(!perturbed.is_empty(), "no cell with {perturbation} passed the filters of the training");
    let control = of(&cells, CellRole::Control);
    anyhow::ensure!(!control.is_empty(), "there are no control cells among the {} to compare with", truth.label());
    progress.check()?;
    let base: Vec<f32> = mean_log2_expression(dataset.matrix(), &control).iter().map(|mean| *mean as f32).collect();
    progress.check()?;
    let control = measured(dataset, &control, &base)?;
    let perturbed = measured(dataset, &perturbed, &base)?;
    progress.check()?;
    let genes: Arc<[String]> = dataset.genes().symbols().into();
    let question = Intervention::knock_out(perturbation.split('+'));
    let drawn = match model.generate(Some(&question), 0, 0, card.settings.seed, progress) {
        Ok(_) => Ok(drawn(model, &question, &genes, progress)?),
        Err(PredictError::Cancelled(cancelled)) => return Err(cancelled.into()),
        Err(error) => Err(error.to_string()),
    };
    Ok(CellResponse { perturbation: perturbation.to_owned(), truth, genes, control, perturbed, drawn })
}

/// log2(10,000·x/total + 1).
fn log2_scaled(count: f32, total: f64) -> f32 {
    ((1e4 * f64::from(count) / total).ln_1p() / std::f64::consts::LN_2) as f32
}

fn measured(dataset: &Dataset, cells: &[u32], base: &[f32]) -> Result<CellGroup, MatrixError> {
    let chosen: Vec<u32> = match cells.len() {
        few if few <= MOST_CELLS => cells.to_vec(),
        all => (0..MOST_CELLS).map(|at| cells[at * all / MOST_CELLS]).collect(),
    };
    let matrix = dataset.matrix();
    let rows = chosen.iter().map(|&cell| {
        let total = matrix.row_sum(cell as usize);
        let values = matrix.row(cell as usize).iter();
        values.filter(|(_, count)| *count > 0.0).map(|(gene, count)| (gene, log2_scaled(count, total))).collect()
    });
    let by_gene = CsrMatrix::from_rows(matrix.columns(), rows.collect())?.transposed();
    Ok(CellGroup { all: cells.len(), by_gene, base: base.to_vec() })
}

/// Cells of `intervention` from the model, with the columns of `genes`. A gene that the model does not know stays at zero.
fn drawn(
    model: &TrainedModel,
    intervention: &Intervention,
    genes: &[String],
    progress: &dyn Progress,
) -> anyhow::Result<CellGroup> {
    let column: HashMap<&str, u32> = (0..).zip(genes).map(|(at, gene)| (gene.as_str(), at)).collect();
    let columns: Vec<Option<u32>> = model.card().genes.iter().map(|gene| column.get(gene.as_str()).copied()).collect();
    let mut rows: Vec<Vec<(u32, f32)>> = Vec::with_capacity(DRAWN_CELLS);
    while rows.len() < DRAWN_CELLS {
        let first = rows.len();
        progress.stage("Drawing cells from the model", Some(first as f32 / DRAWN_CELLS as f32));
        progress.check()?;
        let count = TrainedModel::GENERATED_AT_A_TIME.min(DRAWN_CELLS - first);
        let cells = model.generate(Some(intervention), first, count, model.card().settings.seed, progress)?;
        for (counts, library) in cells.counts.chunks_exact(columns.len().max(1)).zip(&cells.libraries) {
            let values = columns.iter().zip(counts).filter(|(_, count)| **count > 0.0);
            let mut row: Vec<(u32, f32)> = values
                .filter_map(|(column, count)| Some(((*column)?, log2_scaled(*count, f64::from(*library)))))
                .collect();
            row.sort_unstable_by_key(|(column, _)| *column);
            rows.push(row);
        }
    }
    let mut base = vec![0.0; genes.len()];
    for (column, control) in columns.iter().zip(model.predict(intervention, progress)?.control) {
        if let Some(column) = column {
            base[*column as usize] = control;
        }
    }
    let by_gene = CsrMatrix::from_rows(genes.len(), rows)?.transposed();
    Ok(CellGroup { all: DRAWN_CELLS, by_gene, base })
}

/// A prediction that is marked in the figure of boxes.
pub struct Prediction<'a> {
    /// Who predicts.
    pub label: String,
    /// It is the model's.
    pub of_model: bool,
    /// Genes of the shifts.
    pub genes: &'a [String],
    /// One shift per gene, log2.
    pub shifts: &'a [f32],
}

impl CellResponse {
    /// The number of `gene`.
    pub fn find(&self, gene: &str) -> Option<usize> {
        self.genes.iter().position(|known| known == gene)
    }

    /// What the cells are: `12 held-out cells with STAT1, 88 held-out control cells, 500 cells drawn from the model`.
    pub fn describe(&self) -> String {
        let of = |group: &CellGroup, words: String| match group.cells() < group.all {
            true => format!("{words} ({} of them looked at)", grouped(group.cells())),
            false => words,
        };
        let perturbed =
            of(&self.perturbed, format!("{} with {}", self.truth.counted(self.perturbed.all), self.perturbation));
        let kind = self.truth.label().trim_end_matches(" cells");
        let control = of(&self.control, counted(self.control.all, &format!("{kind} control cell")));
        let drawn = match &self.drawn {
            Ok(drawn) => format!(", {} drawn from the model", counted(drawn.cells(), "cell")),
            Err(_) => String::new(),
        };
        format!("{perturbed}, {control}{drawn}")
    }

    fn groups(&self) -> impl Iterator<Item = (CellGroupKind, &CellGroup)> {
        let measured = [(CellGroupKind::Control, &self.control), (CellGroupKind::Perturbed, &self.perturbed)];
        measured.into_iter().chain(self.drawn.as_ref().ok().map(|drawn| (CellGroupKind::Drawn, drawn)))
    }

    /// The [`TOP_GENES`] genes with the largest measured |shift|, largest first, without the perturbed ones.
    pub fn top_genes(&self, genes: &[String], shifts: &[f32]) -> Vec<String> {
        let targets: Vec<&str> = self.perturbation.split('+').collect();
        let known: HashSet<&String> = self.genes.iter().collect();
        let all = genes.iter().zip(shifts).filter(|(gene, shift)| shift.is_finite() && known.contains(gene));
        let mut all: Vec<(&String, f32)> = all
            .filter(|(gene, _)| !targets.contains(&gene.as_str()))
            .map(|(gene, shift)| (gene, shift.abs()))
            .collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        all.into_iter().take(TOP_GENES).map(|(gene, _)| gene.clone()).collect()
    }

    /// Boxes of the cells for each of `genes`, with `predictions` marked.
    pub fn boxes(&self, genes: &[String], predictions: &[Prediction<'_>], selection: &[String]) -> BoxesFigure {
        let shift = |prediction: &Prediction<'_>, gene: &String| {
            let at = prediction.genes.iter().position(|known| known == gene)?;
            prediction.shifts.get(at).copied().filter(|shift| shift.is_finite())
        };
        let gene = |gene: &String| {
            let at = self.find(gene)?;
            Some(BoxedGene {
                label: gene.clone(),
                highlighted: selection.contains(gene),
                boxes: self.groups().map(|(_, group)| BoxStatistics::of(&group.changes(at))).collect(),
                marks: predictions.iter().map(|prediction| shift(prediction, gene)).collect(),
            })
        };
        BoxesFigure {
            title: format!("{}: {} largest measured shifts", self.perturbation, genes.len()),
            x_label: "Change against the mean control cell (log2)".to_owned(),
            series: self
                .groups()
                .map(|(kind, group)| BoxSeries {
                    label: format!("{} ({})", kind.label(), grouped(group.cells())),
                    kind,
                })
                .collect(),
            marks: predictions
                .iter()
                .map(|prediction| BoxMark { label: prediction.label.clone(), of_model: prediction.of_model })
                .collect(),
            genes: genes.iter().filter_map(gene).collect(),
            ..BoxesFigure::default()
        }
    }

    /// How `gene` is spread over the cells of each kind; none where it was not measured.
    pub fn gene_cells(&self, gene: &str) -> Option<GeneCellsFigure> {
        let at = self.find(gene)?;
        let group = |(kind, group): (CellGroupKind, &CellGroup)| GeneCells { kind, values: group.values(at) };
        Some(GeneCellsFigure {
            title: format!("{gene} under {}", self.perturbation),
            x_label: format!("{gene}, log2(10,000·x/Σx + 1)"),
            groups: self.groups().map(group).collect(),
            ..GeneCellsFigure::default()
        })
    }

    /// The boxes as tab-separated values.
    pub fn table(&self, genes: &[String]) -> String {
        let mut text =
            "gene\tgroup\tcells\tmean\tlower_whisker\tlower_quartile\tmedian\tupper_quartile\tupper_whisker\n"
                .to_owned();
        for (gene, at) in genes.iter().filter_map(|gene| Some((gene, self.find(gene)?))) {
            for (kind, group) in self.groups() {
                let Some(found) = BoxStatistics::of(&group.changes(at)) else { continue };
                let BoxStatistics { mean, whiskers: [low, high], quartiles: [first, median, third], cells } = found;
                let kind = kind.label().to_lowercase();
                text.push_str(&format!("{gene}\t{kind}\t{cells}\t{mean}\t{low}\t{first}\t{median}\t{third}\t{high}\n"));
            }
        }
        text
    }
}
