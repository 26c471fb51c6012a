//! The filter as a session keeps it; what is absent is not set.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::SessionError;
use crate::document::NetworkFilter;
use crate::network::filter::{Component, Evidence, GeneList, Neighbourhood, Reach, Signs};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum_probability: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    false_discovery_rate: Option<f32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hidden_signs: Vec<SignName>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hidden_evidence: Vec<EvidenceName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    regulators: Option<List>,
    measured_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_regulator: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_target: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum_agreement: Option<f32>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    hidden_genes: BTreeSet<String>,
    minimum_degree: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<Part>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trail: Vec<Around>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SignName {
    Activates,
    Represses,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EvidenceName {
    Measured,
    Predicted,
    Reference,
    None,
}

/// The genes themselves: the file they came from may go.
#[derive(Debug, Serialize, Deserialize)]
struct List {
    name: String,
    genes: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Largest,
    Of(String),
}

#[derive(Debug, Serialize, Deserialize)]
struct Around {
    genes: Vec<String>,
    hops: u8,
    #[serde(default)]
    reach: Way,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Way {
    #[default]
    Both,
    Regulators,
    Targets,
}

/// The names whose flag is off.
fn off<T: Copy, const N: usize>(flags: [(bool, T); N]) -> Vec<T> {
    flags.into_iter().filter(|(on, _)| !on).map(|(_, name)| name).collect()
}

impl Filter {
    pub(super) fn of(filter: &NetworkFilter) -> Self {
        let Signs { activates, represses, unknown } = filter.signs;
        let Evidence { measured, predicted, reference, none } = filter.evidence;
        let around = |around: &Neighbourhood| Around {
            genes: around.genes.clone(),
            hops: around.hops,
            reach: match around.reach {
                Reach::Both => Way::Both,
                Reach::Regulators => Way::Regulators,
                Reach::Targets => Way::Targets,
            },
        };
        Self {
            minimum_probability: filter.minimum_probability,
            false_discovery_rate: filter.false_discovery_rate,
            hidden_signs: off([
                (activates, SignName::Activates),
                (represses, SignName::Represses),
                (unknown, SignName::Unknown),
            ]),
            hidden_evidence: off([
                (measured, EvidenceName::Measured),
                (predicted, EvidenceName::Predicted),
                (reference, EvidenceName::Reference),
                (none, EvidenceName::None),
            ]),
            regulators: filter
                .regulators
                .as_ref()
                .map(|list| List { name: list.name().to_owned(), genes: list.genes().to_vec() }),
            measured_only: filter.measured_only,
            per_regulator: filter.per_regulator,
            per_target: filter.per_target,
            top: filter.top,
            minimum_agreement: filter.minimum_agreement,
            hidden_genes: filter.hidden.clone(),
            minimum_degree: filter.minimum_degree,
            component: filter.component.as_ref().map(|component| match component {
                Component::Largest => Part::Largest,
                Component::Of(gene) => Part::Of(gene.clone()),
            }),
            trail: filter.trail.iter().map(around).collect(),
        }
    }

    pub(super) fn into_filter(self) -> Result<NetworkFilter, SessionError> {
        let damaged = |reason: String| Err(SessionError::Damaged { reason });
        if let Some(least) = self.minimum_probability.filter(|least| !(0.0..=1.0).contains(least)) {
            return damaged(format!("the threshold {least} is no probability"));
        }
        if let Some(least) = self.minimum_agreement.filter(|least| !(0.0..=1.0).contains(least)) {
            return damaged(format!("the agreement {least} is no share of members, expected 0 to 1"));
        }
        if let Some(most) = self.false_discovery_rate.filter(|most| !(0.0..=1.0).contains(most)) {
            return damaged(format!("the false discovery rate {most} is not between 0 and 1"));
        }
        if let Some(around) = self.trail.iter().find(|around| !(1..=Neighbourhood::MOST_HOPS).contains(&around.hops)) {
            let most = Neighbourhood::MOST_HOPS;
            return damaged(format!("a neighbourhood of {} hops, expected 1 to {most}", around.hops));
        }
        let sign = |name| !self.hidden_signs.contains(&name);
        let evidence = |name| !self.hidden_evidence.contains(&name);
        let around = |around: Around| Neighbourhood {
            genes: around.genes,
            hops: around.hops,
            reach: match around.reach {
                Way::Both => Reach::Both,
                Way::Regulators => Reach::Regulators,
                Way::Targets => Reach::Targets,
            },
        };
        Ok(NetworkFilter {
            minimum_probability: self.minimum_probability,
            false_discovery_rate: self.false_discovery_rate,
            signs: Signs {
                activates: sign(SignName::Activates),
                represses: sign(SignName::Represses),
                unknown: sign(SignName::Unknown),
            },
            evidence: Evidence {
                measured: evidence(EvidenceName::Measured),
                predicted: evidence(EvidenceName::Predicted),
                reference: evidence(EvidenceName::Reference),
                none: evidence(EvidenceName::None),
            },
            regulators: self.regulators.map(|list| Arc::new(GeneList::new(list.name, list.genes))),
            measured_only: self.measured_only,
            per_regulator: self.per_regulator,
            per_target: self.per_target,
            top: self.top,
            minimum_agreement: self.minimum_agreement,
            hidden: self.hidden_genes,
            minimum_degree: self.minimum_degree,
            component: self.component.map(|part| match part {
                Part::Largest => Component::Largest,
                Part::Of(gene) => Component::Of(gene),
            }),
            trail: self.trail.into_iter().map(around).collect(),
        })
    }
}
