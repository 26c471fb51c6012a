//! Errors as people see them: what failed, why, what to do.

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use crate::data::h5ad::H5adError;
use crate::data::text::TextError;
use crate::jobs::Cancelled;
use crate::models::PredictError;
use crate::preprocess::PrepareError;
use crate::tasks::memory::{Change, TooLarge};
use crate::training::{CheckpointError, TrainError};

/// Something failed.
pub(super) const FAILURE: u8 = 1;
/// The arguments make no sense.
pub(super) const USAGE: u8 = 2;
/// Ctrl-C.
pub(super) const INTERRUPTED: u8 = 130;

/// The arguments make no sense together: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct UsageError(pub(super) String);

/// Print `error` with its causes and what to do; returns the exit code. A reader that went away (`| head`) is no error.
pub fn report(error: &anyhow::Error) -> ExitCode {
    if find(error, |cause: &std::io::Error| cause.kind() == ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    if is_cancelled(error) {
        print("interrupted; nothing was written", None);
        return ExitCode::from(INTERRUPTED);
    }
    print(&chain(error), remedy(error).as_deref());
    let usage = error.chain().any(|cause| cause.is::<UsageError>());
    ExitCode::from(if usage { USAGE } else { FAILURE })
}

/// Print a message and what to do to stderr.
pub(super) fn print(message: &str, remedy: Option<&str>) {
    let mut text = format!("error: {message}\n");
    if let Some(remedy) = remedy {
        text.push_str(&format!("  help: {remedy}\n"));
    }
    // Where stderr is closed there is nobody to tell.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn find<E: std::error::Error + 'static>(error: &anyhow::Error, wanted: impl Fn(&E) -> bool) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<E>().is_some_and(&wanted))
}

fn is_cancelled(error: &anyhow::Error) -> bool {
    // `#[error(transparent)]` hides the inner error from the chain, so the enums are asked too.
    find(error, |_: &Cancelled| true)
        || find(error, |error: &TrainError| matches!(error, TrainError::Cancelled(_)))
        || find(error, |error: &PrepareError| matches!(error, PrepareError::Cancelled(_)))
        || find(error, |error: &PredictError| matches!(error, PredictError::Cancelled(_)))
        || find(error, |error: &H5adError| matches!(error, H5adError::Cancelled(_)))
        || find(error, |error: &TextError| matches!(error, TextError::Cancelled(_)))
        || find(error, |error: &crate::data::simulate::SimulateError| {
            matches!(error, crate::data::simulate::SimulateError::Cancelled(_))
        })
}

/// The error and its causes, outermost first, without a cause that the one before already told.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

fn remedy(error: &anyhow::Error) -> Option<String> {
    for cause in error.chain() {
        let found = if let Some(error) = cause.downcast_ref::<TrainError>() {
            match error {
                TrainError::Prepare(error) => of_prepare(error),
                TrainError::Device { .. } => Some("use --device auto (the best there is) or --device cpu"),
                TrainError::PriorNetwork { .. } => Some("name another file with --prior-network, or none"),
                TrainError::Diverged { .. } => {
                    Some("use a smaller --learning-rate, a third of the present one for a start")
                }
                TrainError::Checkpoint(CheckpointError::OtherRun { .. }) => {
                    Some("use the settings and data it was begun with, or train without --resume")
                }
                TrainError::Checkpoint(CheckpointError::Broken { .. }) => Some("train without --resume"),
                TrainError::Checkpoint(CheckpointError::Io { .. }) => None,
                TrainError::Cancelled(_) | TrainError::Setting { .. } | TrainError::Model(_) | TrainError::Merge(_) => {
                    None
                }
            }
        } else if let Some(error) = cause.downcast_ref::<PrepareError>() {
            of_prepare(error)
        } else if let Some(error) = cause.downcast_ref::<H5adError>() {
            of_h5ad(error)
        } else if let Some(error) = cause.downcast_ref::<TextError>() {
            of_text(error)
        } else if let Some(error) = cause.downcast_ref::<TooLarge>() {
            return Some(of_memory(error));
        } else if cause.is::<toml::de::Error>() {
            Some("correct the file; grn-explorer inspect DATA --write-import FILE writes one")
        } else if let Some(error) = cause.downcast_ref::<std::io::Error>() {
            of_system(error.kind())
        } else {
            None
        };
        if let Some(found) = found {
            return Some(found.to_owned());
        }
    }
    None
}

fn of_prepare(error: &PrepareError) -> Option<&'static str> {
    match error {
        PrepareError::NotCounts { .. } => Some(
            "name the matrix with raw counts: --matrix layers/counts or --matrix raw/X; expected counts of a simulator, which are no \
                 whole numbers, are taken with --matrix-kind counts",
        ),
        PrepareError::NoControls => Some(
            "name the control label with --control LABEL; grn-explorer inspect FILE shows the column that was read",
        ),
        PrepareError::NoPerturbations { .. } => Some(
            "lower --minimum-cells, or check the column with grn-explorer inspect FILE and name it with --perturbation-column",
        ),
        PrepareError::NoCombinations => Some("use --split perturbations, or leave --split away"),
        PrepareError::NothingToTrain { .. } => Some("give a smaller --held-out-share"),
        PrepareError::UnknownPerturbation { .. } => Some("grn-explorer inspect FILE --all lists the perturbations"),
        _ => None,
    }
}

fn of_memory(error: &TooLarge) -> String {
    let option = |change: &Change| match change.setting.option() {
        option if option.starts_with("--") => format!("{option} {}", change.to),
        setting => format!("{} as {setting}", change.to),
    };
    let changes: Vec<String> = error.changes.iter().map(option).collect();
    let changes =
        if changes.is_empty() { "lower the settings".to_owned() } else { format!("use {}", changes.join(", or ")) };
    format!("{changes}; --ignore-memory goes ahead all the same")
}

fn of_h5ad(error: &H5adError) -> Option<&'static str> {
    match error {
        H5adError::NotHdf5 { .. } => {
            Some("give an .h5ad or 10x .h5 file, a matrix.mtx with its lists, or a table of counts (.csv, .tsv)")
        }
        H5adError::Write { reason } if reason.contains("No space left") => of_system(ErrorKind::StorageFull),
        H5adError::Open { reason } if reason.contains("No such file") => of_system(ErrorKind::NotFound),
        _ => None,
    }
}

fn of_text(error: &TextError) -> Option<&'static str> {
    match error {
        TextError::Missing { .. } | TextError::Sizes { .. } => {
            Some("keep matrix, genes and barcodes of one sample together in a folder")
        }
        TextError::OtherCells { .. } => Some("name the table of this data set with --labels FILE, or --labels none"),
        _ => None,
    }
}

fn of_system(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::NotFound => Some("check the path"),
        ErrorKind::PermissionDenied => Some("choose a place that you may read and write"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Some("free some space, or write to another place with -o; nothing half-written was left behind")
        }
        ErrorKind::ReadOnlyFilesystem => Some("write to another place with -o"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    fn storage_full() -> anyhow::Error {
        anyhow::Error::new(std::io::Error::from(ErrorKind::StorageFull)).context("cannot write model.safetensors")
    }

    #[test]
    fn a_full_disk_is_told_with_its_remedy() {
        assert!(chain(&storage_full()).starts_with("cannot write model.safetensors: "));
        assert!(remedy(&storage_full()).unwrap().contains("free some space"));
    }

    #[test]
    fn causes_are_told_once() {
        let error =
            Err::<(), _>(anyhow::anyhow!("disk on fire")).context("edges.tsv could not be written: disk on fire");
        assert_eq!(chain(&error.unwrap_err()), "edges.tsv could not be written: disk on fire");
    }

    #[test]
    fn a_cancelled_task_is_no_failure_however_deep_it_lies() {
        assert!(is_cancelled(&anyhow::Error::new(Cancelled).context("training")));
        assert!(is_cancelled(&anyhow::Error::new(TrainError::from(PrepareError::Cancelled(Cancelled)))));
        assert!(is_cancelled(&anyhow::Error::new(H5adError::Cancelled(Cancelled)).context("cannot open a.h5ad")));
        assert!(!is_cancelled(&storage_full()));
    }
}
