//! Who regulates whom: a signed, sparse network with a scale-free out-degree.

use std::ops::Range;

use rand::RngExt;
use rand::seq::SliceRandom;

use super::SimulateConfig;
use crate::random;

/// An edge between gene columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Link {
    pub regulator: usize,
    pub target: usize,
    pub activates: bool,
    /// log2 change of the target's production when the regulator is lost.
    pub strength: f64,
}

/// The genes and the edges among them. Columns: regulators, then other genes, then quality genes.
#[derive(Clone, Debug)]
pub(super) struct Wiring {
    pub symbols: Vec<String>,
    pub regulators: usize,
    /// Columns of mitochondrial, ribosomal and haemoglobin genes.
    pub mitochondrial: Range<usize>,
    pub ribosomal: Range<usize>,
    pub haemoglobin: Range<usize>,
    /// Sorted by regulator, then target.
    pub links: Vec<Link>,
}

impl Wiring {
    pub fn draw(config: &SimulateConfig) -> Self {
        let regulators = config.regulator_count();
        let ordinary = config.genes - config.quality_genes;
        let mut wiring = Self {
            symbols: Vec::with_capacity(config.genes),
            regulators,
            mitochondrial: 0..0,
            ribosomal: 0..0,
            haemoglobin: 0..0,
            links: Vec::new(),
        };
        wiring.name_genes(config);
        let rng = &mut random::stream(config.seed, "simulate wiring");
        let mut place: Vec<usize> = (0..regulators).collect();
        place.shuffle(rng);
        // A regulator below weighs as much more as one above weighs less: the mean preference stays as set.
        let below = config.regulator_preference * 2.0 / (1.0 + config.feedback);
        let above = below * config.feedback;
        for (regulator, degree) in degrees(config, regulators, ordinary - 1).into_iter().enumerate() {
            // Weighted choice without repetition (Efraimidis and Spirakis 2006): the largest ln(u)/weight win.
            let mut keys = Vec::with_capacity(ordinary);
            for target in (0..ordinary).filter(|&target| target != regulator) {
                let weight = match target < regulators {
                    true if place[target] > place[regulator] => below,
                    true => above,
                    false => 1.0,
                };
                let draw: f64 = rng.random();
                if weight > 0.0 {
                    keys.push(((1.0 - draw).ln() / weight, target));
                }
            }
            keys.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let mut targets: Vec<usize> = keys.iter().take(degree).map(|&(_, target)| target).collect();
            targets.sort_unstable();
            for target in targets {
                let activates = rng.random::<f64>() >= config.repression_share;
                let [weakest, strongest] = config.strength;
                let strength = weakest + (strongest - weakest) * rng.random::<f64>();
                wiring.links.push(Link { regulator, target, activates, strength });
            }
        }
        wiring
    }

    fn name_genes(&mut self, config: &SimulateConfig) {
        let quality = config.quality_genes;
        let mitochondrial = quality.div_ceil(3);
        let haemoglobin = (quality - mitochondrial) / 4;
        let small = (quality - mitochondrial - haemoglobin) / 2;
        let large = quality - mitochondrial - haemoglobin - small;
        let width = config.genes.to_string().len().max(3);
        let mut add = |prefix: &str, count: usize, first: usize, width: usize| {
            let start = self.symbols.len();
            self.symbols.extend((0..count).map(|at| format!("{prefix}{:0width$}", first + at)));
            start..self.symbols.len()
        };
        add("TF", self.regulators, 1, width);
        add("GENE", config.genes - quality - self.regulators, 1, width);
        self.mitochondrial = add("MT-SIM", mitochondrial, 1, 1);
        // Numbers beyond those of real ribosomal and haemoglobin genes.
        let start = add("RPS", small, 901, 3).start;
        self.ribosomal = start..add("RPL", large, 901, 3).end;
        self.haemoglobin = add("HB", haemoglobin, 901, 3);
    }

    /// Number of targets of each regulator.
    pub fn out_degrees(&self) -> Vec<usize> {
        let mut degrees = vec![0; self.regulators];
        for link in &self.links {
            degrees[link.regulator] += 1;
        }
        degrees
    }
}

/// Scale-free numbers of targets, each from 1 to `most`, their mean as set (as far as the bounds allow).
fn degrees(config: &SimulateConfig, regulators: usize, most: usize) -> Vec<usize> {
    let rng = &mut random::stream(config.seed, "simulate degrees");
    let tail = -1.0 / (config.degree_exponent - 1.0);
    let heavy: Vec<f64> = (0..regulators).map(|_| (1.0 - rng.random::<f64>()).powf(tail)).collect();
    let thresholds: Vec<f64> = (0..regulators).map(|_| rng.random()).collect();
    let most = most.max(1) as f64;
    let bounded = |scale: f64| heavy.iter().map(move |weight| (weight * scale).clamp(1.0, most));
    let wanted = config.mean_targets * regulators as f64;
    // The sum rises with the scale: halve the interval of its logarithm.
    let (mut low, mut high) = (1e-9f64.ln(), 1e9f64.ln());
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if bounded(middle.exp()).sum::<f64>() < wanted { low = middle } else { high = middle }
    }
    // Round up with the probability of the fraction: the mean survives.
    let whole = |(value, threshold): (f64, &f64)| (value + threshold).floor().clamp(1.0, most) as usize;
    bounded(high.exp()).zip(&thresholds).map(whole).collect()
}
