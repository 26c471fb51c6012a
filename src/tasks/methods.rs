//! A paragraph for the methods section of a paper: what was done, with the exact settings.

use crate::document::Document;
use crate::models::gpo_vae::{
    Alignment, Escaped, GeneEffectsPrior, InputScale, Likelihood, MaskParameters, Start, Unseen,
};
use crate::models::{CALL_RATE, INTERVAL_LEVEL, ModelCard, TrainedModel};
use crate::words::{counted, grouped};

/// How `model` was trained, and, with a `document`, what of its network is shown.
pub fn paragraph(model: &TrainedModel, document: Option<&Document>) -> String {
    let card = model.card();
    let (data, settings) = (&card.dataset, &card.settings);
    let (prepare, gpo) = (&settings.prepare, &settings.model);
    let count = |of: fn(&crate::models::TrainedPerturbation) -> u32| -> usize {
        card.perturbations.iter().map(|perturbation| of(perturbation) as usize).sum()
    };
    let (training, validation, test) =
        (count(|one| one.training_cells), count(|one| one.validation_cells), count(|one| one.test_cells));
    let mut text = vec![format!(
        "A gene regulatory network was inferred from {} ({} and {}; content hash {}) with GRN Explorer {} by GPO-VAE (Baek et al. 2025, \
         Bioinformatics, btaf256).",
        data.name,
        counted(data.cells as usize, "cell"),
        counted(data.genes as usize, "gene"),
        &data.hash[..data.hash.len().min(12)],
        env!("CARGO_PKG_VERSION"),
    )];
    if data.genes_of_file > data.genes {
        text.push(format!(
            "Of the {} genes of the file the perturbed and the most variable were held.",
            grouped(data.genes_of_file as usize)
        ));
    }
    text.push(format!(
        "Cells beyond the median ± {} median absolute deviations in counts, detected genes or the share of mitochondrial, ribosomal or haemoglobin \
         counts{} were flagged, and perturbations with fewer than {} left out; {} remained.",
        prepare.quality_mads,
        if prepare.doublets { ", and doublets by Scrublet's method," } else { "" },
        counted(prepare.minimum_cells, "cell"),
        counted(card.perturbations.len(), "perturbation"),
    ));
    text.push(format!(
        "Perturbed cells were divided into {} for training, {} for early stopping and {} for testing (seed {}), and matched to control cells by {} \
         optimal transport.",
        grouped(training),
        grouped(validation),
        grouped(test),
        settings.seed,
        match prepare.matching {
            crate::preprocess::control_matching::Matching::Sinkhorn => "entropic",
            crate::preprocess::control_matching::Matching::Wasserstein => "exact",
            crate::preprocess::control_matching::Matching::Hungarian => "one-to-one",
        },
    ));
    let likelihood = match gpo.likelihood {
        Likelihood::Poisson => "Poisson",
        Likelihood::Normal => "normal",
        Likelihood::LibraryNegativeBinomial => "gamma–Poisson",
    };
    text.push(format!(
        "The model had {} latent dimensions, a decoder of {} × {}, encoders of {} × {} (basal state) and {} × {} (perturbations) units, and a {likelihood} \
         likelihood; it was trained with Adam (learning rate {}, weight decay {}, batches of {}, {}, gradient norm at most {}) for {} (best {}, {}), with β = \
         {}, γ = {}, λ = {}, a mask prior of {}, and the network aligned with {}.",
        gpo.latent,
        gpo.decoder_layers,
        gpo.decoder_hidden,
        gpo.basal_layers,
        gpo.basal_hidden,
        gpo.embedding_layers,
        gpo.embedding_hidden,
        gpo.learning_rate,
        gpo.weight_decay,
        gpo.batch_size,
        counted(gpo.particles, "particle"),
        gpo.clip_norm,
        counted(card.history.len(), "epoch"),
        card.best_epoch,
        card.ended,
        gpo.beta,
        gpo.gamma,
        gpo.lambda,
        gpo.mask_prior,
        match gpo.alignment {
            Alignment::Cells => format!(
                "the shifts of single cells against matched controls ({} hops, fold-change offset {})",
                gpo.hops, gpo.fold_change
            ),
            Alignment::DirectShifts => "the mean shift of each perturbation in standard errors, divided by one plus the largest chain of shifts \
                 over another perturbed gene relative to it, as 2 ln((s + 0.5) / 2.5)"
                .to_owned(),
        },
    ));
    if model.false_discovery_rates().is_some() {
        text.push(format!(
            "False discovery rates of edges are q values (Benjamini and Hochberg 1995; Storey and Tibshirani 2003): the same shifts of the training \
             cells were measured after {} of the labels between the cells of each perturbation and control (within batches, where there are any), and \
             the rate from a shift on is the number of shifts as large per shuffle over the number of edges (Tusher et al. 2001), all edges taken as \
             possibly null; the null hypothesis is that the target does not respond to the regulator's perturbation, directly or indirectly.",
            counted(gpo.null_shuffles, "shuffle"),
        ));
    }
    let variants = variants(card);
    if !variants.is_empty() {
        text.push(format!("Of the published model it differs in that {}.", variants.join("; ")));
    }
    if !card.members.is_empty() {
        let count = card.members.len();
        text.push(format!(
            "The model is an ensemble of {count} such runs, each with its own random draws and on training cells drawn with replacement within every \
             perturbation; probabilities of edges and predicted shifts are means over its members, and intervals ({:.0} %) are those of Student's t \
             distribution with {} degrees of freedom on their standard deviation times √(1 + 1/{count}) (Efron and Tibshirani 1993); a predicted response is \
             called significant where a gene's p value of that t, adjusted over genes (Benjamini–Hochberg), is below {CALL_RATE}; the epochs given are those \
             of the first run.",
            INTERVAL_LEVEL * 100.0,
            count - 1,
        ));
    }
    text.push(format!(
        "Shifts are differences of the mean log2(10,000 · count / total + 1) between perturbed and control cells; predicted shifts are expectations over the \
         model's count distribution, means over {} of its latent variables.",
        counted(gpo.prediction_samples, "draw"),
    ));
    if let Some(document) = document {
        let view = document.filter.apply(model.network());
        text.push(format!(
            "The network shows {} of {} edges ({}; layout: {}).",
            grouped(view.edge_count()),
            grouped(model.network().edges().len()),
            document.filter.describe(),
            document.layout.describe(),
        ));
    }
    text.join(" ")
}

/// How the model was built otherwise than published.
fn variants(card: &ModelCard) -> Vec<String> {
    let gpo = &card.settings.model;
    let mut variants = Vec::new();
    let mut say = |is: bool, words: String| variants.extend(is.then_some(words));
    say(gpo.input == InputScale::Standardise, "the encoder of the basal state read standardised counts".to_owned());
    say(gpo.input == InputScale::None, "the encoder of the basal state read raw counts".to_owned());
    say(gpo.mean_field, "the basal state was encoded from the counts alone".to_owned());
    say(
        gpo.start == Start::Moments,
        "mean expression and concentrations started from the moments of the counts, and effects with a standard deviation of 0.1".to_owned(),
    );
    say(
        gpo.averaging > 0.0,
        format!("the parameters were exponential averages over {} epochs (Polyak and Juditsky 1992)", gpo.averaging),
    );
    say(gpo.sum_mode, "the decoder read the sum of basal state and effects".to_owned());
    say(gpo.mask == MaskParameters::Probabilities, "the mask was learned as probabilities".to_owned());
    say(gpo.mask_temperature != 1.0, format!("masks were sampled at temperature {}", gpo.mask_temperature));
    say(
        gpo.effect_prior_scale != 1.0,
        format!("the priors of effects had a standard deviation of {}", gpo.effect_prior_scale),
    );
    say(
        gpo.gene_effects > 0.0,
        format!(
            "beside its effect on the latent state every perturbation had an effect on each gene's logit, with a {}{} of scale {}",
            gpo.gene_effects_prior.in_words(),
            match gpo.gene_effects_prior {
                GeneEffectsPrior::Cauchy => "",
                GeneEffectsPrior::DoublePareto => " (Armagan, Dunson and Lee 2013)",
            },
            gpo.gene_effects
        ),
    );
    say(
        gpo.escaped == Escaped::ToldApart,
        "cells that escaped their perturbation were told from those that responded by a mixture of negative binomials over the genes that \
         responded and trained on as control cells, and the response of a perturbation was that of its share of responding cells"
            .to_owned(),
    );
    say(
        gpo.unseen == Unseen::Transferred,
        "the effect of a gene that was not perturbed in training cells was a weighted sum of the effects of those that were, of their mean \
         and of a kernel ridge regression on how the genes respond to each perturbation, weighed by leaving perturbations out"
            .to_owned(),
    );
    if let Some(network) = &card.prior_network {
        let as_prior = card.settings.prior_network.as_ref().is_some_and(|settings| settings.as_prior);
        let prior = if as_prior { ", which was also its prior" } else { "" };
        say(true, format!("the mask started from the network {}{prior}", network.in_words()));
    }
    variants
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paragraph_has_the_settings_of_the_run() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data/sample_model.safetensors");
        let model = TrainedModel::open(&path).unwrap();
        let document = Document { filter: crate::document::NetworkFilter::top(25), ..Document::default() };
        let text = paragraph(&model, Some(&document));
        let (card, settings) = (model.card(), &model.card().settings);
        for part in [
            "sample (3,000 cells and 200 genes".to_owned(),
            format!("content hash {}", &card.dataset.hash[..12]),
            format!("{} latent dimensions", settings.model.latent),
            format!("learning rate {}, weight decay", settings.model.learning_rate),
            format!("batches of {}", settings.model.batch_size),
            format!("(best {}, {})", card.best_epoch, card.ended),
            "matched to control cells by entropic optimal transport".to_owned(),
            "40 perturbations remained".to_owned(),
            "The network shows 25 of 1,560 edges".to_owned(),
        ] {
            assert!(text.contains(&part), "{part} in: {text}");
        }
        assert!(!text.contains("  "), "{text}");
        assert!(!paragraph(&model, None).contains("The network shows"));
    }
}
