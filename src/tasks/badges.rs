//! What a gene or perturbation rests on, in a word or two each: decided here for every list, panel, table and tooltip.

use std::collections::{BTreeMap, HashMap};

use crate::data::PerturbationKind;
use crate::models::{CALL_RATE, Lenders, ModelCard, Novelty, PredictedEffect, TrainedPerturbation};
use crate::network::NetworkGene;
use crate::words::{counted, grouped};

/// A shift of the target smaller than this (log2, in the direction of the screen) is a weak perturbation: less than 15 % of the
/// transcript lost.
const WEAK_SHIFT: f32 = 0.25;
/// A share of responding cells nearer to 1 is that of nearly all.
const NEARLY_ALL: f32 = 0.95;
/// With fewer cells that respond most of the cells show nothing of the perturbation.
const FEW_RESPOND: f32 = 0.5;
/// Fewer cells measure a shift badly.
const FEW_CELLS: u32 = 30;

/// One thing to know.
#[derive(Clone, Debug, PartialEq)]
pub enum Badge {
    /// The model was trained on cells of this very perturbation, or of this gene perturbed alone.
    TrainedOn {
        /// Training cells.
        training_cells: u32,
        /// Cells kept out of the training.
        test_cells: u32,
    },
    /// In the screen, but kept from the training.
    HeldOut {
        /// Its cells.
        cells: u32,
    },
    /// The gene was perturbed with others only.
    OnlyCombined {
        /// Training cells of its combinations.
        cells: u32,
    },
    /// The genes were perturbed, but never together.
    NewCombination,
    /// The screen never perturbed it, or one of the genes.
    NeverPerturbed,
    /// Its effect is borrowed from perturbations that were seen.
    Borrowed(Lenders),
    /// Its expression was not measured.
    NotMeasured,
    /// So many cells show it.
    Cells(u32),
    /// The target's own shift when perturbed alone.
    Reached {
        /// log2 against control cells.
        shift: f32,
        /// How it was perturbed.
        kind: PerturbationKind,
    },
    /// Some of the cells that were perturbed in it alone escaped.
    Escaped {
        /// The share that responds.
        responding: f32,
    },
    /// A dose below 0 or above 1: no cell of the screen had it.
    DoseOutOfRange,
    /// A dose between 0 and 1.
    PartialDose,
    /// More genes at once than the screen ever perturbed together.
    TooManyTogether {
        /// Asked for.
        genes: usize,
        /// In the screen, trained on.
        most: usize,
    },
    /// So many genes respond, by what an ensemble is sure of.
    Responds {
        /// Genes called.
        genes: usize,
        /// Genes that could be, the perturbed ones left out.
        of: usize,
    },
}

/// How good the news is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// To rely on.
    Good,
    /// To know.
    Plain,
    /// A test of the model.
    Test,
    /// To take with care.
    Careful,
    /// Little to rely on.
    Bad,
}

impl Badge {
    /// The words of the badge.
    pub fn label(&self) -> String {
        match self {
            Self::TrainedOn { .. } => "trained on".to_owned(),
            Self::HeldOut { .. } => "held out".to_owned(),
            Self::OnlyCombined { .. } => "only in combinations".to_owned(),
            Self::NewCombination => "new combination".to_owned(),
            Self::NeverPerturbed => "never perturbed".to_owned(),
            Self::Borrowed(Lenders { perturbations, pearson }) => {
                let worth = pearson.map(|r| format!(", r {r:.2}")).unwrap_or_default();
                format!("from {}{worth}", counted(*perturbations, "other"))
            }
            Self::NotMeasured => "not measured".to_owned(),
            Self::Cells(cells) => counted(*cells as usize, "cell"),
            Self::Reached { shift, kind } => {
                let sign = if *shift < 0.0 { "−" } else { "+" };
                let what = if *kind == PerturbationKind::Activation { "activation" } else { "knock-down" };
                format!("{what} {sign}{:.2}", shift.abs())
            }
            Self::Escaped { responding } => format!("{:.0} % of cells respond", 100.0 * responding),
            Self::DoseOutOfRange => "dose out of range".to_owned(),
            Self::PartialDose => "partial dose".to_owned(),
            Self::TooManyTogether { .. } => "out of range".to_owned(),
            Self::Responds { genes: 0, .. } => "no significant response".to_owned(),
            Self::Responds { genes: 1, .. } => "1 gene responds".to_owned(),
            Self::Responds { genes, .. } => format!("{} genes respond", grouped(*genes)),
        }
    }

    /// What it means here, in a sentence.
    pub fn explanation(&self) -> String {
        let cells = |count: u32| counted(count as usize, "cell");
        match self {
            Self::TrainedOn { training_cells, test_cells } => format!(
                "The model was trained on {} of this very perturbation; {} kept out of the training",
                cells(*training_cells),
                cells(*test_cells)
            ),
            Self::HeldOut { cells: count } => {
                format!("In the screen ({}), but kept out of the training as a whole", cells(*count))
            }
            Self::OnlyCombined { cells: count } => {
                format!("The screen perturbed this gene together with others only ({} in training), never alone", cells(*count))
            }
            Self::NewCombination => "These genes were perturbed one by one or in other combinations, never together: the model adds what it \
                                     learned of each"
                .to_owned(),
            Self::NeverPerturbed => {
                "No cell of the screen shows this: treat the prediction as a guess".to_owned()
            }
            Self::Borrowed(Lenders { perturbations: 0 | 1, .. }) => {
                "Nothing taught the model this gene's effect, and too few others were perturbed alone to say anything of it: no change of other \
                 genes"
                    .to_owned()
            }
            Self::Borrowed(Lenders { perturbations, pearson }) => {
                let worth = match pearson {
                    Some(r) => format!(
                        "Those predicted from each other in the same way, as if they had not been seen, agree with what was measured by a \
                         correlation over genes of {r:.2} on average (Pearson-Δ, training cells)"
                    ),
                    None => "How good such a prediction is cannot be told here".to_owned(),
                };
                format!(
                    "Nothing taught the model this gene's effect: it is put together from the effects of the {} that were perturbed alone, \
                     of all alike and more of those that respond as it does. {worth}",
                    counted(*perturbations, "gene"),
                )
            }
            Self::NotMeasured => {
                "Its expression is not among the measured genes: no shift of it can be predicted or compared".to_owned()
            }
            Self::Cells(count) if *count < FEW_CELLS => {
                format!("{} were perturbed: too few to measure small shifts", cells(*count))
            }
            Self::Cells(count) => format!("{} were perturbed", cells(*count)),
            Self::Reached { shift, kind } => {
                let left = 100.0 * shift.exp2();
                let weak = match (self.tone(), kind) {
                    (Tone::Careful, PerturbationKind::KnockOut) => {
                        "; a knock-out by cutting may leave the transcript while the protein is lost"
                    }
                    (Tone::Careful, _) => "; the perturbation hardly worked, so its effects may be understated",
                    _ => "",
                };
                format!(
                    "Its own shift when perturbed alone (log2 against control cells): about {left:.0} % of the expression is left{weak}"
                )
            }
            Self::Escaped { responding } => format!(
                "An estimated {:.0} % of its training cells respond; the others look like control cells, as if they had kept a working copy. \
                 What is measured, and unless asked otherwise what is predicted, is of all its cells together: the shifts of cells that \
                 respond are {:.2} times as large",
                100.0 * responding,
                1.0 / responding,
            ),
            Self::DoseOutOfRange => {
                "A dose below 0 or above 1 was never seen in training: the model extrapolates".to_owned()
            }
            Self::PartialDose => "The screen has doses 0 (control) and 1 only; between them the model interpolates: half a dose is half \
                                  of what the gene's loss passes on"
                .to_owned(),
            Self::TooManyTogether { genes, most } => format!(
                "{} perturbed together; the training had at most {} at once",
                counted(*genes, "gene"),
                grouped(*most)
            ),
            Self::Responds { genes, of } => format!(
                "The ensemble is sure of a shift of {} of {} (false discovery rate {:.0} % over the genes of this perturbation). Of \
                 perturbations without any effect, at most {} in 100 get such a gene",
                grouped(*genes),
                counted(*of, "gene"),
                100.0 * CALL_RATE,
                (100.0 * CALL_RATE).round(),
            ),
        }
    }

    /// How good the news is.
    pub fn tone(&self) -> Tone {
        match self {
            Self::TrainedOn { .. } => Tone::Good,
            Self::HeldOut { .. } => Tone::Test,
            Self::OnlyCombined { .. } | Self::NewCombination | Self::PartialDose => Tone::Careful,
            Self::Borrowed(_) => Tone::Careful,
            Self::NeverPerturbed | Self::TooManyTogether { .. } | Self::DoseOutOfRange => Tone::Bad,
            Self::NotMeasured | Self::Responds { genes: 0, .. } => Tone::Careful,
            Self::Responds { .. } => Tone::Plain,
            Self::Cells(cells) => {
                if *cells < FEW_CELLS {
                    Tone::Careful
                } else {
                    Tone::Plain
                }
            }
            Self::Escaped { responding } => {
                if *responding < FEW_RESPOND {
                    Tone::Careful
                } else {
                    Tone::Plain
                }
            }
            Self::Reached { shift, kind } => {
                if shift * kind.direction() < WEAK_SHIFT {
                    Tone::Careful
                } else {
                    Tone::Plain
                }
            }
        }
    }
}

impl From<Novelty> for Badge {
    fn from(novelty: Novelty) -> Self {
        match novelty {
            Novelty::Measured { training_cells, test_cells } => Self::TrainedOn { training_cells, test_cells },
            Novelty::HeldOut { cells } => Self::HeldOut { cells },
            Novelty::NewCombination => Self::NewCombination,
            Novelty::NeverPerturbed => Self::NeverPerturbed,
        }
    }
}

/// What an answer rests on, where a gene never was perturbed.
pub fn borrowed(effect: &PredictedEffect) -> Option<Badge> {
    effect.lenders.map(Badge::Borrowed)
}

/// Whether `effect` is more than what the members of an ensemble disagree on; none of a single model. `genes` are the card's.
pub fn response(effect: &PredictedEffect, genes: &[String]) -> Option<Badge> {
    let adjusted = effect.adjusted_p(genes)?;
    let targets = effect.targets().filter(|target| genes.iter().any(|gene| gene == target)).count();
    let called = adjusted.iter().filter(|p| **p < CALL_RATE).count();
    Some(Badge::Responds { genes: called, of: genes.len() - targets })
}

/// What the model saw of a perturbation of its screen.
pub fn novelty(perturbation: &TrainedPerturbation) -> Novelty {
    let TrainedPerturbation { training_cells, validation_cells, test_cells, held_out, .. } = *perturbation;
    if held_out || training_cells == 0 {
        Novelty::HeldOut { cells: training_cells + validation_cells + test_cells }
    } else {
        Novelty::Measured { training_cells, test_cells }
    }
}

fn cells_of(perturbation: &TrainedPerturbation) -> u32 {
    perturbation.training_cells + perturbation.validation_cells + perturbation.test_cells
}

/// What a model's screen says of every gene, looked up once.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    kind: PerturbationKind,
    genes: HashMap<String, Gene>,
    /// By targets: position in the card.
    perturbations: HashMap<Vec<String>, (Novelty, u32)>,
    /// Most genes perturbed together in training.
    most_together: usize,
}

#[derive(Clone, Debug, Default)]
struct Gene {
    alone: Option<(Novelty, u32)>,
    /// Training cells of combinations with it, and all cells of such that were held out.
    combined: u32,
    held_out: u32,
    measured: bool,
    own_shift: Option<f32>,
    /// Where it is told and not of nearly all.
    responding: Option<f32>,
}

impl Evidence {
    /// What `card` says.
    pub fn of(card: &ModelCard) -> Self {
        let mut genes: HashMap<String, Gene> = HashMap::new();
        for gene in &card.genes {
            genes.entry(gene.clone()).or_default().measured = true;
        }
        for treatment in &card.treatments {
            let gene = genes.entry(treatment.symbol.clone()).or_default();
            gene.own_shift = treatment.knock_down.filter(|shift| shift.is_finite());
            gene.measured |= treatment.column.is_some();
            gene.responding = treatment.responding.filter(|share| (0.0..NEARLY_ALL).contains(share));
        }
        let mut most_together = 1;
        for perturbation in &card.perturbations {
            let (novelty, cells) = (novelty(perturbation), cells_of(perturbation));
            let trained = matches!(novelty, Novelty::Measured { .. });
            if trained {
                most_together = most_together.max(perturbation.targets.len());
            }
            for target in &perturbation.targets {
                let gene = genes.entry(target.clone()).or_default();
                match (perturbation.targets.len(), trained) {
                    (1, _) => gene.alone = Some((novelty, cells)),
                    (_, true) => gene.combined += perturbation.training_cells,
                    (_, false) => gene.held_out += cells,
                }
            }
        }
        let perturbations =
            card.perturbations.iter().map(|shown| (shown.targets.clone(), (novelty(shown), cells_of(shown))));
        Self { kind: card.perturbation_kind, perturbations: perturbations.collect(), genes, most_together }
    }

    /// What there is to know of one gene: what the model saw of its perturbation, whether that worked, whether it was measured.
    pub fn of_gene(&self, symbol: &str) -> Vec<Badge> {
        let gene = self.genes.get(symbol).cloned().unwrap_or_default();
        let mut badges = match (gene.alone, gene.combined, gene.held_out) {
            (Some((novelty, cells)), ..) => vec![novelty.into(), Badge::Cells(cells)],
            (None, 0, 0) => vec![Badge::NeverPerturbed],
            (None, 0, cells) => vec![Badge::HeldOut { cells }],
            (None, cells, _) => vec![Badge::OnlyCombined { cells }],
        };
        badges.extend(gene.own_shift.map(|shift| Badge::Reached { shift, kind: self.kind }));
        badges.extend(gene.responding.map(|responding| Badge::Escaped { responding }));
        if !gene.measured {
            badges.push(Badge::NotMeasured);
        }
        badges
    }

    /// What there is to know of a question: genes and their doses, as far as the model saw them.
    pub fn of_doses(&self, doses: &BTreeMap<String, f32>) -> Vec<Badge> {
        let targets: Vec<String> = doses.keys().cloned().collect();
        let mut badges = self.of_targets(&targets);
        let fits = |dose: &f32| (0.0..=1.0).contains(dose);
        if !doses.values().all(fits) {
            badges.push(Badge::DoseOutOfRange);
        } else if doses.values().any(|dose| *dose != 1.0) {
            badges.push(Badge::PartialDose);
        }
        badges
    }

    /// What there is to know of a perturbation by its name, `STAT1` or `JAK2+STAT1`.
    pub fn of_perturbation(&self, name: &str) -> Vec<Badge> {
        let targets: Vec<String> = name.split('+').map(str::to_owned).collect();
        self.of_targets(&targets)
    }

    /// Of genes perturbed together; sorted.
    fn of_targets(&self, targets: &[String]) -> Vec<Badge> {
        if let [gene] = targets {
            return self.of_gene(gene);
        }
        let trained = |gene: &String| {
            let gene = self.genes.get(gene);
            gene.is_some_and(|gene| gene.combined > 0 || matches!(gene.alone, Some((Novelty::Measured { .. }, _))))
        };
        let mut badges = match self.perturbations.get(targets) {
            Some(&(novelty, cells)) => vec![novelty.into(), Badge::Cells(cells)],
            None if targets.iter().all(trained) => vec![Badge::NewCombination],
            None => vec![Badge::NeverPerturbed],
        };
        if targets.len() > self.most_together {
            badges.push(Badge::TooManyTogether { genes: targets.len(), most: self.most_together });
        }
        if targets.iter().any(|gene| !self.genes.get(gene).is_some_and(|gene| gene.measured)) {
            badges.push(Badge::NotMeasured);
        }
        badges
    }
}

/// What a network alone says of one of its genes, without the model that it comes from.
pub fn of_network(gene: &NetworkGene) -> Vec<Badge> {
    let mut badges =
        vec![if gene.perturbed_cells > 0 { Badge::Cells(gene.perturbed_cells) } else { Badge::NeverPerturbed }];
    let kind = PerturbationKind::default();
    badges.extend(gene.knock_down.map(|shift| Badge::Reached { shift, kind }));
    if !gene.measured {
        badges.push(Badge::NotMeasured);
    }
    badges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Treatment;

    fn evidence(kind: PerturbationKind) -> Evidence {
        let shown = |targets: &[&str], [training_cells, validation_cells, test_cells]: [u32; 3], held_out| {
            let targets = targets.iter().map(|gene| (*gene).to_owned()).collect();
            TrainedPerturbation { targets, training_cells, validation_cells, test_cells, held_out }
        };
        let treatment = |symbol: &str, column: Option<u32>, knock_down: Option<f32>| Treatment {
            symbol: symbol.to_owned(),
            column,
            knock_down,
            ..Treatment::default()
        };
        Evidence::of(&ModelCard {
            perturbation_kind: kind,
            genes: ["A", "B", "C", "E", "X"].map(str::to_owned).to_vec(),
            treatments: vec![
                treatment("A", Some(0), Some(-1.5)),
                Treatment { responding: Some(0.4), ..treatment("B", Some(1), Some(-0.1)) },
                treatment("C", Some(2), None),
                treatment("D", None, None),
                treatment("E", Some(3), None),
            ],
            perturbations: vec![
                shown(&["A"], [60, 10, 20], false),
                shown(&["B"], [8, 1, 2], false),
                shown(&["D"], [0, 0, 12], true),
                shown(&["A", "C"], [40, 5, 5], false),
                shown(&["A", "E"], [0, 0, 7], true),
            ],
            ..ModelCard::default()
        })
    }

    fn labels(badges: &[Badge]) -> Vec<String> {
        badges.iter().map(Badge::label).collect()
    }

    #[test]
    fn genes_say_what_the_model_saw_of_them() {
        let evidence = evidence(PerturbationKind::KnockDown);
        let of = |gene: &str| labels(&evidence.of_gene(gene));
        assert_eq!(of("A"), ["trained on", "90 cells", "knock-down −1.50"]);
        assert_eq!(of("B"), ["trained on", "11 cells", "knock-down −0.10", "40 % of cells respond"]);
        assert_eq!(of("C"), ["only in combinations"]);
        assert_eq!(of("D"), ["held out", "12 cells", "not measured"]);
        assert_eq!(of("E"), ["held out"]);
        assert_eq!(of("X"), ["never perturbed"]);
        assert_eq!(of("?"), ["never perturbed", "not measured"]);
        let tones: Vec<Tone> = evidence.of_gene("B").iter().map(Badge::tone).collect();
        assert_eq!(tones[..3], [Tone::Good, Tone::Careful, Tone::Careful], "few cells, hardly knocked down");
        assert_eq!(tones[3..], [Tone::Careful], "most escaped");
        assert!(evidence.of_gene("B")[3].explanation().contains("2.50 times as large"));
        assert_eq!(evidence.of_gene("A")[2].tone(), Tone::Plain);
        assert!(evidence.of_gene("A")[2].explanation().contains("about 35 % of the expression is left"));
    }

    #[test]
    fn activation_is_meant_to_raise_its_target() {
        let badge = |shift| Badge::Reached { shift, kind: PerturbationKind::Activation };
        assert_eq!((badge(2.0).label().as_str(), badge(2.0).tone()), ("activation +2.00", Tone::Plain));
        assert_eq!(badge(-2.0).tone(), Tone::Careful);
        let cut = Badge::Reached { shift: 0.1, kind: PerturbationKind::KnockOut };
        assert!(cut.explanation().contains("may leave the transcript"));
    }

    #[test]
    fn questions_say_how_far_they_reach() {
        let evidence = evidence(PerturbationKind::KnockOut);
        let of = |doses: &[(&str, f32)]| {
            labels(&evidence.of_doses(&doses.iter().map(|(gene, dose)| ((*gene).to_owned(), *dose)).collect()))
        };
        assert_eq!(of(&[("A", 1.0)]), ["trained on", "90 cells", "knock-down −1.50"]);
        assert_eq!(of(&[("A", 0.5)])[3..], ["partial dose"]);
        assert_eq!(of(&[("A", -1.0)])[3..], ["dose out of range"]);
        assert_eq!(of(&[("A", 1.0), ("C", 1.0)]), ["trained on", "50 cells"]);
        assert_eq!(of(&[("A", 1.0), ("E", 1.5)]), ["held out", "7 cells", "dose out of range"]);
        assert_eq!(of(&[("A", 1.0), ("B", 0.3)]), ["new combination", "partial dose"]);
        assert_eq!(of(&[("A", 1.0), ("X", 1.0)]), ["never perturbed"]);
        assert_eq!(of(&[("A", 1.0), ("B", 1.0), ("C", 1.0)]), ["new combination", "out of range"]);
        assert_eq!(of(&[("A", 1.0), ("D", 1.0)]), ["never perturbed", "not measured"], "D was held out");
        assert_eq!(labels(&evidence.of_perturbation("A+C")), ["trained on", "50 cells"]);
        let together = Badge::TooManyTogether { genes: 3, most: 2 };
        assert_eq!(together.explanation(), "3 genes perturbed together; the training had at most 2 at once");
    }

    #[test]
    fn a_network_alone_says_less() {
        let gene = NetworkGene { symbol: "A".into(), perturbed_cells: 40, knock_down: Some(-1.0), measured: true };
        assert_eq!(labels(&of_network(&gene)), ["40 cells", "knock-down −1.00"]);
        assert_eq!(labels(&of_network(&NetworkGene::default())), ["never perturbed", "not measured"]);
    }

    #[test]
    fn every_badge_explains_itself() {
        let novelties = [
            Novelty::Measured { training_cells: 1200, test_cells: 1 },
            Novelty::HeldOut { cells: 12 },
            Novelty::NewCombination,
            Novelty::NeverPerturbed,
        ];
        let text: Vec<String> = novelties.iter().map(|novelty| Badge::from(*novelty).explanation()).collect();
        assert!(text[0].contains("1,200 cells of this very perturbation; 1 cell kept out"));
        assert!(text[1].contains("12 cells") && text[3].contains("guess"));
    }
}
