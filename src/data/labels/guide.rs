//! From the name of a guide to the gene that it targets.

/// One way in which guides are named after their targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuideStyle {
    /// `ATF2g1`, `ATF2_sg1`, `ATF2_guide1`.
    Marked,
    /// `ELK1_2`, `ELK1-2`, `ELK1.2`.
    Numbered,
    /// `ELK1_ACGTACGTACGTACGTACGT`.
    Protospacer,
    /// `sgELK1`.
    Prefixed,
}

impl GuideStyle {
    /// All styles, the most telling first.
    pub const ALL: [Self; 4] = [Self::Protospacer, Self::Marked, Self::Numbered, Self::Prefixed];

    /// What remains of `name` without this style's addition; none where it has no such addition.
    pub fn strip(self, name: &str) -> Option<&str> {
        let stem = match self {
            Self::Marked => {
                let rest = without_digits(name)?;
                let marks = ["_sgRNA", "-sgRNA", "_guide", "-guide", "_sg", "-sg", ".sg", "sg", "_g", "-g", "g"];
                marks.iter().find_map(|mark| rest.strip_suffix(mark))?
            }
            Self::Numbered => {
                let rest = without_digits(name)?;
                rest.strip_suffix(['_', '-', '.'])?
            }
            Self::Protospacer => {
                let (stem, sequence) = name.rsplit_once(['_', '-'])?;
                let bases = sequence.bytes().all(|base| matches!(base, b'A' | b'C' | b'G' | b'T'));
                (bases && (17..=25).contains(&sequence.len())).then_some(stem)?
            }
            Self::Prefixed => name.strip_prefix("sg")?.trim_start_matches(['_', '-']),
        };
        (!stem.is_empty()).then_some(stem)
    }
}

/// `name` without what no gene symbol contains: the plasmid of Adamson 2016 (`GENE_pDS258`, `GENE_only_pBA576`), the vector prefix of
/// Dixit 2016 (`p_sgELK1_2`), position and promoter of Horlbeck's guides (`AAAS_+_53715438.23-P1P2`, `AAAS_P1P2`).
pub fn without_vector(name: &str) -> &str {
    let mut stem = name.trim();
    if let Some(rest) = stem.strip_prefix("p_") {
        stem = rest.strip_prefix("sg").unwrap_or(rest);
    }
    for strand in ["_+_", "_-_"] {
        if let Some((target, position)) = stem.split_once(strand)
            && position.starts_with(|letter: char| letter.is_ascii_digit())
        {
            stem = target;
        }
    }
    if let Some((target, plasmid)) = stem.rsplit_once("_p") {
        let letters = plasmid.bytes().take_while(u8::is_ascii_uppercase).count();
        let digits = &plasmid[letters..];
        if (1..=3).contains(&letters) && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            stem = target.strip_suffix("_only").unwrap_or(target);
        }
    }
    for promoter in ["_P1P2", "_P1", "_P2"] {
        stem = stem.strip_suffix(promoter).unwrap_or(stem);
    }
    if stem.is_empty() { name.trim() } else { stem }
}

fn without_digits(name: &str) -> Option<&str> {
    let rest = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    (rest.len() < name.len() && !rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_positions_and_promoters_are_dropped() {
        assert_eq!(without_vector("SPI1_pDS258"), "SPI1");
        assert_eq!(without_vector("PERK_only_pD4"), "PERK");
        assert_eq!(without_vector("p_sgELK1_2"), "ELK1_2");
        assert_eq!(without_vector("AAAS_+_53715438.23-P1P2"), "AAAS");
        assert_eq!(without_vector("HLA-A_-_29910.1-P1"), "HLA-A");
        assert_eq!(without_vector("AARS_P1P2"), "AARS");
        assert_eq!(without_vector("HLA-A"), "HLA-A");
        assert_eq!(without_vector("A_p53"), "A_p53");
    }

    #[test]
    fn every_style_is_stripped_once() {
        assert_eq!(GuideStyle::Marked.strip("ATF2g1"), Some("ATF2"));
        assert_eq!(GuideStyle::Marked.strip("ATF2_sg12"), Some("ATF2"));
        assert_eq!(GuideStyle::Marked.strip("ATF2"), None);
        assert_eq!(GuideStyle::Numbered.strip("ELK1_2"), Some("ELK1"));
        assert_eq!(GuideStyle::Numbered.strip("ELK1"), None);
        assert_eq!(GuideStyle::Protospacer.strip("ELK1_ACGTACGTACGTACGTACGT"), Some("ELK1"));
        assert_eq!(GuideStyle::Protospacer.strip("ELK1_ACT"), None);
        assert_eq!(GuideStyle::Prefixed.strip("sgELK1"), Some("ELK1"));
        assert_eq!(GuideStyle::Prefixed.strip("sg"), None);
    }
}
