//! Which guide each cell got, from captured guides that were counted like genes.

use crate::data::import::categories_of;
use crate::data::{Categories, Choice, CsrMatrix, Warning};
use crate::words::{counted, grouped};

/// Name of the column with the calls: 10x's own.
pub(in crate::data) const CALL_COLUMN: &str = "feature_call";
/// A guide counts as present in a cell from this many molecules on, unless the user says otherwise: fewer are often ambient.
pub const DEFAULT_GUIDE_THRESHOLD: u32 = 5;

/// A captured guide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::data) struct Guide {
    /// Its name.
    pub(in crate::data) name: String,
    /// The gene that it targets, where the file tells.
    pub(in crate::data) target: Option<String>,
}

/// What the counted guides say of the cells.
#[derive(Debug)]
pub(super) struct GuideCalls {
    pub(super) labels: Categories,
    pub(super) choice: Choice,
    pub(super) warnings: Vec<Warning>,
}

/// Call the guides of each cell from `counts` (cells × guides): a cell gets a label if exactly one target has a guide with at least `threshold`
/// molecules; with none or several it stays without.
pub(super) fn call_guides(counts: &CsrMatrix, guides: &[Guide], threshold: u32, by_user: bool) -> GuideCalls {
    let label = |guide: &Guide| guide.target.clone().unwrap_or_else(|| guide.name.clone());
    let labels: Vec<String> = guides.iter().map(label).collect();
    let (mut none, mut several) = (0usize, 0usize);
    let calls = (0..counts.rows()).map(|cell| {
        let present = counts.row(cell).iter().filter(|(_, value)| *value >= threshold as f32);
        let mut called: Option<&String> = None;
        for (column, _) in present {
            let label = &labels[column as usize];
            match called {
                Some(other) if other != label => {
                    several += 1;
                    return None;
                }
                _ => called = Some(label),
            }
        }
        none += usize::from(called.is_none());
        called.cloned()
    });
    let labels = categories_of(CALL_COLUMN, calls);
    let single = counts.rows() - none - several;
    let who = if by_user { "named by you" } else { "fewer are often ambient" };
    let choice = Choice {
        what: "guide calls".to_owned(),
        chosen: format!("one target with at least {}", counted(threshold as usize, "molecule")),
        reason: format!(
            "{who}; of {} with {} counted, {} have one, {} none, {} several",
            counted(counts.rows(), "cell"),
            counted(guides.len(), "guide"),
            grouped(single),
            grouped(none),
            grouped(several)
        ),
        alternatives: Vec::new(),
    };
    let mut warnings = Vec::new();
    if 2 * single < counts.rows() {
        warnings.push(Warning {
            message: format!(
                "only {} of {} have exactly one guide with at least {}: another threshold may tell more",
                grouped(single),
                counted(counts.rows(), "cell"),
                counted(threshold as usize, "molecule")
            ),
        });
    }
    GuideCalls { labels, choice, warnings }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_with_one_target_is_called_and_others_are_not() {
        let guide = |name: &str, target: Option<&str>| Guide { name: name.into(), target: target.map(str::to_owned) };
        let guides = [guide("STAT1_1", Some("STAT1")), guide("STAT1_2", Some("STAT1")), guide("NTC_1", None)];
        let counts = CsrMatrix::from_dense(5, 3, &[9., 0., 0., 5., 7., 1., 0., 0., 5., 6., 0., 6., 4., 4., 4.]);
        let calls = call_guides(&counts, &guides, 5, false);
        assert_eq!(calls.labels.levels, ["STAT1", "NTC_1"]);
        assert_eq!(calls.labels.codes, [Some(0), Some(0), Some(1), None, None]);
        assert!(calls.choice.reason.ends_with("of 5 cells with 3 guides counted, 3 have one, 1 none, 1 several"));
        assert!(calls.warnings.is_empty());
        let lower = call_guides(&counts, &guides, 4, true);
        assert_eq!(lower.labels.codes[4], None);
        assert!(lower.choice.reason.starts_with("named by you"));
        assert_eq!(call_guides(&counts, &guides, 10, true).warnings.len(), 1);
    }
}
