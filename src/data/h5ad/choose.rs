//! Which matrix to use.

use hdf5::Group;

use super::H5adError;
use super::matrix::FileMatrix;
use crate::data::import::{Evidence, kind_label};
use crate::data::{Choice, MatrixKind};
use crate::words::listed;

/// Layers that hold counts by their name, the usual one first.
const COUNT_LAYERS: &[&str] = &["counts", "raw_counts", "count", "raw", "umi", "umis"];

/// The matrix to read, and why.
pub(super) struct ChosenMatrix {
    pub(super) matrix: FileMatrix,
    pub(super) var: &'static str,
    pub(super) choice: Choice,
}

/// Choose among the layers, raw/X and X: the first that holds counts, or else the first that is log-normalised.
pub(super) fn choose_matrix(file: &Group, wanted: Option<&str>) -> Result<ChosenMatrix, H5adError> {
    let paths = matrix_paths(file);
    if let Some(wanted) = wanted {
        let path = paths.iter().find(|path| *path == wanted || path.strip_prefix("layers/") == Some(wanted));
        let unknown = || H5adError::UnknownMatrix { matrix: wanted.to_owned(), available: listed(&paths, 12) };
        let path = path.ok_or_else(unknown)?;
        let matrix = FileMatrix::open(file, path)?.ok_or_else(unknown)?;
        let alternatives = paths.iter().filter(|other| *other != path).cloned().collect();
        let choice =
            Choice { what: "matrix".into(), chosen: path.clone(), reason: "named by you".into(), alternatives };
        return Ok(ChosenMatrix { var: var_of(path), matrix, choice });
    }
    let mut candidates: Vec<(FileMatrix, Evidence)> = Vec::new();
    let mut failed = None;
    // Other layers (velocity, denoised, scaled) are only taken by name, or where there is nothing else.
    let is_usual = |path: &&String| {
        let layer = path.strip_prefix("layers/");
        layer.is_none_or(|name| COUNT_LAYERS.iter().any(|known| name.eq_ignore_ascii_case(known)))
    };
    let (usual, other): (Vec<&String>, Vec<&String>) = paths.iter().partition(is_usual);
    for group in [usual, other] {
        for path in group {
            let sampled = FileMatrix::open(file, path).and_then(|matrix| match matrix {
                Some(matrix) => matrix.sample().map(|evidence| Some((matrix, evidence))),
                None => Ok(None),
            });
            match sampled {
                Ok(Some((matrix, evidence))) => {
                    let counts = evidence.kind() == MatrixKind::Counts && evidence.values > 0;
                    candidates.push((matrix, evidence));
                    if counts {
                        break;
                    }
                }
                Ok(None) => {}
                // Prefer another matrix to a damaged one only if it holds counts, too.
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if !candidates.is_empty() || failed.is_some() {
            break;
        }
    }
    let rank = |evidence: &Evidence| match evidence.kind() {
        MatrixKind::Counts if evidence.values > 0 => 0,
        MatrixKind::Counts => 3,
        MatrixKind::LogNormalised => 1,
        MatrixKind::Scaled | MatrixKind::Effects => 2,
    };
    let best = (0..candidates.len()).min_by_key(|&at| (rank(&candidates[at].1), at));
    let Some(best) = best.filter(|&best| failed.is_none() || rank(&candidates[best].1) == 0) else {
        return Err(failed.unwrap_or_else(|| H5adError::missing("X", "a matrix in X, raw/X or a layer")));
    };
    let others: Vec<String> = candidates
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != best)
        .map(|(_, (matrix, evidence))| format!("{} is {}", matrix.path(), kind_label(evidence.kind())))
        .collect();
    let (matrix, evidence) = candidates.swap_remove(best);
    let mut reason = evidence.reason("sampled");
    if !others.is_empty() {
        reason = format!("{reason}; {}", others.join(", "));
    }
    reason = format!("{reason}; stored as {}", matrix.layout());
    let chosen = matrix.path().to_owned();
    let alternatives = paths.into_iter().filter(|path| *path != chosen).collect();
    let choice = Choice { what: "matrix".to_owned(), chosen: chosen.clone(), reason, alternatives };
    Ok(ChosenMatrix { var: var_of(&chosen), matrix, choice })
}

fn var_of(matrix: &str) -> &'static str {
    match matrix {
        "raw/X" => "raw/var",
        "raw.X" => "raw.var",
        _ => "var",
    }
}

/// All matrices of the file in the order of preference.
fn matrix_paths(file: &Group) -> Vec<String> {
    let layers = if file.link_exists("layers") {
        file.group("layers").and_then(|group| group.member_names()).ok()
    } else {
        None
    };
    let mut layers = layers.unwrap_or_default();
    let preference = |name: &String| COUNT_LAYERS.iter().position(|known| name.eq_ignore_ascii_case(known));
    layers.sort_by_key(|name| (preference(name).unwrap_or(COUNT_LAYERS.len()), name.clone()));
    let (known, other): (Vec<String>, Vec<String>) = layers.into_iter().partition(|name| preference(name).is_some());
    let in_layers = |name: String| format!("layers/{name}");
    let mut paths: Vec<String> = known.into_iter().map(in_layers).collect();
    let is_group = |path: &str| file.link_exists(path) && file.group(path).is_ok();
    if is_group("raw") && file.link_exists("raw/X") {
        paths.push("raw/X".to_owned());
    } else if file.link_exists("raw.X") && file.link_exists("raw.var") {
        paths.push("raw.X".to_owned());
    }
    let has_x = file.link_exists("X") && !file.dataset("X").is_ok_and(|x| x.space().is_ok_and(|space| space.is_null()));
    if has_x {
        paths.push("X".to_owned());
    }
    paths.extend(other.into_iter().map(in_layers));
    paths
}
