//! What labels say: which cells are controls, which nobody could assign, and which genes the others had perturbed.
//!
//! The rules are those of published screens (scPerturb, Replogle 2022, Norman 2019, Adamson 2016, Dixit 2016, GEARS, CELLxGENE); each is a
//! default that the user sees as a [`Choice`](super::Choice) and can override. Nothing here knows of files.

mod assign;
mod control;
mod fit;
mod guide;
mod kind;
mod meaning;

pub use assign::{ControlFlags, LabelError, Labels, Level, LevelUse, assign};
pub use control::{ControlSign, control_sign, is_unassigned};
pub use fit::{ColumnFit, PERTURBATION_COLUMNS, fit, looks_like_symbol};
pub use guide::{GuideStyle, without_vector};
pub use kind::{KIND_COLUMNS, guess_kind};
pub use meaning::{LabelReader, LabelStyle, Meaning, Separator, Target};

/// Whether `name` is an Ensembl gene identifier without version: `ENSG00000115415`, `ENSMUSG00000026104`.
pub fn is_ensembl(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("ENS") else { return false };
    let species = rest.bytes().take_while(u8::is_ascii_uppercase).count();
    let (letters, digits) = rest.split_at(species);
    letters.ends_with('G')
        && letters.len() <= 5
        && digits.len() >= 6
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::is_ensembl;

    #[test]
    fn identifiers_are_known_by_their_form() {
        assert!(is_ensembl("ENSG00000115415"));
        assert!(is_ensembl("ENSMUSG00000026104"));
        assert!(!is_ensembl("ENSG00000115415.9"));
        assert!(!is_ensembl("ENSA"));
        assert!(!is_ensembl("STAT1"));
    }
}
