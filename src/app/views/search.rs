//! Finding a gene by name.

use crate::data::nearest;
use crate::network::Grn;

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Symbols of nodes, best first.
    pub genes: Vec<String>,
    /// What to say where there is none, or where the gene is measured but no node.
    pub remark: Option<String>,
}

/// Look for `text` among the nodes of `network`; `measured` are all measured genes.
///
/// Completions come first, then names that contain the text, then the most similar ones.
pub fn find(text: &str, network: &Grn, measured: &[String], most: usize) -> Found {
    let wanted = text.trim().to_lowercase();
    if wanted.is_empty() {
        return Found::default();
    }
    let mut hits: Vec<(u8, &str)> = Vec::new();
    for gene in network.genes() {
        let lower = gene.symbol.to_lowercase();
        let class = match lower.find(&wanted) {
            Some(0) if lower.len() == wanted.len() => 0,
            Some(0) => 1,
            Some(_) => 2,
            None => continue,
        };
        hits.push((class, &gene.symbol));
    }
    hits.sort_unstable();
    if hits.is_empty() {
        let similar = nearest(&wanted, network.genes().iter().map(|gene| gene.symbol.as_str()), most);
        let exact = measured.iter().find(|gene| gene.to_lowercase() == wanted);
        let remark = match exact {
            Some(gene) => {
                format!(
                    "{gene} is measured but no node of this network: it was not perturbed and is no strong responder"
                )
            }
            None if similar.is_empty() => format!("No gene is called like “{}”", text.trim()),
            None => format!("No gene contains “{}”; similar names", text.trim()),
        };
        return Found { genes: similar.into_iter().map(str::to_owned).collect(), remark: Some(remark) };
    }
    Found { genes: hits.into_iter().take(most).map(|(_, symbol)| symbol.to_owned()).collect(), remark: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::NetworkGene;

    fn network() -> Grn {
        let gene = |symbol: &str| NetworkGene { symbol: symbol.into(), ..NetworkGene::default() };
        Grn::new(["JAK2", "STAT1", "PIAS1-STAT1", "STAT1B", "IRF1"].map(gene).to_vec(), Vec::new()).unwrap()
    }

    #[test]
    fn the_exact_name_comes_first_then_completions() {
        let found = find(" stat1 ", &network(), &[], 8);
        assert_eq!(found.genes, ["STAT1", "STAT1B", "PIAS1-STAT1"]);
        assert_eq!(found.remark, None);
        assert_eq!(find("", &network(), &[], 8), Found::default());
    }

    #[test]
    fn what_is_not_found_is_explained() {
        let similar = find("STTA1", &network(), &[], 8);
        assert_eq!(similar.genes.first().map(String::as_str), Some("STAT1"));
        assert!(similar.remark.unwrap().contains("similar names"));
        let measured = find("gapdh", &network(), &["GAPDH".to_owned()], 8);
        assert!(measured.remark.unwrap().starts_with("GAPDH is measured but no node"));
        assert!(find("qqqq", &network(), &[], 8).remark.unwrap().starts_with("No gene is called"));
    }
}
