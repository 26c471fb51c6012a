//! GPO-VAE against reference values: loss terms, gradients, parameters after the steps.

use std::collections::{BTreeMap, HashMap};

use candle_core::{Device, Tensor};
use grn_explorer::models::gpo_vae::{
    Alignment, Batch, BatchContext, BatchData, Draw, FusedStep, GpoVae, GpoVaeConfig, InputScale, Likelihood,
    MaskParameters, Noise, Sizes,
};
use grn_explorer::models::nn::adam::Adam;
use grn_explorer::models::nn::parameters::Source;

use crate::reference::{Case, cases};

/// Our parameter names for the reference's modules.
fn our_name(theirs: &str) -> String {
    let (network, rest) = match theirs {
        "guide.param_dict.q_mask_logits" => return "mask_logits".into(),
        "guide.param_dict.q_mask_probs" => return "mask_probabilities".into(),
        "model.decoder.log_concentration" => return "log_concentration".into(),
        _ => {
            let cut = theirs.match_indices('.').nth(1).expect("module.network.rest").0;
            (&theirs[..cut], &theirs[cut + 1..])
        }
    };
    let network = match network {
        "guide.embedding_encoder" => "effect_encoder",
        "guide.qc_encoder" => "artifact_encoder",
        "guide.z_basal_encoder" => "basal_encoder",
        "model.decoder" => "decoder",
        other => panic!("unknown network {other}"),
    };
    let rest = rest
        .replace("mlp.layers.", "layers.")
        .replace("normalized_mean_decoder.0", "head")
        .replace("rate_decoder.0", "head")
        .replace("mean_encoder", if network == "decoder" { "head" } else { "mean" })
        .replace("log_var_encoder", "log_variance");
    // A layer is Linear followed by its activation: `layers.1.0.weight` is the Linear of layer 1.
    let rest = match rest.strip_prefix("layers.") {
        Some(tail) => format!("layers.{}", tail.replacen(".0.", ".", 1)),
        None => rest,
    };
    format!("{network}.{rest}")
}

/// How the encoder's input is made: by the setting where there is one, else by the statistics that the case has.
fn input_of(case: &Case) -> InputScale {
    let names = ["basal_encoder_input_normalization", "input_normalization", "input_normalisation"];
    let given = names.iter().find_map(|name| case.json["config"].get(name));
    match given.map(|value| value.as_str().unwrap_or("none").replace('_', "-")).as_deref() {
        Some("log-standardize" | "log-standardise") => InputScale::LogStandardise,
        Some("standardize" | "standardise") => InputScale::Standardise,
        Some("none") => InputScale::None,
        Some(other) => panic!("input {other}"),
        None => match ["input.log_x_mean", "input.x_mean"].map(|name| case.has(name)) {
            [true, _] => InputScale::LogStandardise,
            [_, true] => InputScale::Standardise,
            _ => InputScale::None,
        },
    }
}

/// The settings of a case. What its `config` does not name is told by the shapes of its parameters, or is as published.
fn config_of(case: &Case) -> GpoVaeConfig {
    let json = &case.json["config"];
    let number = |name: &str| json[name].as_f64().unwrap_or_else(|| panic!("setting {name}"));
    let number_or = |name: &str, usual: f64| json.get(name).map_or(usual, |_| number(name));
    let count = |name: &str| json[name].as_u64().unwrap_or_else(|| panic!("setting {name}")) as usize;
    let columns = |network: &str| case.tensor(&format!("param.{network}.mlp.layers.0.0.weight")).dim(1).unwrap();
    let is = |name: &str, by_shape: bool| json.get(name).map_or(by_shape, |value| value.as_bool().expect("yes or no"));
    GpoVaeConfig {
        likelihood: match json["likelihood"].as_str() {
            Some("library_nb") => Likelihood::LibraryNegativeBinomial,
            Some("poisson") => Likelihood::Poisson,
            Some("normal") => Likelihood::Normal,
            other => panic!("likelihood {other:?}"),
        },
        input: input_of(case),
        mean_field: is("mean_field_encoder", columns("guide.z_basal_encoder") == count("n_genes")),
        sum_mode: is("sum_mode", columns("model.decoder") == count("n_latent")),
        mask: match json["mask_parameterisation"].as_str() {
            Some("logits") | None => MaskParameters::Logits,
            Some("probs" | "probabilities") => MaskParameters::Probabilities,
            Some(other) => panic!("mask {other}"),
        },
        mask_temperature: number_or("gumbel_temperature", 1.0),
        effect_prior_scale: number_or("embedding_prior_scale", 1.0),
        gene_effects: 0.0,
        exact_kl: false,
        latent: count("n_latent"),
        decoder_hidden: count("decoder_hidden"),
        decoder_layers: count("decoder_hidden_layers"),
        basal_hidden: count("basal_encoder_hidden"),
        basal_layers: count("basal_encoder_layers"),
        embedding_hidden: count("embedding_encoder_hidden"),
        embedding_layers: count("embedding_encoder_layers"),
        particles: count("n_particles"),
        alpha: json["alpha"].as_f64(),
        beta: number("beta"),
        gamma: number("grn_coefficient"),
        lambda: number("sparsity_coefficient"),
        hops: count("hop"),
        fold_change: number("fc_criteria"),
        mask_prior: number("mask_prior"),
        learning_rate: number("lr"),
        weight_decay: number("weight_decay_l2"),
        clip_norm: number("clip_norm"),
        alignment: Alignment::Cells,
        ..GpoVaeConfig::default()
    }
}

fn batch_of(case: &Case, config: &GpoVaeConfig) -> Batch {
    let values = |name: &str| case.f32s(&format!("input.{name}"));
    let genes = case.tensor("input.X").dim(1).unwrap();
    let (mean, std) = match config.input {
        InputScale::LogStandardise => (values("log_x_mean"), values("log_x_std")),
        InputScale::Standardise => (values("x_mean"), values("x_std")),
        InputScale::None => (vec![0.0; genes], vec![1.0; genes]),
    };
    let standardised = |counts: &[f32]| -> Vec<f32> {
        let row =
            |row: &[f32]| (0..genes).map(|gene| config.input.of(row[gene], mean[gene], std[gene])).collect::<Vec<_>>();
        counts.chunks(genes).flat_map(row).collect()
    };
    let (counts, partners, dosage) = (values("X"), values("cfX"), values("D"));
    let per_treatment = values("D_obs_counts");
    let treatments = per_treatment.len();
    let dosages = dosage
        .chunks(treatments)
        .map(|row| (0..treatments as u32).filter(|&treatment| row[treatment as usize] != 0.0).collect())
        .collect();
    let has_partner = |row: &(usize, &[f32])| row.1.iter().any(|&count| count != 0.0);
    let partnered: Vec<(usize, &[f32])> = partners.chunks(genes).enumerate().filter(has_partner).collect();
    let data = BatchData {
        sparse: None,
        standardised: standardised(&counts),
        counts,
        library: values("library_size"),
        dosages,
        quality_failed: values("qc").iter().map(|&failed| failed != 0.0).collect(),
        shifts: values("deltaX"),
        partner_rows: partnered.iter().map(|(row, _)| *row as u32).collect(),
        partners: partnered.iter().flat_map(|(_, partner)| standardised(partner)).collect(),
    };
    let context = BatchContext {
        cells_per_treatment: per_treatment,
        failing_cells: values("qc_obs_counts")[0],
        treatment_measured: vec![true; treatments],
        fold_change: config.fold_change as f32,
        alpha: config.alpha,
    };
    Batch::new(data, &context)
}

/// The noise of a case has a row for every treatment; a step takes those of the treatments that occur.
fn noise_of(case: &Case, step: usize, sizes: Sizes, batch: &Batch) -> Noise {
    let values = |call: &str, name: &str| case.f32s(&format!("noise.{step}.{call}.{name}"));
    let draw = |call: &str, occurring: &[u32]| {
        let rows = |name: &str| -> Vec<f32> {
            let all = values(call, name);
            let particles = all.chunks(sizes.treatments * sizes.treatments);
            let row =
                |particle: &[f32], at: u32| particle[at as usize * sizes.treatments..][..sizes.treatments].to_vec();
            particles.flat_map(|particle| occurring.iter().flat_map(move |&at| row(particle, at))).collect()
        };
        Draw::new(rows("mask_uniform"), rows("E_normal"), values(call, "qc_E_normal"))
    };
    Noise {
        factual: draw("factual", batch.treatments()),
        counterfactual: draw("counterfactual", batch.partner_treatments()),
        basal: values("factual", "z_basal_normal"),
    }
}

/// How a step is computed.
#[derive(Clone, Copy, Debug)]
enum Path {
    Plain,
    Fused,
}

/// Total and terms, gradients by name.
type Step = (Vec<f64>, BTreeMap<String, Vec<f32>>);

fn step_of(path: Path, model: &GpoVae, batch: &Batch, noise: &Noise) -> Step {
    if let Path::Fused = path {
        let mut fused = FusedStep::new(model).unwrap();
        let terms = fused.run(model, batch, noise, true).unwrap();
        let gradients = fused.gradients().into_iter().map(|(name, values)| (name.to_owned(), values.to_vec()));
        return (terms.to_vec(), gradients.collect());
    }
    let loss = model.loss(batch, noise).unwrap();
    let scalar = |term: &Tensor| f64::from(term.to_scalar::<f32>().unwrap());
    let terms = std::iter::once(&loss.total).chain(&loss.terms).map(scalar).collect();
    let gradients = loss.total.backward().unwrap();
    let of = |(name, var): (&str, &candle_core::Var)| {
        let gradient = gradients.get(var).expect("gradient");
        (name.to_owned(), gradient.flatten_all().unwrap().to_vec1().unwrap())
    };
    (terms, model.parameters().iter().map(of).collect())
}

fn compare_terms(case: &Case, step: usize, found: &[f64]) {
    let names = [
        "loss_term_reconstruction",
        "loss_term_z_basal",
        "loss_term_E",
        "loss_term_mask",
        "loss_term_qc_E",
        "cf_KLdivergence",
        "grn_loss",
        "penalty",
    ];
    let total = case.json["steps"][step]["loss"].as_f64().unwrap();
    let mut terms: Vec<(&str, f64, f64)> = names
        .iter()
        .zip(&found[1..])
        .map(|(name, term)| {
            let expected = case.json["steps"][step][*name].as_f64().unwrap_or_else(|| panic!("term {name}"));
            (*name, *term, expected)
        })
        .collect();
    terms.push(("loss", found[0], total));
    for (name, found, expected) in terms {
        // A term near zero is a difference of larger sums in f32: 1e-7 of the loss is all that can be asked.
        let tolerance = 1e-4 * expected.abs() + 1e-7 * total.abs().max(10.0);
        assert!(
            (found - expected).abs() <= tolerance,
            "{} step {step}: {name} is {found}, expected {expected}",
            case.name
        );
    }
}

#[test]
fn golden_gpo_vae_losses_gradients_and_steps() {
    losses_gradients_and_steps(Path::Plain);
}

#[test]
fn golden_gpo_vae_losses_gradients_and_steps_of_the_fused_path() {
    losses_gradients_and_steps(Path::Fused);
}

fn losses_gradients_and_steps(path: Path) {
    for case in cases("gpo_vae") {
        let settings = &case.json["config"];
        let config = config_of(&case);
        let given: HashMap<String, Tensor> =
            case.names_under("param.").map(|name| (our_name(name), case.tensor(&format!("param.{name}")))).collect();
        let sizes = Sizes {
            genes: settings["n_genes"].as_u64().unwrap() as usize,
            treatments: settings["n_treatments"].as_u64().unwrap() as usize,
        };
        let model = GpoVae::new(sizes, &config, Source::Given(given), &Device::Cpu).unwrap();
        let batch = batch_of(&case, &config);
        let mut adam = Adam::new(config.optimiser());
        for step in 0..case.json["steps"].as_array().unwrap().len() {
            let noise = noise_of(&case, step, sizes, &batch);
            let (terms, gradients) = step_of(path, &model, &batch, &noise);
            compare_terms(&case, step, &terms);
            if step == 0 {
                for theirs in case.names_under("grad.") {
                    let expected = case.f32s(&format!("grad.{theirs}"));
                    let found = &gradients[&our_name(theirs)];
                    let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
                    for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
                        assert!(
                            (found - expected).abs() <= 1e-3 * largest + 1e-9,
                            "{}: gradient of {theirs} at {at} is {found}, expected {expected}",
                            case.name
                        );
                    }
                }
            }
            let slices = gradients.iter().map(|(name, values)| (&**name, &**values)).collect();
            let norm = adam.step_slices(model.parameters(), &slices).unwrap();
            let expected = case.json["steps"][step]["grad_norm_before_clip"].as_f64().unwrap();
            assert!((norm - expected).abs() <= 1e-3 * expected, "{}: norm {norm}, expected {expected}", case.name);
        }
        let vars: HashMap<&str, _> = model.parameters().iter().collect();
        for theirs in case.names_under("param_after.") {
            let expected = case.f32s(&format!("param_after.{theirs}"));
            let found: Vec<f32> = vars[our_name(theirs).as_str()].flatten_all().unwrap().to_vec1().unwrap();
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    (found - expected).abs() <= 1e-4,
                    "{}: {theirs} after the steps is {found}, expected {expected}",
                    case.name
                );
            }
        }
        println!("{}, {path:?}: agrees", case.name);
    }
}
