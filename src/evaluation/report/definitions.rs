//! What every metric is: the text of the hover cards, the report and the documentation.

use serde::{Deserialize, Serialize};

/// A metric's definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Its key in the report.
    pub metric: String,
    /// Its name for people.
    pub label: String,
    /// What it is.
    pub definition: String,
    /// Who uses it.
    pub origin: String,
    /// `higher`, `lower` or `count`.
    pub better: String,
}

/// All definitions, in the order shown. Shifts are log2 against measured control cells: the mean over cells of
/// log2(1 + 10,000·x/Σx), perturbed minus control (average treatment effect, ATE).
///
#[doc = include_str!("metrics.md")]
pub fn definitions() -> Vec<Definition> {
    let ate = "SAMS-VAE, CRADLE-VAE, GPO-VAE";
    let causal = "CausalBench";
    let ranking = "BEELINE";
    [
        (
            "coverage",
            "Coverage",
            "Share of observed shifts within the ensemble's interval of a level (mean ± Student's t × standard deviation over the members), the perturbed genes left out",
            "",
            "count",
        ),
        (
            "coverage_with_noise",
            "Coverage, with noise",
            "The same with the interval widened by the standard error of the observed shift: calibrated where it is the level",
            "",
            "count",
        ),
        ("coverage_top_20", "Coverage, top 20", "The latter over each perturbation's 20 genes with the largest observed |shift|", "", "count"),
        ("half_width", "± log2", "Mean half width of the ensemble's interval", "", "lower"),
        (
            "standardised_error",
            "Standardised error",
            "Root mean square of (observed − predicted) / √(spread² + standard error²): 1 where the spread is right, above where it is too small",
            "",
            "count",
        ),
        ("perturbations", "Perturbations", "Perturbations covered: predicted and observed", "", "count"),
        ("genes", "Genes", "Genes compared", "", "count"),
        (
            "pearson",
            "r",
            "Pearson correlation of predicted and observed shifts over all genes, all perturbations in one list (one perturbation: over its genes, Pearson-Δ)",
            ate,
            "higher",
        ),
        (
            "r_squared",
            "R²",
            "1 − Σ(observed − predicted)² / Σ(observed − mean observed)² over the same; not the square of r, and below 0 when worse than the mean",
            ate,
            "higher",
        ),
        (
            "pearson_top_20",
            "r top 20",
            "r over each perturbation's 20 genes with the largest observed |shift|",
            ate,
            "higher",
        ),
        ("r_squared_top_20", "R² top 20", "R² over the same 20 genes", ate, "higher"),
        (
            "jaccard_20",
            "Jaccard 20",
            "|A ∩ B| / |A ∪ B| of the 20 genes with the largest predicted and observed |shift|, mean over perturbations",
            ate,
            "higher",
        ),
        ("jaccard_50", "Jaccard 50", "The same with 50 genes", ate, "higher"),
        (
            "mean_pearson",
            "Pearson-Δ",
            "Mean over perturbations of their own r",
            "PerturBench, Virtual Cell Challenge",
            "higher",
        ),
        (
            "pearson_top_20_de",
            "Pearson-Δ top 20 DE",
            "The same over the 20 genes with the largest |z| of the Wilcoxon rank-sum test between the perturbation's evaluated cells and control (ties corrected)",
            "GEARS",
            "higher",
        ),
        (
            "pearson_beyond_mean",
            "Pearson-Δ beyond mean",
            "Mean over perturbations of Pearson's r between predicted and observed shifts, each less the mean shift over all training perturbations: what is common to all perturbations earns nothing",
            "Systema",
            "higher",
        ),
        (
            "discrimination",
            "Discrimination",
            "1 − rank / (n − 1) of a perturbation's own observed shifts when those of all n perturbations are sorted by cosine distance to its prediction (rank from 0, ties at their mean), the genes perturbed by any of them left out; mean over perturbations. 1: always the nearest; 0.5: chance",
            "Virtual Cell Challenge",
            "higher",
        ),
        (
            "direction_top_20_de",
            "Direction top 20 DE",
            "Share of the 20 genes with the largest |z| of the Wilcoxon test whose predicted shift has the observed direction",
            "GEARS",
            "higher",
        ),
        (
            "de_overlap",
            "DE overlap",
            "k genes respond significantly (Wilcoxon test, p adjusted within the perturbation < 0.05): share of the k genes with the largest |z| that are among the k largest predicted |shift|s; mean over the perturbations with k > 0",
            "Virtual Cell Challenge",
            "higher",
        ),
        (
            "jaccard_significant",
            "Jaccard of responding genes",
            "|A ∩ B| / |A ∪ B| of the genes that respond significantly (Wilcoxon test against control, p adjusted within the perturbation < 0.05) in predicted and in observed cells, mean over the perturbations with any, with its 95 % interval over perturbations (bootstrap). Depends on the numbers of cells, which are told",
            "",
            "higher",
        ),
        (
            "mse_top_20_de",
            "MSE top 20 DE",
            "Mean of (predicted − observed)² over the 20 genes with the largest |z| of the Wilcoxon test, mean over perturbations",
            "GEARS",
            "lower",
        ),
        (
            "weighted_mse",
            "Weighted MSE",
            "Σ w·(predicted − observed)² with w the squares of |t| (Welch, the perturbation's evaluated cells against all other evaluated cells) scaled to 0 … 1 over genes, as shares of their sum; mean over perturbations",
            "arXiv 2506.22641",
            "lower",
        ),
        (
            "l2_top_1000",
            "L2 of 1,000 genes",
            "Euclidean distance of predicted and observed shifts over the 1,000 genes with the highest mean in control cells, log2 units (natural logarithms: × 0.693), mean over perturbations",
            "Ahlmann-Eltze and Huber 2025",
            "lower",
        ),
        (
            "scaled",
            "Scaled",
            "(value − baseline) / (ceiling − baseline), not clipped: 0 is the training mean, 1 the split-half replicate; none where the replicate is no better than the training mean. The correlation of a constant counts as 0",
            "",
            "higher",
        ),
        (
            "ceiling",
            "Split-half replicate",
            "The shifts of one half of all cells with the perturbation, and of the control cells, as a prediction of the other half; mean of 5 splits. Training cells are among them, as nothing is fitted to them. Methods are judged by the evaluated cells alone, which are fewer: their noise keeps even a perfect one somewhat below",
            "",
            "count",
        ),
        (
            "mean_absolute_error",
            "MAE",
            "Mean of |predicted − observed| over genes, log2 units",
            "Virtual Cell Challenge",
            "lower",
        ),
        ("mean_squared_error", "MSE", "Mean of (predicted − observed)² over genes", "GEARS", "lower"),
        (
            "direction_top_20",
            "Direction top 20",
            "Share of the 20 genes with the largest observed |shift| whose predicted shift has the same sign",
            "GEARS",
            "higher",
        ),
        (
            "true_positives",
            "True positives",
            "Tested edges with p < 0.05 in the two-sided Mann–Whitney U test of the target between control cells and cells whose regulator was perturbed; edges that cannot be tested count nowhere",
            causal,
            "higher",
        ),
        ("false_positives", "False positives", "Tested edges with p ≥ 0.05", causal, "lower"),
        (
            "mean_wasserstein",
            "Mean Wasserstein",
            "Mean over tested edges of the Wasserstein-1 distance between the same two groups, in units of ln(1 + 10,000·x/Σx)",
            causal,
            "higher",
        ),
        (
            "false_omission_rate",
            "False omission rate",
            "Share with p < 0.05 among up to 500 random testable pairs that no path of the network connects",
            causal,
            "lower",
        ),
        (
            "significant",
            "Responding edges",
            "Share of edges of similar probability (ten bins of equal width) whose target differs between control cells and cells whose regulator was perturbed, p < 0.05: 0.05 where nothing responds. It should rise with the probability",
            causal,
            "higher",
        ),
        (
            "known",
            "Known edges",
            "Share of edges of similar probability that are known edges: calibrated where it is their mean probability",
            "",
            "count",
        ),
        (
            "density",
            "Density",
            "True edges over candidate pairs: the AUPRC of a random order",
            ranking,
            "count",
        ),
        (
            "rate",
            "False discovery rate",
            "Number of direct shifts from a size on in the training cells with labels shuffled between the cells of each perturbation and control (within batches), over their number with the true labels: the share of edges up to this rate that is expected to be chance. It tests whether the target responds to the regulator's perturbation at all, directly or by way of other genes",
            "Benjamini and Hochberg 1995; Tusher 2001; Storey and Tibshirani 2003",
            "count",
        ),
        (
            "unreachable",
            "No path",
            "Share of the edges up to a false discovery rate whose target no path of known edges leads to from the regulator: calibrated where it is at most the rate",
            "",
            "lower",
        ),
        (
            "indirect_or_false",
            "No known edge",
            "Share of the edges up to a false discovery rate that are no known edges themselves: the rate does not tell direct from indirect",
            "",
            "lower",
        ),
        ("auprc", "AUPRC", "Area under the precision–recall curve (average precision)", ranking, "higher"),
        ("auprc_ratio", "AUPRC ratio", "AUPRC over density: how many times better than a random order", ranking, "higher"),
        ("auroc", "AUROC", "Area under the receiver operating characteristic", ranking, "higher"),
        (
            "early_precision_ratio",
            "Early precision ratio",
            "Precision among the best k pairs, k the number of true edges, over density",
            ranking,
            "higher",
        ),
        (
            "ranked_share",
            "Ranked",
            "Share of the candidate pairs that the method ranks; the others come last, all tied",
            "",
            "count",
        ),
        ("precision", "Precision", "True edges among the pairs taken, best first, over the pairs taken", ranking, "higher"),
        ("recall", "Recall", "True edges among the pairs taken over all true edges", ranking, "higher"),
        (
            "sign_accuracy",
            "Sign accuracy",
            "Share of right signs among the true edges whose sign the method gives",
            "",
            "higher",
        ),
        (
            "e_distance",
            "E-distance",
            "2δ − σ − σ′: δ the mean squared Euclidean distance between two groups of cells, σ and σ′ those within them over n (n − 1) pairs, in 50 principal components of ln(1 + 10,000·x/Σx) of the 2,000 genes of the largest variance, centred, over the evaluated cells. Without bias: of two samples of one distribution it is 0 on average, and may be below. To control cells; generated, training: between the observed cells and generated ones, and training cells with the same perturbation",
            "Peidli 2024",
            "count",
        ),
        (
            "mmd",
            "MMD²",
            "Squared maximum mean discrepancy, unbiased, in the same components: mean of exp(−d²/(2σ²)) over pairs of different cells within each group less twice that between; σ the median distance between control cells; at most 1,000 cells of a group, drawn at random",
            "Gretton 2012",
            "count",
        ),
        (
            "permutation_p_value",
            "p",
            "(1 + shuffles of the labels between the perturbation's and control cells with at least this E-distance) / (1 + 999)",
            "Peidli 2024",
            "lower",
        ),
        ("adjusted_p_value", "Adjusted p", "The same adjusted over perturbations (Benjamini–Hochberg)", "", "lower"),
        (
            "iw_elbo",
            "IW-ELBO",
            "Mean over cells of log(1/K Σ w), a lower bound of the log-likelihood of a cell's counts (natural logarithm): K draws of all latent variables from the posterior, w = likelihood × prior / posterior, where of the effects, mask and artifact that all cells share each cell bears 1 / number of training cells with its perturbation (its flag). Comparable between models of the same genes and cells only",
            ate,
            "higher",
        ),
        ("elbo", "ELBO", "Mean of log w over the same draws: a looser bound", ate, "higher"),
        (
            "effective_particles",
            "Effective draws",
            "(Σ w)² / Σ w² of a cell, median over cells: near 1 a single draw carries the bound, and more draws would raise it",
            "",
            "higher",
        ),
        (
            "quality_pass",
            "Quality-pass ratio",
            "Share of cells that lie within median ± k·MAD of the measured cells that the training used, in counts and detected genes (not below) and in the shares of mitochondrial, ribosomal and haemoglobin counts (not above), over the genes held; without looking for doublets. Generated cells: states, mask, effects and counts drawn from the model, of the branch of good cells, at library sizes drawn from control cells. Mean over perturbations; measured cells beside it. As high as the measured share is good, not higher",
            ate,
            "count",
        ),
    ]
    .into_iter()
    .map(|(metric, label, definition, origin, better)| Definition {
        metric: metric.to_owned(),
        label: label.to_owned(),
        definition: definition.to_owned(),
        origin: origin.to_owned(),
        better: better.to_owned(),
    })
    .collect()
}
