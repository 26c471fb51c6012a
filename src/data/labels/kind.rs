//! Knock-out, knock-down or activation.

use crate::data::{Categories, CellRole, Choice, PerturbationKind, Warning};
use crate::words::{counted, listed};

/// Columns of `obs` that say how cells were perturbed.
pub const KIND_COLUMNS: &[&str] = &[
    "perturbation_type",
    "genetic_perturbation_strategy",
    "perturbation_method",
    "perturbation_modality",
    "crispr_type",
    "crispr",
    "modality",
];

/// How the screen perturbs, from the columns of [`KIND_COLUMNS`] that the file has: the kind that most perturbed cells have, and a knock-out
/// where nothing tells.
pub fn guess_kind(columns: &[Categories], roles: &[CellRole]) -> (PerturbationKind, Choice, Option<Warning>) {
    let what = "kind of perturbation".to_owned();
    let all = [PerturbationKind::KnockOut, PerturbationKind::KnockDown, PerturbationKind::Activation];
    for column in columns {
        let kinds: Vec<Option<PerturbationKind>> = column.levels.iter().map(|level| kind_of(level)).collect();
        let mut cells = [0usize; 3];
        let mut words = [const { Vec::<&str>::new() }; 3];
        for (code, role) in column.codes.iter().zip(roles) {
            if let (Some(code), CellRole::Perturbed(_)) = (code, role)
                && let Some(kind) = kinds[*code as usize]
            {
                let word = column.levels[*code as usize].as_str();
                cells[kind as usize] += 1;
                if !words[kind as usize].contains(&word) {
                    words[kind as usize].push(word);
                }
            }
        }
        let Some(best) = all.into_iter().max_by_key(|kind| (cells[*kind as usize], std::cmp::Reverse(*kind as usize)))
        else {
            continue;
        };
        if cells[best as usize] == 0 {
            continue;
        }
        let others: Vec<PerturbationKind> =
            all.into_iter().filter(|kind| *kind != best && cells[*kind as usize] > 0).collect();
        let warning = (!others.is_empty()).then(|| {
            let others: Vec<String> = others
                .iter()
                .map(|kind| format!("{} ({})", kind.label(), counted(cells[*kind as usize], "cell")))
                .collect();
            let message = format!(
                "the screen mixes kinds of perturbation: {} is taken for all cells, but column {} also names {}",
                best.label(),
                column.name,
                others.join(" and ")
            );
            Warning { message }
        });
        let reason = format!(
            "column {} says {} for {}",
            column.name,
            listed(&words[best as usize], 3),
            counted(cells[best as usize], "perturbed cell")
        );
        let alternatives = all.into_iter().filter(|kind| *kind != best).map(|kind| kind.label().to_owned()).collect();
        return (best, Choice { what, chosen: best.label().to_owned(), reason, alternatives }, warning);
    }
    let kind = PerturbationKind::default();
    let reason = "no column says how cells were perturbed, so the commonest kind is assumed".to_owned();
    let alternatives = all.into_iter().filter(|other| *other != kind).map(|kind| kind.label().to_owned()).collect();
    (kind, Choice { what, chosen: kind.label().to_owned(), reason, alternatives }, None)
}

fn kind_of(word: &str) -> Option<PerturbationKind> {
    let compact: String = word.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let has = |parts: &[&str]| parts.iter().any(|part| compact.contains(part));
    if has(&["crispri", "interference", "knockdown", "sirna", "shrna", "rnai"]) {
        Some(PerturbationKind::KnockDown)
    } else if has(&["crispra", "activation", "overexpression"]) || compact == "orf" {
        Some(PerturbationKind::Activation)
    } else if has(&["knockout", "crispr", "cas9"]) || compact == "ko" {
        Some(PerturbationKind::KnockOut)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_published_screens_are_understood() {
        for (word, kind) in [
            ("CRISPRi", Some(PerturbationKind::KnockDown)),
            ("CRISPR interference screen", Some(PerturbationKind::KnockDown)),
            ("shRNA", Some(PerturbationKind::KnockDown)),
            ("CRISPRa", Some(PerturbationKind::Activation)),
            ("CRISPR activation screen", Some(PerturbationKind::Activation)),
            ("CRISPR", Some(PerturbationKind::KnockOut)),
            ("CRISPR-cas9", Some(PerturbationKind::KnockOut)),
            ("CRISPR knockout mutant", Some(PerturbationKind::KnockOut)),
            ("drug", None),
            ("control", None),
        ] {
            assert_eq!(kind_of(word), kind, "{word}");
        }
    }

    #[test]
    fn the_kind_of_most_perturbed_cells_is_taken_and_a_mixture_is_told() {
        let column = Categories {
            name: "perturbation_type".into(),
            levels: vec!["CRISPRi".into(), "CRISPRa".into()],
            codes: vec![Some(0), Some(0), Some(0), Some(1), Some(1)],
        };
        let roles = [
            CellRole::Control,
            CellRole::Control,
            CellRole::Perturbed(0),
            CellRole::Perturbed(0),
            CellRole::Perturbed(0),
        ];
        let (kind, choice, warning) = guess_kind(std::slice::from_ref(&column), &roles);
        assert_eq!(kind, PerturbationKind::Activation);
        assert_eq!(choice.chosen, "activation");
        assert!(warning.is_some_and(|warning| warning.message.contains("knock-down (1 cell)")));
        let (kind, choice, warning) = guess_kind(&[], &roles);
        assert_eq!((kind, warning), (PerturbationKind::KnockOut, None));
        assert_eq!(choice.alternatives, ["knock-down", "activation"]);
    }
}
