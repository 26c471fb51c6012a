use super::*;
use crate::data::{CellRole, EffectTable, PerturbationKind};
use crate::jobs::{Cancelled, ProgressUpdate, Silent};

/// No technical noise to speak of: many counts, no escape, no bad cells, no spread of the efficiency.
fn clean() -> SimulateConfig {
    SimulateConfig {
        genes: 60,
        perturbations: 12,
        cells: 1500,
        feedback: 0.0,
        efficiency_mean: 0.8,
        efficiency_spread: 0.0,
        escape_share: 0.0,
        ineffective_perturbations: 0,
        cell_variation: 0.1,
        state_variation: 0.0,
        library_mean: 50_000.0,
        dispersion: 0.02,
        low_quality_share: 0.0,
        doublet_share: 0.0,
        batch_effect: 0.0,
        unassigned_share: 0.0,
        ..SimulateConfig::default()
    }
}

fn run(config: &SimulateConfig) -> Simulated {
    simulate(config, &Silent).unwrap()
}

fn effects(dataset: &Dataset) -> EffectTable {
    let cells: Vec<u32> = (0..dataset.cell_count() as u32).collect();
    EffectTable::observed(dataset, &cells).unwrap()
}

/// Mean share of `gene` in the counts of `cells`.
fn mean_share(dataset: &Dataset, cells: &[u32], gene: usize) -> f64 {
    let share =
        |&cell: &u32| f64::from(dataset.matrix().get(cell as usize, gene)) / dataset.matrix().row_sum(cell as usize);
    cells.iter().map(share).sum::<f64>() / cells.len() as f64
}

#[test]
fn counts_of_a_perturbed_gene_change_by_the_efficiency() {
    for (kind, factor) in
        [(PerturbationKind::KnockOut, 0.2), (PerturbationKind::KnockDown, 0.2), (PerturbationKind::Activation, 3.4)]
    {
        let simulated = run(&SimulateConfig { kind, ..clean() });
        let dataset = &simulated.dataset;
        // A gene's share also moves with the total of the others; genes that nothing regulates show that factor.
        let yardsticks: Vec<usize> =
            (0..dataset.gene_count()).filter(|&gene| dataset.genes().symbol(gene).starts_with("RP")).collect();
        let yardstick = |cells: &[u32]| yardsticks.iter().map(|&gene| mean_share(dataset, cells, gene)).sum::<f64>();
        let control = dataset.control_cells();
        for (perturbation, cells) in dataset.perturbations().iter().zip(dataset.cells_by_perturbation()) {
            let gene = dataset.genes().column(&perturbation.targets()[0]).unwrap();
            let ratio = mean_share(dataset, &cells, gene)
                / mean_share(dataset, &control, gene)
                / (yardstick(&cells) / yardstick(&control));
            assert!((ratio / factor - 1.0).abs() < 0.12, "{}: {ratio}, expected {factor}", perturbation.name());
        }
    }
}

#[test]
fn direct_targets_move_in_the_direction_of_their_sign() {
    for kind in [PerturbationKind::KnockOut, PerturbationKind::Activation] {
        for regulation in [Regulation::Hill { coefficient: 2.0 }, Regulation::LinearSaturating] {
            let simulated = run(&SimulateConfig { kind, regulation, strength: [1.0, 2.0], ..clean() });
            let (table, truth) = (effects(&simulated.dataset), &simulated.truth);
            let (mut right, mut tested, mut alone) = (0, 0, 0);
            for edge in truth.edges() {
                let Some(row) = table.find(&edge.regulator) else { continue };
                let shift = table.row(row)[simulated.dataset.genes().column(&edge.target).unwrap()];
                let moved = shift * kind.direction() * if edge.activates { 1.0 } else { -1.0 };
                tested += 1;
                right += usize::from(moved > 0.0);
                // Longer paths may outweigh a direct edge; without one it must show.
                if paths(truth, &edge.regulator, &edge.target) == 1 {
                    alone += 1;
                    assert!(moved > 0.1, "{edge:?} moved by {shift} ({kind:?}, {regulation:?})");
                }
            }
            assert!(tested > 40 && alone > 25 && right * 10 >= tested * 9, "{right} of {tested}, {alone} alone");
        }
    }
}

/// Number of paths from `from` to `to` in a network without cycles.
fn paths(truth: &TrueNetwork, from: &str, to: &str) -> usize {
    let out = truth.edges().iter().filter(|edge| edge.regulator == from);
    out.map(|edge| if edge.target == to { 1 } else { paths(truth, &edge.target, to) }).sum()
}

#[test]
fn guides_that_do_nothing_shift_nothing() {
    let config = clean();
    let simulated = run(&SimulateConfig { ineffective_perturbations: config.perturbations, ..config });
    assert!(simulated.efficiencies.iter().all(|&efficiency| efficiency == 0.0));
    let table = effects(&simulated.dataset);
    let largest = table.shifts.iter().fold(0.0f32, |largest, shift| largest.max(shift.abs()));
    assert!(largest < 0.35, "{largest}");
    let mean = table.shifts.iter().sum::<f32>() / table.shifts.len() as f32;
    assert!(mean.abs() < 0.01, "{mean}");
}

#[test]
fn the_same_seed_gives_the_same_screen_whatever_the_number_of_threads() {
    let config = SimulateConfig { combinations: 2, ..SimulateConfig::small() };
    let on =
        |threads: usize| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| run(&config));
    let (one, three) = (on(1), on(3));
    assert_eq!(one.dataset.hash(), three.dataset.hash());
    assert_eq!(one.cell_facts, three.cell_facts);
    assert_eq!(one.truth, three.truth);
    let other = run(&SimulateConfig { seed: 2, ..config });
    assert_ne!(one.dataset.hash(), other.dataset.hash());
    assert_ne!(one.truth, other.truth);
}

#[test]
fn totals_follow_the_library_sizes() {
    let simulated = run(&SimulateConfig { dispersion: 0.0, ..SimulateConfig::small() });
    let totals = simulated.dataset.matrix().row_sums();
    for (total, facts) in totals.iter().zip(&simulated.cell_facts) {
        let library = f64::from(facts.library_size);
        assert!((total - library).abs() < 5.0 * library.sqrt(), "{total} counts, library {library}");
    }
    let good = simulated.cell_facts.iter().filter(|facts| !facts.low_quality && !facts.doublet);
    let sizes: Vec<f64> = good.map(|facts| f64::from(facts.library_size)).collect();
    let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
    assert!((mean / 2500.0 - 1.0).abs() < 0.06, "{mean}");
}

#[test]
fn the_default_screen_is_as_its_settings_say() {
    let config = SimulateConfig { combinations: 3, ..SimulateConfig::default() };
    let simulated = run(&config);
    let dataset = &simulated.dataset;
    assert_eq!((dataset.cell_count(), dataset.gene_count(), dataset.perturbations().len()), (3000, 200, 43));
    assert_eq!(dataset.control_cells().len(), 600);
    assert_eq!(dataset.unassigned_cells().len(), 90);
    assert!(dataset.cells_by_perturbation().iter().all(|cells| cells.len() > 20));
    assert_eq!(simulated.efficiencies.iter().filter(|&&efficiency| efficiency == 0.0).count(), 2);
    for (cell, facts) in simulated.cell_facts.iter().enumerate() {
        let role = dataset.roles()[cell];
        assert!(role == facts.role || (role == CellRole::Unassigned && facts.role != CellRole::Unassigned));
    }

    let edges = simulated.truth.edges();
    let repressing = edges.iter().filter(|edge| !edge.activates).count() as f64 / edges.len() as f64;
    assert!((repressing - 0.35).abs() < 0.1, "{repressing}");
    assert!(edges.iter().all(|edge| (0.6..=2.0).contains(&edge.strength) && edge.regulator != edge.target));
    assert!((edges.len() as f64 / 50.0 - 6.0).abs() < 0.5, "{} edges", edges.len());
    let perturbed = |symbol: &str| dataset.perturbations()[..40].iter().any(|one| one.name() == symbol);
    let among = edges.iter().filter(|edge| perturbed(&edge.regulator) && perturbed(&edge.target)).count();
    let density = among as f64 / (40.0 * 39.0);
    assert!((0.03..=0.08).contains(&density), "density {density}");

    let mitochondrial: Vec<usize> = (0..200).filter(|&gene| dataset.genes().symbol(gene).starts_with("MT-")).collect();
    assert_eq!(mitochondrial.len(), 4);
    let share = |cell: usize| {
        let counts: f32 = mitochondrial.iter().map(|&gene| dataset.matrix().get(cell, gene)).sum();
        f64::from(counts) / dataset.matrix().row_sum(cell)
    };
    let low: Vec<usize> = (0..3000).filter(|&cell| simulated.cell_facts[cell].low_quality).collect();
    assert!((90..160).contains(&low.len()), "{}", low.len());
    let mean = low.iter().map(|&cell| share(cell)).sum::<f64>() / low.len() as f64;
    assert!(mean > 0.25, "{mean}");
}

#[test]
fn hubs_grow_as_the_exponent_falls_and_the_mean_stays() {
    let degrees = |degree_exponent: f64| {
        let config = SimulateConfig { genes: 1000, degree_exponent, ..SimulateConfig::default() };
        wiring::Wiring::draw(&config).out_degrees()
    };
    let (steep, flat) = (degrees(6.0), degrees(2.1));
    assert!(flat.iter().max() > steep.iter().max().map(|most| most * 2).as_ref());
    for degrees in [steep, flat] {
        let mean = degrees.iter().sum::<usize>() as f64 / degrees.len() as f64;
        assert!((mean - 6.0).abs() < 0.3, "{mean}");
        assert!(degrees.iter().all(|&degree| degree >= 1));
    }
}

#[test]
fn without_feedback_there_is_no_cycle() {
    let config = SimulateConfig { feedback: 0.0, ..SimulateConfig::default() };
    let wiring = wiring::Wiring::draw(&config);
    let mut left: Vec<_> = wiring.links.iter().filter(|link| link.target < wiring.regulators).collect();
    let mut genes: Vec<usize> = (0..wiring.regulators).collect();
    while !genes.is_empty() {
        let (top, rest): (Vec<usize>, Vec<usize>) =
            genes.iter().partition(|&&gene| left.iter().all(|link| link.target != gene));
        assert!(!top.is_empty(), "a cycle among {rest:?}");
        left.retain(|link| !top.contains(&link.regulator));
        genes = rest;
    }
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let message = |config: SimulateConfig| simulate(&config, &Silent).unwrap_err().to_string();
    let default = SimulateConfig::default;
    assert_eq!(
        message(SimulateConfig { repression_share: 1.4, ..default() }),
        "repression_share is 1.4, but must be between 0 and 1"
    );
    assert!(message(SimulateConfig { library_mean: f64::NAN, ..default() }).starts_with("library_mean is NaN"));
    assert!(message(SimulateConfig { genes: 30, ..default() }).contains("do not fit into 30 genes"));
    assert!(message(SimulateConfig { regulators: Some(190), ..default() }).contains("do not fit"));
    assert!(message(SimulateConfig { regulators: Some(10), ..default() }).contains("at least 36"));
    assert!(message(SimulateConfig { cells: 40, ..default() }).contains("too few"));
    assert!(message(SimulateConfig { strength: [2.0, 1.0], ..default() }).contains("2 to 1"));
    assert!(message(SimulateConfig { combinations: 2, perturbations: 2, ..default() }).contains("combinations"));
    assert!(message(SimulateConfig { perturbations: 0, ..default() }).contains("perturbations is 0"));
}

#[test]
fn odd_but_valid_settings_give_a_screen() {
    let tiny = SimulateConfig {
        genes: 3,
        perturbations: 1,
        cells: 10,
        quality_genes: 0,
        bystander_share: 0.0,
        ineffective_perturbations: 0,
        ..SimulateConfig::default()
    };
    assert_eq!(run(&tiny).dataset.perturbations().len(), 1);
    let extreme = SimulateConfig {
        feedback: 1.0,
        strength: [3.0, 10.0],
        efficiency_mean: 1.0,
        library_mean: 1.0,
        dispersion: 5.0,
        regulation: Regulation::Hill { coefficient: 8.0 },
        ..SimulateConfig::small()
    };
    assert_eq!(run(&extreme).dataset.cell_count(), 400);
    let bystanders = SimulateConfig { bystander_share: 1.0, perturbations: 20, ..SimulateConfig::small() };
    assert_eq!(run(&bystanders).dataset.perturbations().len(), 20);
}

#[test]
fn settings_survive_toml_and_strangers_are_refused() {
    let config = SimulateConfig { regulation: Regulation::LinearSaturating, ..SimulateConfig::small() };
    let text = toml::to_string(&config).unwrap();
    assert_eq!(toml::from_str::<SimulateConfig>(&text).unwrap(), config);
    assert!(toml::from_str::<SimulateConfig>("cels = 3").is_err());
    let hill = toml::from_str::<SimulateConfig>("regulation = { function = \"hill\", coefficient = 4.0 }").unwrap();
    assert_eq!(hill.regulation, Regulation::Hill { coefficient: 4.0 });
}

#[test]
fn cancelling_ends_it() {
    struct Stopped;
    impl Progress for Stopped {
        fn report(&self, _: ProgressUpdate) {}
        fn is_cancelled(&self) -> bool {
            true
        }
        fn should_stop(&self) -> bool {
            true
        }
    }
    assert_eq!(simulate(&SimulateConfig::small(), &Stopped).unwrap_err(), SimulateError::Cancelled(Cancelled));
}
