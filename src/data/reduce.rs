//! Screens too large to be held whole: what is measured of all of it in passing, and which genes are kept.
//!
//! The perturbed genes are always kept; of the others those that somebody else ranks first ([`RankGenes`]: this room knows
//! no statistics). Library sizes and shares of gene families are those over all genes of the file ([`WholeCells`]), so
//! that quality control and normalisation are the same whatever is kept.

use serde::{Deserialize, Serialize};

use super::{GeneFamily, Genes, median};

/// How many genes of a file are held in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeptGenes {
    /// The perturbed genes and the most variable others, so many together.
    Count(usize),
    /// All, even if they do not fit.
    All(AllGenes),
}

impl KeptGenes {
    /// All of them.
    pub const ALL: Self = Self::All(AllGenes::All);
}

/// The word `all` in settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AllGenes {
    /// `all`.
    All,
}

impl std::fmt::Display for KeptGenes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::All(_) => f.write_str("all"),
        }
    }
}

impl std::str::FromStr for KeptGenes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "all" => Ok(Self::ALL),
            number => match number.parse() {
                Ok(count) if count > 0 => Ok(Self::Count(count)),
                _ => Err(format!("{text:?} is neither a number of genes nor the word all")),
            },
        }
    }
}

/// What is known of the cells from all genes of the file, also those that are not kept; one entry per cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WholeCells {
    /// Genes of the file.
    pub genes: usize,
    /// Sum of counts.
    pub total_counts: Vec<f64>,
    /// Genes with a count.
    pub detected_genes: Vec<u32>,
    /// Sum of the counts of each family, in the order of [`GeneFamily::ALL`].
    pub family_counts: [Vec<f64>; 3],
}

impl WholeCells {
    /// Those of `rows` only, in that order.
    pub fn select(&self, rows: &[u32]) -> Self {
        fn pick<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|&row| values[row as usize]).collect()
        }
        Self {
            genes: self.genes,
            total_counts: pick(&self.total_counts, rows),
            detected_genes: pick(&self.detected_genes, rows),
            family_counts: self.family_counts.each_ref().map(|counts| pick(counts, rows)),
        }
    }
}

/// Sums over cells of the normalised values of each gene.
///
/// Counts are divided by their cell's sum and multiplied by the median sum; of log-normalised values the logarithm is
/// undone.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneMoments {
    /// Number of cells.
    pub cells: usize,
    /// Cells with a stored value, per gene.
    pub present: Vec<u32>,
    /// Σ x, per gene.
    pub first: Vec<f64>,
    /// Σ x², per gene.
    pub second: Vec<f64>,
}

/// Tells which genes are worth keeping.
pub trait RankGenes: Sync {
    /// All genes (positions), the most variable first.
    fn rank(&self, genes: &GeneMoments) -> Vec<u32>;
}

/// What a large screen must fit into.
#[derive(Clone, Copy)]
pub struct Room<'a> {
    /// Bytes that the matrix may take.
    pub bytes: u64,
    /// Which genes go first.
    pub rank: &'a dyn RankGenes,
    /// These and no others, whatever fits: those of a model that was trained on a part.
    pub genes: Option<&'a [String]>,
}

/// Bytes that a stored value takes: a column and a count.
pub(super) const BYTES_PER_VALUE: u64 = 6;

/// Collects [`WholeCells`] and [`GeneMoments`] while a matrix streams by.
pub(super) struct Measuring {
    family: Vec<Option<u8>>,
    cells: WholeCells,
    moments: GeneMoments,
    /// Whether values are logarithms.
    is_log: bool,
}

impl Measuring {
    pub(super) fn new(genes: &Genes, cells: usize, is_log: bool) -> Self {
        let family = |symbol: &str| GeneFamily::ALL.iter().position(|family| family.holds(symbol)).map(|at| at as u8);
        let count = genes.len();
        Self {
            family: genes.iter().map(|gene| family(&gene.symbol)).collect(),
            cells: WholeCells {
                genes: count,
                total_counts: vec![0.0; cells],
                detected_genes: vec![0; cells],
                family_counts: std::array::from_fn(|_| vec![0.0; cells]),
            },
            moments: GeneMoments {
                cells: 0,
                present: vec![0; count],
                first: vec![0.0; count],
                second: vec![0.0; count],
            },
            is_log,
        }
    }

    /// Count a value towards its cell.
    pub(super) fn add_to_cell(&mut self, cell: usize, gene: usize, value: f64) {
        if value == 0.0 {
            return;
        }
        self.cells.total_counts[cell] += value;
        self.cells.detected_genes[cell] += 1;
        if let Some(family) = self.family[gene] {
            self.cells.family_counts[usize::from(family)][cell] += value;
        }
    }

    /// Count a value towards its gene; all values of the cell were counted towards the cell before.
    pub(super) fn add_to_gene(&mut self, cell: usize, gene: usize, value: f64) {
        let total = self.cells.total_counts[cell];
        if value == 0.0 || total <= 0.0 {
            return;
        }
        let value = if self.is_log { value.exp_m1() } else { value / total };
        self.moments.present[gene] += 1;
        self.moments.first[gene] += value;
        self.moments.second[gene] += value * value;
    }

    /// The end: `counted` cells were counted towards the genes.
    pub(super) fn finish(mut self, counted: impl Iterator<Item = usize>) -> (WholeCells, GeneMoments) {
        let mut totals: Vec<f64> = counted.map(|cell| self.cells.total_counts[cell]).collect();
        self.moments.cells = totals.len();
        totals.retain(|total| *total > 0.0);
        let target = median(totals).unwrap_or(1.0);
        if !self.is_log {
            self.moments.first.iter_mut().for_each(|sum| *sum *= target);
            self.moments.second.iter_mut().for_each(|sum| *sum *= target * target);
        }
        (self.cells, self.moments)
    }
}

/// Which genes to keep: `always`, then the others in the order of `rank` until there are `most` or their values (for gene g
/// `present[g]` of them) fill `bytes`. Rising; with the number of values.
pub(super) fn choose_genes(
    rank: &[u32],
    always: &[u32],
    present: &[u32],
    most: Option<usize>,
    bytes: u64,
) -> (Vec<u32>, usize) {
    let mut taken = vec![false; present.len()];
    let (mut kept, mut values) = (Vec::new(), 0);
    let most = most.unwrap_or(usize::MAX);
    for (at, &gene) in always.iter().chain(rank).enumerate() {
        let needed = present[gene as usize] as usize;
        let fits = kept.len() < most && (values + needed) as u64 * BYTES_PER_VALUE <= bytes;
        if taken[gene as usize] || !(fits || at < always.len()) {
            continue;
        }
        taken[gene as usize] = true;
        kept.push(gene);
        values += needed;
    }
    kept.sort_unstable();
    (kept, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perturbed_genes_come_first_and_the_rest_until_the_room_is_full() {
        let present = [10, 20, 30, 40, 50];
        let rank = [4, 3, 2, 1, 0];
        assert_eq!(choose_genes(&rank, &[0], &present, Some(3), u64::MAX), (vec![0, 3, 4], 100));
        assert_eq!(choose_genes(&rank, &[0], &present, None, 90 * 6), (vec![0, 2, 4], 90));
        assert_eq!(choose_genes(&rank, &[0, 1], &present, Some(1), 0), (vec![0, 1], 30));
    }

    #[test]
    fn settings_are_a_number_or_all() {
        assert_eq!("5000".parse(), Ok(KeptGenes::Count(5000)));
        assert_eq!("all".parse(), Ok(KeptGenes::ALL));
        assert!("0".parse::<KeptGenes>().is_err() && "many".parse::<KeptGenes>().is_err());
        assert_eq!(serde_json::to_string(&[KeptGenes::ALL, KeptGenes::Count(7)]).unwrap(), r#"["all",7]"#);
        let back: Vec<KeptGenes> = serde_json::from_str(r#"["all",7]"#).unwrap();
        assert_eq!(back, [KeptGenes::ALL, KeptGenes::Count(7)]);
    }

    #[test]
    fn moments_are_of_values_scaled_to_the_median_sum() {
        let genes = Genes::new(["MT-CO1", "STAT1"].into_iter().map(super::super::Gene::named).collect());
        let mut measuring = Measuring::new(&genes, 3, false);
        let cells = [[1.0, 3.0], [0.0, 8.0], [2.0, 0.0]];
        for (cell, values) in cells.iter().enumerate() {
            values.iter().enumerate().for_each(|(gene, &value)| measuring.add_to_cell(cell, gene, value));
            values.iter().enumerate().for_each(|(gene, &value)| measuring.add_to_gene(cell, gene, value));
        }
        let (whole, moments) = measuring.finish(0..3);
        assert_eq!(whole.total_counts, [4.0, 8.0, 2.0]);
        assert_eq!(whole.detected_genes, [2, 1, 1]);
        assert_eq!(whole.family_counts[0], [1.0, 0.0, 2.0]);
        assert_eq!(moments.present, [2, 2]);
        assert_eq!(moments.first, [1.0 + 4.0, 3.0 + 4.0]);
        assert_eq!(moments.second, [1.0 + 16.0, 9.0 + 16.0]);
    }
}
