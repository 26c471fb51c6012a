//! A simulated screen from end to end: its true network must be findable by the plainest method, but not trivially.

use grn_explorer::data::simulate::{SimulateConfig, Simulated, simulate};
use grn_explorer::data::{CellRole, EffectTable, PerturbationKind};
use grn_explorer::jobs::Silent;
use grn_explorer::network::recovery::{Recovery, sign_accuracy};
use grn_explorer::network::sign::{ShiftEvidence, sign_of};
use grn_explorer::network::{Sign, formats};

/// Every ordered pair of two perturbed genes, scored by the mean difference |shift|, with its given and true sign.
fn mean_difference(simulated: &Simulated) -> (Vec<(f64, bool)>, Vec<(Sign, Sign)>) {
    let dataset = &simulated.dataset;
    let cells: Vec<u32> = (0..dataset.cell_count() as u32).collect();
    let table = EffectTable::observed(dataset, &cells).unwrap();
    let genes: Vec<&str> = dataset
        .perturbations()
        .iter()
        .filter(|one| one.targets().len() == 1)
        .map(|one| one.targets()[0].as_str())
        .collect();
    let (mut candidates, mut signs) = (Vec::new(), Vec::new());
    for &regulator in &genes {
        let row = table.row(table.find(regulator).unwrap());
        for &target in genes.iter().filter(|&&target| target != regulator) {
            let shift = row[dataset.genes().column(target).unwrap()];
            let truth = simulated.truth.edge(regulator, target);
            candidates.push((f64::from(shift.abs()), truth.is_some()));
            if let Some(edge) = truth {
                let evidence = ShiftEvidence { shift, significant: shift.abs() > 0.3 };
                let truth = if edge.activates { Sign::Activates } else { Sign::Represses };
                signs.push((sign_of(dataset.kind(), Some(evidence), None).0, truth));
            }
        }
    }
    (candidates, signs)
}

#[test]
fn the_mean_difference_finds_much_of_the_network_but_not_all() {
    for seed in 1..=3 {
        let simulated = simulate(&SimulateConfig { seed, ..SimulateConfig::default() }, &Silent).unwrap();
        let (candidates, signs) = mean_difference(&simulated);
        let recovery = Recovery::of(&candidates);
        let (density, auprc) = (recovery.density().unwrap(), recovery.auprc.unwrap());
        let right = sign_accuracy(signs).unwrap();
        println!("seed {seed}: density {density:.3}, {recovery:?}, signs right {right:.3}");
        assert!((0.03..0.08).contains(&density), "density {density}");
        assert!(auprc > 5.0 * density && auprc < 0.9, "{auprc} at density {density}");
        assert!(recovery.auroc.unwrap() > 0.8);
        assert!(right > 0.9, "{right}");
    }
}

#[test]
fn activation_is_read_with_the_opposite_sign() {
    let config = SimulateConfig { kind: PerturbationKind::Activation, seed: 5, ..SimulateConfig::default() };
    let (candidates, signs) = mean_difference(&simulate(&config, &Silent).unwrap());
    assert!(Recovery::of(&candidates).auprc_ratio().unwrap() > 3.0);
    assert!(sign_accuracy(signs).unwrap() > 0.8);
}

#[test]
fn combinations_are_conditions_of_their_own() {
    let config = SimulateConfig { combinations: 3, ..SimulateConfig::small() };
    let simulated = simulate(&config, &Silent).unwrap();
    let perturbations = simulated.dataset.perturbations();
    let doubles: Vec<_> = perturbations.iter().filter(|one| one.targets().len() == 2).collect();
    assert_eq!((perturbations.len(), doubles.len()), (11, 3));
    for double in doubles {
        for target in double.targets() {
            assert!(perturbations.iter().any(|one| one.targets() == [target.clone()]), "{target} alone");
        }
        assert!(
            simulated
                .cell_facts
                .iter()
                .any(|facts| { facts.role.perturbation().is_some_and(|index| perturbations[index] == *double) })
        );
    }
    assert!(simulated.dataset.roles().contains(&CellRole::Unassigned));
    assert_eq!(formats::true_network(&simulated.truth).edges().len(), simulated.truth.edges().len());
}
