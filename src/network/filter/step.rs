//! The single filters, in their order: which are set, what they say, and how to take one back.

use super::{Component, Evidence, NetworkFilter, Reach, Signs};
use crate::words::{counted, grouped, listed};

/// One filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// [`NetworkFilter::minimum_probability`].
    Probability,
    /// [`NetworkFilter::false_discovery_rate`].
    FalseDiscovery,
    /// [`NetworkFilter::signs`].
    Signs,
    /// [`NetworkFilter::evidence`].
    Evidence,
    /// [`NetworkFilter::regulators`].
    Regulators,
    /// [`NetworkFilter::measured_only`].
    Measured,
    /// [`NetworkFilter::per_regulator`].
    PerRegulator,
    /// [`NetworkFilter::per_target`].
    PerTarget,
    /// [`NetworkFilter::top`].
    Top,
    /// [`NetworkFilter::minimum_agreement`].
    Agreement,
    /// [`NetworkFilter::hidden`].
    Hidden,
    /// [`NetworkFilter::minimum_degree`].
    Degree,
    /// [`NetworkFilter::component`].
    Component,
    /// [`NetworkFilter::trail`].
    Neighbourhood,
}

impl Step {
    /// All, in the order in which they work.
    pub const ALL: [Self; 14] = [
        Self::Probability,
        Self::FalseDiscovery,
        Self::Signs,
        Self::Evidence,
        Self::Regulators,
        Self::Measured,
        Self::PerRegulator,
        Self::PerTarget,
        Self::Top,
        Self::Agreement,
        Self::Hidden,
        Self::Degree,
        Self::Component,
        Self::Neighbourhood,
    ];
}

/// What is left after a filter and all before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// The filter.
    pub step: Step,
    /// Edges.
    pub edges: usize,
    /// Genes with at least one of these edges.
    pub genes: usize,
}

impl NetworkFilter {
    /// Whether this filter is set; one that is not leaves everything.
    pub fn is_set(&self, step: Step) -> bool {
        match step {
            Step::Probability => self.minimum_probability.is_some(),
            Step::FalseDiscovery => self.false_discovery_rate.is_some(),
            Step::Signs => self.signs != Signs::default(),
            Step::Evidence => self.evidence != Evidence::default(),
            Step::Regulators => self.regulators.is_some(),
            Step::Measured => self.measured_only,
            Step::PerRegulator => self.per_regulator.is_some(),
            Step::PerTarget => self.per_target.is_some(),
            Step::Top => self.top.is_some(),
            Step::Agreement => self.minimum_agreement.is_some(),
            Step::Hidden => !self.hidden.is_empty(),
            Step::Degree => self.minimum_degree > 1,
            Step::Component => self.component.is_some(),
            Step::Neighbourhood => !self.trail.is_empty(),
        }
    }

    /// The same without this filter.
    pub fn without(&self, step: Step) -> Self {
        let mut filter = self.clone();
        match step {
            Step::Probability => filter.minimum_probability = None,
            Step::FalseDiscovery => filter.false_discovery_rate = None,
            Step::Signs => filter.signs = Signs::default(),
            Step::Evidence => filter.evidence = Evidence::default(),
            Step::Regulators => filter.regulators = None,
            Step::Measured => filter.measured_only = false,
            Step::PerRegulator => filter.per_regulator = None,
            Step::PerTarget => filter.per_target = None,
            Step::Top => filter.top = None,
            Step::Agreement => filter.minimum_agreement = None,
            Step::Hidden => filter.hidden.clear(),
            Step::Degree => filter.minimum_degree = 0,
            Step::Component => filter.component = None,
            Step::Neighbourhood => filter.trail.clear(),
        }
        filter
    }

    /// What one filter says, in words: `best 60 edges`; none where it is not set.
    pub fn words(&self, step: Step) -> Option<String> {
        if !self.is_set(step) {
            return None;
        }
        let most = |most: Option<usize>| grouped(most.unwrap_or_default());
        Some(match step {
            Step::Probability => format!("probability at least {}", self.minimum_probability.unwrap_or_default()),
            Step::FalseDiscovery => {
                format!("false discovery rate at most {}", self.false_discovery_rate.unwrap_or_default())
            }
            Step::Signs => {
                let Signs { activates, represses, unknown } = self.signs;
                chosen([(activates, "activating"), (represses, "repressing"), (unknown, "unsigned")], "edges")
            }
            Step::Evidence => {
                let Evidence { measured, predicted, reference, none } = self.evidence;
                let kinds =
                    [(measured, "measured"), (predicted, "predicted"), (reference, "reference"), (none, "missing")];
                chosen(kinds, "evidence")
            }
            Step::Regulators => match &self.regulators {
                Some(list) => format!("regulators in {} ({})", list.name(), counted(list.len(), "gene")),
                None => return None,
            },
            Step::Measured => "measured genes only".to_owned(),
            Step::PerRegulator => format!("best {} of each regulator", most(self.per_regulator)),
            Step::PerTarget => format!("best {} of each target", most(self.per_target)),
            Step::Top => format!("best {} edges", most(self.top)),
            Step::Agreement => {
                let percent = 100.0 * self.minimum_agreement.unwrap_or_default();
                format!("kept by at least {percent:.0} % of members")
            }
            Step::Hidden => {
                let hidden: Vec<&String> = self.hidden.iter().collect();
                format!("without {}", listed(&hidden, 3))
            }
            Step::Degree => format!("at least {} edges per gene", self.minimum_degree),
            Step::Component => match &self.component {
                Some(Component::Of(gene)) => format!("component of {gene}"),
                _ => "largest component".to_owned(),
            },
            Step::Neighbourhood => match self.trail.last() {
                Some(last) => {
                    let what = match last.reach {
                        Reach::Both => "neighbours",
                        Reach::Regulators => "regulators",
                        Reach::Targets => "targets",
                    };
                    let hops = counted(usize::from(last.hops), "hop");
                    format!("{what} of {} within {hops}", listed(&last.genes, 3))
                }
                None => return None,
            },
        })
    }

    /// All filters that are set, in words: `best 60 edges; without GAPDH`.
    pub fn describe(&self) -> String {
        let words: Vec<String> = Step::ALL.into_iter().filter_map(|step| self.words(step)).collect();
        if words.is_empty() { "all edges".to_owned() } else { words.join("; ") }
    }
}

/// `activating and unsigned edges`, `no edges`.
fn chosen<const N: usize>(kinds: [(bool, &str); N], what: &str) -> String {
    let chosen: Vec<&str> = kinds.into_iter().filter(|(chosen, _)| *chosen).map(|(_, word)| word).collect();
    match chosen.as_slice() {
        [] => format!("no {what}"),
        words => format!("{} {what}", words.join(" or ")),
    }
}
