//! Which genes and edges of a network a command takes: the window's filters as options.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;

use super::failure::UsageError;
use crate::data::nearest;
use crate::network::Grn;
use crate::network::filter::{Component, Evidence, Neighbourhood, NetworkFilter, Reach, Signs};
use crate::tasks::gene_list;

/// Which edges to keep; they combine
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Filters (they combine)")]
pub(super) struct EdgeArgs {
    /// The best N edges of what the other options leave
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Edges with at least this probability
    #[arg(long, value_name = "P")]
    min_probability: Option<f32>,
    /// Edges with at most this false discovery rate
    #[arg(long, value_name = "RATE")]
    fdr: Option<f32>,
    /// The best N edges of each regulator
    #[arg(long, value_name = "N")]
    top_per_regulator: Option<usize>,
    /// The best N edges of each target
    #[arg(long, value_name = "N")]
    top_per_target: Option<usize>,
    /// Edges of these signs
    #[arg(long, value_name = "SIGN", value_delimiter = ',', value_parser = ["activates", "represses", "unknown"])]
    sign: Vec<String>,
    /// Edges whose sign rests on this
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = ["measured", "predicted", "reference", "none"])]
    evidence: Vec<String>,
    /// Edges whose regulator is in this file: one symbol per line, or a table of edges with a column of regulators
    #[arg(long, value_name = "FILE")]
    regulators: Option<PathBuf>,
    /// Edges between genes whose expression was measured
    #[arg(long)]
    measured_only: bool,
    /// Of an ensemble (train --members): edges that at least this share of its members have among their own best, as many
    /// as the options above leave
    #[arg(long, value_name = "SHARE")]
    min_agreement: Option<f32>,
    /// Leave these genes out
    #[arg(long, value_name = "GENE[,GENE2]", value_delimiter = ',')]
    hide: Vec<String>,
    /// Genes with at least N edges among those left
    #[arg(long, value_name = "N")]
    min_degree: Option<u32>,
    /// One connected part of what is left: `largest`, or the one with this gene
    #[arg(long, value_name = "largest|GENE")]
    component: Option<String>,
    /// The neighbourhood of these genes in what is left
    #[arg(long, value_name = "GENE[,GENE2]", value_delimiter = ',')]
    neighbourhood: Vec<String>,
    /// How many edges the neighbourhood reaches
    #[arg(long, value_name = "1|2|3", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3), requires = "neighbourhood")]
    hops: u8,
    /// Which way the neighbourhood is walked
    #[arg(long, default_value = "both", value_parser = ["both", "regulators", "targets"], requires = "neighbourhood")]
    reach: String,
}

impl EdgeArgs {
    /// The filter asked for, if any.
    ///
    /// # Errors
    /// If a probability or share is none, or the list of regulators cannot be read.
    pub(super) fn filter(&self) -> anyhow::Result<Option<NetworkFilter>> {
        if let Some(least) = self.min_probability.filter(|least| !(0.0..=1.0).contains(least)) {
            return Err(UsageError(format!("--min-probability is {least}, but must be between 0 and 1")).into());
        }
        if let Some(least) = self.min_agreement.filter(|least| !(0.0..=1.0).contains(least)) {
            return Err(UsageError(format!("--min-agreement is {least}, but must be between 0 and 1")).into());
        }
        if let Some(most) = self.fdr.filter(|most| !(0.0..=1.0).contains(most)) {
            return Err(UsageError(format!("--fdr is {most}, but must be between 0 and 1")).into());
        }
        let regulators = self.regulators.as_deref().map(|path| {
            gene_list::read(path).with_context(|| format!("cannot read the regulators in {}", path.display()))
        });
        let has = |list: &[String], word: &str| list.is_empty() || list.iter().any(|other| other == word);
        let sign = |word| has(&self.sign, word);
        let evidence = |word| has(&self.evidence, word);
        let around = || Neighbourhood {
            genes: self.neighbourhood.clone(),
            hops: self.hops,
            reach: match self.reach.as_str() {
                "regulators" => Reach::Regulators,
                "targets" => Reach::Targets,
                _ => Reach::Both,
            },
        };
        let filter = NetworkFilter {
            minimum_probability: self.min_probability,
            false_discovery_rate: self.fdr,
            signs: Signs { activates: sign("activates"), represses: sign("represses"), unknown: sign("unknown") },
            evidence: Evidence {
                measured: evidence("measured"),
                predicted: evidence("predicted"),
                reference: evidence("reference"),
                none: evidence("none"),
            },
            regulators: regulators.transpose()?.map(Arc::new),
            measured_only: self.measured_only,
            per_regulator: self.top_per_regulator,
            per_target: self.top_per_target,
            top: self.top,
            minimum_agreement: self.min_agreement,
            hidden: self.hide.iter().cloned().collect(),
            minimum_degree: self.min_degree.unwrap_or(0),
            component: self.component.as_deref().map(|component| match component {
                "largest" => Component::Largest,
                gene => Component::Of(gene.to_owned()),
            }),
            trail: if self.neighbourhood.is_empty() { Vec::new() } else { vec![around()] },
        };
        Ok((filter != NetworkFilter::default()).then_some(filter))
    }

    /// Whether every gene that is named is one of `grn`, and it has what the options ask for.
    ///
    /// # Errors
    /// Names the first gene that is not, and the nearest ones.
    pub(super) fn check(&self, grn: &Grn) -> anyhow::Result<()> {
        if self.min_agreement.is_some() && grn.member_ranks().is_none() {
            let text =
                "--min-agreement needs the network of an ensemble, but this one is not; train --members N trains one";
            return Err(UsageError(text.to_owned()).into());
        }
        if self.fdr.is_some() && !grn.has_false_discovery_rates() {
            return Err(UsageError(
                "--fdr: no edge of this network has a false discovery rate; models have them that were trained by this version or a \
                 later one with alignment = \"direct-shifts\" and null_shuffles above 0"
                    .to_owned(),
            )
            .into());
        }
        let component = self.component.iter().filter(|component| *component != "largest");
        for gene in self.hide.iter().chain(&self.neighbourhood).chain(component) {
            if grn.find(gene).is_none() {
                let symbols = grn.genes().iter().map(|gene| gene.symbol.as_str());
                let near = nearest(gene, symbols, 3);
                let hint = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) };
                return Err(UsageError(format!("the network has no gene {gene}{hint}")).into());
            }
        }
        Ok(())
    }
}
