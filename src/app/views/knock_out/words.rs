//! What is asked, in words that fit the screen: a knock-out, a knock-down or an activation, in full or in part.

use crate::app::State;
use crate::data::PerturbationKind;

/// How the screen of the open model perturbs its targets.
pub fn kind(state: &State) -> PerturbationKind {
    state.runtime.model.as_ref().map(|model| model.card().perturbation_kind).unwrap_or_default()
}

/// What one does to a gene: `Knock out`, `Knock down`, `Activate`.
pub fn verb(state: &State) -> &'static str {
    match kind(state) {
        PerturbationKind::KnockOut => "Knock out",
        PerturbationKind::KnockDown => "Knock down",
        PerturbationKind::Activation => "Activate",
    }
}

/// `Knock-out of JAK2 × 0.5 + STAT1`.
pub fn asked(state: &State) -> String {
    let what = match kind(state) {
        PerturbationKind::KnockOut => "Knock-out",
        PerturbationKind::KnockDown => "Knock-down",
        PerturbationKind::Activation => "Activation",
    };
    let genes = state.document.knock_out.iter();
    let genes: Vec<String> = genes.map(|(gene, dose)| with_dose(gene, *dose)).collect();
    let among = if state.asks_of_responding() { ", responding cells" } else { "" };
    format!("{what} of {}{among}", genes.join(" + "))
}

fn with_dose(gene: &str, dose: f32) -> String {
    if dose == 1.0 { gene.to_owned() } else { format!("{gene} × {}", number(dose)) }
}

/// With a true minus sign.
fn number(dose: f32) -> String {
    dose.to_string().replace('-', "−")
}

/// What a dose means in a screen of this kind.
pub(super) fn dose_words(kind: PerturbationKind, dose: f32) -> String {
    let what = kind.label();
    let percent = number((100.0 * dose.abs()).round());
    let opposite = match kind {
        PerturbationKind::KnockOut | PerturbationKind::KnockDown => "activation",
        PerturbationKind::Activation => "repression",
    };
    match dose {
        dose if dose < 0.0 => format!("{opposite}: {percent} % of the {what}, the other way; beyond the screen"),
        0.0 => "not perturbed".to_owned(),
        1.0 => format!("the {what} of the screen"),
        dose if dose < 1.0 => format!("partial {what}: {percent} % of the screen's"),
        _ => format!("{percent} % of the {what} of the screen; beyond it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doses_say_what_they_mean() {
        let words = |dose| dose_words(PerturbationKind::KnockDown, dose);
        assert_eq!(words(0.35), "partial knock-down: 35 % of the screen's");
        assert_eq!(words(-0.5), "activation: 50 % of the knock-down, the other way; beyond the screen");
        assert_eq!(words(1.5), "150 % of the knock-down of the screen; beyond it");
        assert_eq!((words(0.0).as_str(), words(1.0).as_str()), ("not perturbed", "the knock-down of the screen"));
        assert!(dose_words(PerturbationKind::Activation, -1.0).starts_with("repression: 100 % of the activation"));
    }

    #[test]
    fn the_question_names_every_gene_with_its_dose() {
        let mut state = State::default();
        for (gene, dose) in [("STAT1", 1.0), ("JAK2", -0.5)] {
            state.document.knock_out.insert(gene.to_owned(), dose);
        }
        assert_eq!(asked(&state), "Knock-out of JAK2 × −0.5 + STAT1");
    }
}
