use std::collections::HashMap;

use candle_core::{Device, Tensor};
use rand::RngExt as _;

use super::*;
use crate::models::gpo_vae::trial::context;
use crate::models::gpo_vae::{BatchData, Footprint, GeneEffectsPrior, GpoVaeConfig, Likelihood, MaskParameters, Sizes};
use crate::models::nn::parameters::{Source, normal};
use crate::random;

/// A model away from its first values, and a batch with double perturbations, controls, failing cells and partners.
fn case(sizes: Sizes, config: &GpoVaeConfig, cells: usize, partners: bool) -> (GpoVae, Batch, Noise) {
    let (genes, treatments) = (sizes.genes, sizes.treatments);
    let draws = &mut random::stream(1, "case");
    let source = Source::Random(Box::new(random::stream(2, "parameters")));
    let model = GpoVae::new(sizes, config, source, &Device::Cpu).unwrap();
    for (name, var) in model.parameters().iter() {
        let noise = (normal(draws, var.shape(), &Device::Cpu).unwrap() * 0.1).unwrap();
        var.set(&(var.as_detached_tensor() + noise).unwrap()).unwrap();
        assert!(!name.starts_with("mask") || var.elem_count() == treatments * treatments);
    }
    let mut data = BatchData::default();
    for cell in 0..cells {
        let counts: Vec<f32> = (0..genes).map(|_| draws.random_range(-9..25).max(0) as f32).collect();
        data.standardised.extend(counts.iter().map(|count| count.ln_1p() - 0.7));
        data.library.push(counts.iter().sum::<f32>().max(1.0));
        data.counts.extend(counts);
        // The last treatment never occurs; every fifth cell is a control, every seventh has two.
        let mut treated = |count: usize| -> Vec<u32> {
            let mut chosen: Vec<u32> = (0..count).map(|_| draws.random_range(0..treatments as u32 - 1)).collect();
            chosen.sort_unstable();
            chosen.dedup();
            chosen
        };
        data.dosages.push(if cell % 5 == 4 { Vec::new() } else { treated(1 + usize::from(cell % 7 == 0)) });
        data.quality_failed.push(cell % 3 == 1);
        data.shifts.extend((0..treatments).map(|_| draws.random::<f32>() * 2.0));
        if partners && cell % 2 == 0 {
            data.partner_rows.push(cell as u32);
            data.partners.extend((0..genes).map(|_| draws.random::<f32>() - 0.5));
        }
    }
    let batch = Batch::new(data, &context(config, treatments));
    let noise = Noise::random(draws, sizes, config, &batch);
    (model, batch, noise)
}

fn small() -> GpoVaeConfig {
    GpoVaeConfig {
        gene_effects: 0.0,
        latent: 3,
        decoder_hidden: 9,
        basal_hidden: 8,
        embedding_hidden: 6,
        embedding_layers: 3,
        particles: 2,
        hops: 2,
        alignment: crate::models::gpo_vae::Alignment::Cells,
        ..GpoVaeConfig::default()
    }
}

fn plain(model: &GpoVae, batch: &Batch, noise: &Noise) -> (Vec<f64>, HashMap<String, Vec<f32>>) {
    let loss = model.loss(batch, noise).unwrap();
    let scalar = |term: &Tensor| f64::from(term.to_scalar::<f32>().unwrap());
    let terms = std::iter::once(&loss.total).chain(&loss.terms).map(scalar).collect();
    let found = loss.total.backward().unwrap();
    let of = |(name, var): (&str, &candle_core::Var)| {
        let gradient = found.get(var).map(|gradient| gradient.flatten_all().unwrap().to_vec1().unwrap());
        (name.to_owned(), gradient.unwrap_or_else(|| vec![0.0; var.elem_count()]))
    };
    (terms, model.parameters().iter().map(of).collect())
}

#[test]
fn a_step_holds_what_was_estimated_before_it() {
    let cases = [
        (small(), 24, true),
        (GpoVaeConfig { basal_layers: 3, decoder_layers: 3, embedding_layers: 1, ..small() }, 7, true),
        (GpoVaeConfig { likelihood: Likelihood::Poisson, beta: 0.0, ..small() }, 9, true),
        (GpoVaeConfig { gamma: 0.0, decoder_layers: 0, ..small() }, 9, false),
        (GpoVaeConfig { gene_effects: 0.1, ..small() }, 9, true),
        (GpoVaeConfig { likelihood: Likelihood::Normal, mean_field: true, ..small() }, 9, true),
        (GpoVaeConfig { mask: MaskParameters::Probabilities, sum_mode: true, latent: 6, ..small() }, 9, true),
        (GpoVaeConfig { mask: MaskParameters::Probabilities, gamma: 0.0, ..small() }, 9, true),
    ];
    let sizes = Sizes { genes: 37, treatments: 6 };
    for (config, cells, partners) in cases {
        let (model, batch, noise) = case(sizes, &config, cells, partners);
        let mut fused = FusedStep::new(&model).unwrap();
        fused.run(&model, &batch, &noise, true).unwrap();
        let footprint = Footprint { sizes, config: &config, step: batch.size() };
        assert_eq!(footprint.fused_step(), fused.held() as u64, "{config:?}");
    }
}

#[test]
fn fused_and_plain_agree_in_every_term_and_gradient() {
    let sizes = |genes, treatments| Sizes { genes, treatments };
    let cases = [
        ("as usual", sizes(37, 6), small(), 24, true),
        ("without partners", sizes(5, 3), small(), 7, false),
        ("one gene, two treatments, one cell", sizes(1, 2), small(), 1, true),
        (
            "deep",
            sizes(20, 5),
            GpoVaeConfig { basal_layers: 3, decoder_layers: 3, embedding_layers: 1, ..small() },
            11,
            true,
        ),
        ("Poisson", sizes(33, 4), GpoVaeConfig { likelihood: Likelihood::Poisson, ..small() }, 16, true),
        ("published", sizes(18, 4), GpoVaeConfig { alpha: None, particles: 3, hops: 5, ..small() }, 70, true),
        ("exact divergence", sizes(12, 4), GpoVaeConfig { exact_kl: true, hops: 0, ..small() }, 9, true),
        ("without weights", sizes(12, 4), GpoVaeConfig { beta: 0.0, gamma: 0.0, lambda: 0.0, ..small() }, 9, true),
        ("normal", sizes(19, 4), GpoVaeConfig { likelihood: Likelihood::Normal, alpha: None, ..small() }, 12, true),
        ("sum mode", sizes(14, 5), GpoVaeConfig { sum_mode: true, latent: 5, ..small() }, 13, true),
        ("mean field", sizes(14, 5), GpoVaeConfig { mean_field: true, ..small() }, 13, true),
        ("both", sizes(9, 3), GpoVaeConfig { mean_field: true, sum_mode: true, ..small() }, 8, true),
        (
            "direct shifts",
            sizes(14, 5),
            GpoVaeConfig { alignment: crate::models::gpo_vae::Alignment::DirectShifts, ..small() },
            13,
            true,
        ),
        ("cold masks", sizes(14, 5), GpoVaeConfig { mask_temperature: 0.4, ..small() }, 13, true),
        ("effects on genes", sizes(14, 5), GpoVaeConfig { gene_effects: 0.2, ..small() }, 13, true),
        (
            "effects on genes, flat prior",
            sizes(14, 5),
            GpoVaeConfig { gene_effects: 0.2, gene_effects_prior: GeneEffectsPrior::Cauchy, ..small() },
            13,
            true,
        ),
        (
            "effects on genes, normal",
            sizes(9, 3),
            GpoVaeConfig { gene_effects: 1.5, likelihood: Likelihood::Normal, ..small() },
            8,
            false,
        ),
        ("narrow effects", sizes(14, 5), GpoVaeConfig { effect_prior_scale: 0.3, ..small() }, 13, true),
        ("probabilities", sizes(14, 6), GpoVaeConfig { mask: MaskParameters::Probabilities, ..small() }, 25, true),
        (
            "probabilities, deep, warm",
            sizes(7, 9),
            GpoVaeConfig {
                mask: MaskParameters::Probabilities,
                hops: 4,
                mask_temperature: 1.7,
                effect_prior_scale: 2.0,
                ..small()
            },
            14,
            true,
        ),
        (
            "probabilities, two treatments",
            sizes(7, 2),
            GpoVaeConfig { mask: MaskParameters::Probabilities, hops: 0, ..small() },
            14,
            false,
        ),
    ];
    for (name, sizes, config, cells, partners) in cases {
        let (model, batch, noise) = case(sizes, &config, cells, partners);
        agree(name, &model, &batch, &noise);
    }
}

#[test]
fn fused_and_plain_agree_with_a_known_network_as_prior() {
    for mask in MaskParameters::ALL {
        let (mut model, batch, noise) =
            case(Sizes { genes: 10, treatments: 5 }, &GpoVaeConfig { mask, ..small() }, 15, true);
        let known: Vec<f32> = (0..25).map(|at| [0.0, 0.02, 0.3, 0.45, 0.9, 1.0][at * 7 % 6]).collect();
        model.set_known_network(&known, false).unwrap();
        let found: Vec<f32> = model.mask_logits().unwrap().concat();
        for (known, logit) in known.iter().zip(&found) {
            let probability = 1.0 / (1.0 + (-logit).exp());
            assert!((probability - known.clamp(1e-3, 1.0 - 1e-3)).abs() < 1e-5, "{mask:?}: {probability}, not {known}");
        }
        let (without, _) = plain(&model, &batch, &noise);
        model.set_known_network(&known, true).unwrap();
        agree("known network", &model, &batch, &noise);
        let (with, _) = plain(&model, &batch, &noise);
        let changed: Vec<usize> = (1..9).filter(|&term| without[term] != with[term]).collect();
        assert_eq!(changed, [4], "the prior is in the mask's term alone");
        assert!(model.set_known_network(&known[..24], false).is_err());
    }
}

fn agree(name: &str, model: &GpoVae, batch: &Batch, noise: &Noise) {
    let (terms, gradients) = plain(model, batch, noise);
    let mut fused = FusedStep::new(model).unwrap();
    // The second run meets the buffers of the first.
    for learn in [true, false, true] {
        let found = fused.run(model, batch, noise, learn).unwrap();
        for (at, (found, expected)) in found.iter().zip(&terms).enumerate() {
            let tolerance = 1e-5 * expected.abs() + 1e-6 * terms[0].abs().max(1.0);
            assert!((found - expected).abs() <= tolerance, "{name}: term {at} is {found}, not {expected}");
        }
    }
    let found = fused.gradients();
    for (parameter, expected) in &gradients {
        let found = found[&**parameter];
        let largest = expected.iter().fold(1e-4f32, |largest, value| largest.max(value.abs()));
        for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
            let tolerance = 2e-4 * largest;
            assert!((found - expected).abs() <= tolerance, "{name}: {parameter} {at} is {found}, not {expected}");
        }
    }
    assert_eq!(found.len(), gradients.len(), "{name}: every parameter has a gradient");
}

#[test]
fn the_gradient_is_that_of_the_loss() {
    let variants = [
        small(),
        GpoVaeConfig { likelihood: Likelihood::Normal, effect_prior_scale: 0.5, ..small() },
        GpoVaeConfig { sum_mode: true, latent: 4, mask_temperature: 0.5, ..small() },
        GpoVaeConfig { mean_field: true, mask: MaskParameters::Probabilities, ..small() },
    ];
    for config in variants {
        let (model, batch, noise) = case(Sizes { genes: 11, treatments: 4 }, &config, 12, true);
        // Masks are rounded: their parameters have a gradient that the loss has not.
        differences(&model, &batch, &noise, |name| !name.starts_with("mask"), 4e-3);
    }
}

#[test]
fn the_gradient_by_effects_on_genes_is_that_of_the_loss() {
    for likelihood in Likelihood::ALL {
        let config = GpoVaeConfig { gene_effects: 0.1, likelihood, ..small() };
        let (model, batch, noise) = case(Sizes { genes: 11, treatments: 4 }, &config, 12, true);
        // No activation has a kink after them.
        let after = |name: &str| name == "gene_effects" || name.starts_with("decoder.head");
        differences(&model, &batch, &noise, after, 4e-3);
    }
}

#[test]
fn the_gradient_by_the_mask_is_that_of_what_does_not_draw_from_it() {
    for (mask, hops) in
        [(MaskParameters::Logits, 3), (MaskParameters::Probabilities, 3), (MaskParameters::Probabilities, 0)]
    {
        // Control cells need no effects; what is left of the mask are the terms of its parameters.
        let config = GpoVaeConfig { mask, hops, lambda: 3.0, gamma: 20.0, ..small() };
        let (model, batch, _) = case(Sizes { genes: 6, treatments: 5 }, &config, 12, false);
        let (mut alignment, mut scratch) = (Alignment::default(), [Vec::new(), Vec::new()]);
        let var = model.mask.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let mut terms = |values: &[f32], mut learn: Option<&mut [f32]>| {
            let [of, by] = &mut scratch;
            let logits = logits_of(mask, of, values);
            let mut aligned = 0.0;
            match &mut learn {
                Some(learn) => through_logits(mask, by, values, learn, |by_logits| {
                    aligned = alignment.run(logits, &batch, config.gamma, hops, Some(by_logits));
                }),
                None => aligned = alignment.run(logits, &batch, config.gamma, hops, None),
            }
            aligned + 3.0 * sparsity(mask, values, 3.0, learn)
        };
        let mut gradient = vec![0.0; 25];
        terms(&var, Some(&mut gradient));
        for at in 0..25 {
            let mut slope = 0.0;
            for sign in [1.0, -1.0] {
                let mut moved = var.clone();
                moved[at] += sign * 2e-4;
                slope += f64::from(sign) * terms(&moved, None) / 4e-4;
            }
            let found = f64::from(gradient[at]);
            assert!((found - slope).abs() <= 0.02 * slope.abs() + 0.1, "{mask:?} {hops} {at}: {found}, {slope}");
        }
    }
}

/// Compare the gradient by one entry of each parameter with a difference of losses.
fn differences(model: &GpoVae, batch: &Batch, noise: &Noise, is_smooth: impl Fn(&str) -> bool, step: f32) {
    let mut fused = FusedStep::new(model).unwrap();
    fused.run(model, batch, noise, true).unwrap();
    let gradients: BTreeMap<String, Vec<f32>> =
        fused.gradients().into_iter().map(|(name, values)| (name.to_owned(), values.to_vec())).collect();
    for (name, var) in model.parameters().iter().filter(|(name, _)| is_smooth(name)) {
        let before: Vec<f32> = var.flatten_all().unwrap().to_vec1().unwrap();
        let at = before.len() / 2;
        let mut loss_at = |step: f32| {
            let mut values = before.clone();
            values[at] += step;
            var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap()).unwrap();
            fused.run(model, batch, noise, false).unwrap()[0]
        };
        let slope = (loss_at(step) - loss_at(-step)) / (2.0 * f64::from(step));
        loss_at(0.0);
        let found = f64::from(gradients[name][at]);
        assert!((found - slope).abs() <= 0.02 * slope.abs() + 4e-3, "{name} {at}: {found}, by differences {slope}");
    }
}

#[test]
fn a_step_does_not_depend_on_the_number_of_threads() {
    let config = GpoVaeConfig { particles: 3, decoder_hidden: 70, basal_hidden: 65, ..small() };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (model, batch, noise) = case(Sizes { genes: 301, treatments: 9 }, &config, 130, true);
            let mut fused = FusedStep::new(&model).unwrap();
            let terms = fused.run(&model, &batch, &noise, true).unwrap();
            let gradients: Vec<Vec<f32>> = fused.gradients().into_values().map(<[f32]>::to_vec).collect();
            (terms, gradients)
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(3));
}
