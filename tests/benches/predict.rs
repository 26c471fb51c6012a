//! How fast a knock-out is answered for 5,000 genes, and a wave found: `cargo bench --bench predict`.
//!
//! Models with first values instead of learned ones, of 300 treatments and of 5,000: the time does not depend on the values.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Instant;

use candle_core::Device;
use criterion::{Criterion, criterion_group, criterion_main};
use grn_explorer::jobs::Silent;
use grn_explorer::models::gpo_vae::{GpoVae, GpoVaeConfig, Predictor, Sizes};
use grn_explorer::models::nn::parameters::Source;
use grn_explorer::network::wave::wave;
use grn_explorer::network::{Edge, GeneId, Grn, NetworkGene, Sign, SignEvidence};
use grn_explorer::random;
use rand::RngExt;

const GENES: usize = 5000;

fn answers(criterion: &mut Criterion) {
    let libraries: Vec<f32> = (0..1000).map(|at| 4000.0 + 12.0 * at as f32).collect();
    let mut group = criterion.benchmark_group("predict");
    group.sample_size(10);
    for treatments in [300, 5000] {
        let sizes = Sizes { genes: GENES, treatments };
        let source = Source::Random(Box::new(random::stream(1, "bench")));
        let model = GpoVae::new(sizes, &GpoVaeConfig::default(), source, &Device::Cpu).expect("a model");
        let start = Instant::now();
        let predictor = Predictor::new(&model, &libraries, 1).expect("a predictor");
        eprintln!("{treatments} treatments: made ready once in {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
        let mut treatment = 0;
        group.bench_function(format!("a gene not asked about before, {treatments} treatments"), |bench| {
            bench.iter(|| {
                treatment = (treatment + 1) % treatments;
                black_box(predictor.shifts(&model, &[(treatment, 1.0)], &[], &Silent).expect("an answer"))
            });
        });
        for (name, doses) in [("one gene", 1), ("three genes", 3)] {
            let mut dose = 0.0;
            group.bench_function(format!("another dose of {name}, {treatments} treatments"), |bench| {
                bench.iter(|| {
                    dose += 1e-3;
                    let doses: Vec<(usize, f32)> = (0..doses).map(|treatment| (treatment * 7, dose)).collect();
                    black_box(predictor.shifts(&model, &doses, &[], &Silent).expect("an answer"))
                });
            });
        }
    }
    group.finish();
}

/// The wave from one gene through a network of 5,000 genes: the whole of it once, and what a step then takes from a frame.
fn waves(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wave");
    group.sample_size(10);
    for edges in [50_000, 200_000] {
        let mut random = random::stream(1, "wave bench");
        let mut below = |most: usize| ((random.random::<f64>() * most as f64) as u32).min(most as u32 - 1);
        let mut pairs = BTreeSet::new();
        while pairs.len() < edges {
            pairs.insert((below(GENES), below(GENES)));
        }
        let edge = |(at, (from, to)): (usize, (u32, u32))| Edge {
            sign: Sign::Activates,
            evidence: SignEvidence::Measured,
            ..Edge::new(GeneId(from), GeneId(to), 0.95 - 0.4 * at as f32 / edges as f32)
        };
        let gene = |at: usize| NetworkGene { symbol: format!("GENE{at}"), ..NetworkGene::default() };
        let grn = Grn::new((0..GENES).map(gene).collect(), pairs.into_iter().enumerate().map(edge).collect());
        let grn = grn.expect("a network");
        let source = [(grn.edges()[0].regulator, 1.0)];
        group.bench_function(format!("all steps, {edges} edges"), |bench| {
            bench.iter(|| black_box(wave(&grn, &source, &Silent).expect("a wave")));
        });
        let found = wave(&grn, &source, &Silent).expect("a wave");
        let mut step = 0;
        group.bench_function(format!("the carriers of a step among 50000 edges shown, {edges} edges"), |bench| {
            bench.iter(|| {
                step = step % found.last() + 1;
                black_box(grn.edges()[..50_000].iter().filter(|edge| found.is_carrier(edge, step)).count())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, answers, waves);
criterion_main!(benches);
