//! Which labels mean a control, and which mean that nobody knows.

/// How surely a label means a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ControlSign {
    /// It can mean one (`WT`, `DMSO`, `AAVS1`): taken only where no surer label exists.
    Weak,
    /// It is one by convention (`control`, `non-targeting`, `NTC`, `NegCtrl0`).
    Sure,
}

/// Whole labels, lower case and without separators, guide numbers removed.
const SURE: &[&str] = &[
    "control",
    "controls",
    "controlguide",
    "ctrl",
    "ctl",
    "neg",
    "negativecontrol",
    "negativectrl",
    "negcontrol",
    "negctrl",
    "nontarget",
    "nontargeting",
    "notarget",
    "notargeting",
    "nt",
    "ntc",
    "ntcontrol",
    "ntctrl",
    "intergenic",
    "safe",
    "safetarget",
    "safetargeting",
    "scramble",
    "scrambled",
];
/// Beginnings that no gene symbol has.
const SURE_BEGINNINGS: &[&str] = &[
    "intergenic",
    "negativecontrol",
    "negcontrol",
    "negctrl",
    "nontarget",
    "ntcontrol",
    "ntctrl",
    "safetarget",
    "scrambl",
];
const WEAK: &[&str] = &[
    "aavs1",
    "dmso",
    "egfp",
    "emptyvector",
    "gfp",
    "lacz",
    "luc",
    "luciferase",
    "mock",
    "parental",
    "rosa26",
    "safeharbor",
    "safeharbour",
    "unperturbed",
    "unstimulated",
    "untreated",
    "vehicle",
    "wildtype",
    "wt",
];
const UNASSIGNED: &[&str] = &[
    "",
    "*",
    "-",
    "?",
    "<na>",
    "ambiguous",
    "doublet",
    "multiplet",
    "na",
    "n/a",
    "nan",
    "no guide",
    "no sgrna",
    "none",
    "not assigned",
    "null",
    "unassigned",
    "undefined",
    "undetermined",
    "unknown",
    "unmapped",
];

/// Whether `label` means a control, by convention.
///
/// ```
/// use grn_explorer::data::labels::{ControlSign, control_sign};
/// assert_eq!(control_sign("NegCtrl10"), Some(ControlSign::Sure));
/// assert_eq!(control_sign("DMSO"), Some(ControlSign::Weak));
/// assert_eq!(control_sign("STAT1"), None);
/// ```
pub fn control_sign(label: &str) -> Option<ControlSign> {
    let lower = label.trim().to_lowercase();
    if lower.contains("(mod)") {
        // Adamson 2016 marks its control plasmids so: `62(mod)_pBA581`.
        return Some(ControlSign::Sure);
    }
    let unprefixed = lower.strip_prefix("p_").unwrap_or(&lower);
    let unprefixed = unprefixed.strip_prefix("sg").filter(|rest| !rest.is_empty()).unwrap_or(unprefixed);
    let compact: String = unprefixed.chars().filter(|letter| !matches!(letter, '_' | '-' | '.' | ' ')).collect();
    let stem = compact.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let numbered = stem.len() < compact.len();
    // `NTg4` is guide 4 of NT.
    let marks = ["sgrna", "guide", "sg", "g"];
    let guide_of = |words: &[&str]| {
        numbered && marks.iter().any(|mark| stem.strip_suffix(mark).is_some_and(|stem| words.contains(&stem)))
    };
    // WT1 is a gene, WT_1 a guide.
    let apart =
        numbered && unprefixed[..unprefixed.len() - (compact.len() - stem.len())].ends_with(['_', '-', '.', ' ']);
    // Libraries for two species say which: `MouseNTC_100_A_670`.
    let of_species = |species: &str| {
        let guide = lower.strip_prefix(species).map(|rest| rest.trim_start_matches(['_', '-', '.', ' ']));
        guide.and_then(|guide| guide.split(['_', '-', '.', ' ']).next()).is_some_and(|word| SURE.contains(&word))
    };
    let sure = SURE.contains(&stem) || guide_of(SURE) || of_species("mouse") || of_species("human");
    let weak = WEAK.contains(&compact.as_str()) || guide_of(WEAK) || apart && WEAK.contains(&stem);
    if sure || SURE_BEGINNINGS.iter().any(|beginning| compact.starts_with(beginning)) {
        Some(ControlSign::Sure)
    } else if weak {
        Some(ControlSign::Weak)
    } else {
        None
    }
}

/// Whether `label` means that no perturbation could be assigned.
pub fn is_unassigned(label: &str) -> bool {
    let plain = label.trim().to_lowercase().replace('_', " ");
    UNASSIGNED.contains(&plain.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_of_published_screens_are_known() {
        for label in [
            "control",
            "Control",
            "ctrl",
            "CTRL_12",
            "non-targeting",
            "non_targeting_00023",
            "Nontargeting control",
            "NT",
            "NTg4",
            "NTC",
            "ntc_3",
            "NegCtrl0",
            "neg_ctrl_2",
            "negative_control",
            "neg",
            "p_INTERGENIC1144056",
            "p_sgINTERGENIC12",
            "INTERGENIC393453",
            "62(mod)_pBA581",
            "safe-targeting",
            "sgNT_1",
            "MouseNTC_100_A_670",
            "human_ctrl_3",
            "sgControl",
            "scramble",
        ] {
            assert_eq!(control_sign(label), Some(ControlSign::Sure), "{label}");
        }
        for label in ["WT", "WT_1", "DMSO", "AAVS1", "untreated", "sgGFP", "Rosa26"] {
            assert_eq!(control_sign(label), Some(ControlSign::Weak), "{label}");
        }
    }

    #[test]
    fn genes_that_look_like_controls_are_not() {
        for label in [
            "NT5E",
            "NTRK1",
            "NEGR1",
            "CTRL+X",
            "CTRC",
            "SAFB",
            "NTNG1",
            "CONTROL-LIKE",
            "WT1",
            "WTAP",
            "WT1-AS",
            "SG",
            "",
        ] {
            assert_eq!(control_sign(label), None, "{label}");
        }
    }

    #[test]
    fn missing_words_are_unassigned() {
        for label in ["", " ", "nan", "NaN", "None", "*", "NA", "<NA>", "unassigned", "no_guide"] {
            assert!(is_unassigned(label), "{label}");
        }
        for label in ["NANOG", "control", "0"] {
            assert!(!is_unassigned(label), "{label}");
        }
    }
}
