use super::*;
use crate::data::simulate::{SimulateConfig, simulate};
use crate::jobs::Silent;

/// A screen with pairs, in which some genes' guides do nothing: their pairs are what the other gene does alone, additive on any
/// scale.
fn screen(seed: u64) -> (Arc<Dataset>, BTreeSet<String>) {
    let config = SimulateConfig {
        genes: 60,
        perturbations: 14,
        ineffective_perturbations: 5,
        combinations: 40,
        cells: 2600,
        seed,
        ..SimulateConfig::small()
    };
    let simulated = simulate(&config, &Silent).unwrap();
    let idle = simulated.efficiencies.iter().zip(simulated.dataset.perturbations());
    let idle = idle.filter(|(efficiency, _)| **efficiency == 0.0).map(|(_, one)| one.name()).collect();
    (Arc::new(simulated.dataset), idle)
}

#[test]
fn pairs_with_a_gene_that_does_nothing_are_additive_and_others_interact() {
    let (dataset, idle) = screen(5);
    let found = interactions(Some(&dataset), None, &InteractionOptions::default(), &Silent).unwrap();
    assert_eq!(found.pairs.len() + found.left_out.len(), 40);
    let [mut null, mut clear] = [(0, 0); 2];
    for pair in &found.pairs {
        let measured = pair.measured.as_ref().unwrap();
        let counts = if pair.targets.iter().any(|gene| idle.contains(gene)) { &mut null } else { &mut clear };
        counts.0 += 1;
        counts.1 += usize::from(measured.adjusted_p < 0.05);
        assert!((measured.class == InteractionClass::Additive) == (measured.adjusted_p >= 0.05));
    }
    assert!(null.0 >= 10 && clear.0 >= 10, "{null:?} {clear:?}");
    // Most pairs of knock-outs that work are close to additive too: what they do to a common target multiplies.
    assert!(null.1 <= 1 && clear.1 >= 1, "null {null:?}, others {clear:?}");
    let p: Vec<f64> = found.pairs.iter().filter_map(|pair| Some(pair.measured.as_ref()?.p)).collect();
    assert!(p.windows(2).all(|pair| pair[0] <= pair[1]));

    // One pair alone is judged as it is among others.
    let one = found.pairs[3].clone();
    let options =
        InteractionOptions { pairs: Pairs::Named(vec![one.targets.clone()]), ..InteractionOptions::default() };
    let alone = interactions(Some(&dataset), None, &options, &Silent).unwrap();
    let (alone, one) = (alone.pairs[0].measured.clone().unwrap(), one.measured.unwrap());
    assert_eq!((alone.p, alone.deviations, alone.adjusted_p), (one.p, one.deviations, one.p));
}

#[test]
fn tables_tell_every_pair_and_gene() {
    let (dataset, _) = screen(6);
    let found = interactions(Some(&dataset), None, &InteractionOptions::default(), &Silent).unwrap();
    let text = pair_table(&found);
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    assert!(rows.len() == found.pairs.len() + 1 && rows.iter().all(|row| row.len() == rows[0].len()));
    let genes = gene_table(&found);
    let rows: Vec<Vec<&str>> = genes.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), found.pairs.len() * 58 + 1, "the perturbed genes are left out");
    for row in &rows[1..] {
        let number = |at: usize| row[at].parse::<f64>().unwrap();
        assert!((number(2) + number(3) - number(5)).abs() < 1e-4 && row.len() == rows[0].len());
        if !row[6].is_empty() {
            assert!((number(4) - number(5) - number(6)).abs() < 1e-4);
        }
    }
    let json = json(&found, 3);
    assert_eq!(json["pairs"][0]["genes"].as_array().unwrap().len(), 3);
    assert_eq!(json["pairs"][0]["pair"], found.pairs[0].name());
}

#[test]
fn what_cannot_be_told_says_what_to_do() {
    let config = SimulateConfig::small();
    let singles = Arc::new(simulate(&config, &Silent).unwrap().dataset);
    let ask =
        |options: InteractionOptions| interactions(Some(&singles), None, &options, &Silent).unwrap_err().to_string();
    assert!(ask(InteractionOptions::default()).contains("no two genes together"));
    let gene = singles.perturbations()[0].name();
    let named = Pairs::Named(vec![[gene.clone(), format!("{gene}x")]]);
    assert!(
        ask(InteractionOptions { pairs: named, ..InteractionOptions::default() })
            .contains(&format!("did you mean {gene}"))
    );
    let all = InteractionOptions { pairs: Pairs::All, ..InteractionOptions::default() };
    assert!(ask(all).contains("takes a model"));
    assert!(interactions(None, None, &InteractionOptions::default(), &Silent).is_err());

    let model = TrainedModel::open(std::path::Path::new("sample_data/sample_model.safetensors")).unwrap();
    let [a, b] = [0, 1].map(|at| model.card().perturbations[at].targets[0].clone());
    let options =
        InteractionOptions { pairs: Pairs::Named(vec![[b.clone(), a.clone()]]), ..InteractionOptions::default() };
    let found = interactions(None, Some(&model), &options, &Silent).unwrap();
    let predicted = found.pairs[0].predicted.as_ref().unwrap();
    assert!(
        found.pairs[0].targets == [a.clone().min(b.clone()), a.max(b)] && predicted.novelty == Novelty::NewCombination
    );
    assert_eq!((predicted.shifts[2].len(), found.genes.len()), (model.card().genes.len(), model.card().genes.len()));
    assert!(found.notes.iter().any(|note| note.contains("hypothesis")));
}
