//! Whether a run fits into memory, before it begins.

use super::console::Console;
use super::text::table;
use crate::data::Dataset;
use crate::models::TrainConfig;
use crate::tasks::memory::{self, MemoryEstimate};
use crate::training::DeviceChoice;
use crate::words::byte_size;

/// Refuse a run that will not fit, unless `ignored`. What it needs is told with `--verbose`.
pub(super) fn check(
    dataset: &Dataset,
    config: &TrainConfig,
    device: DeviceChoice,
    ignored: bool,
    console: &Console,
) -> anyhow::Result<()> {
    let found = memory::check_now(dataset, config, device);
    let estimate = found.as_ref().unwrap_or_else(|error| &error.estimate);
    console.detail(&format!("Training needs {}\n{}", estimate.in_words(), parts(estimate)));
    match found {
        Err(error) if ignored => {
            console.tell(&format!("{error}; going on all the same"));
            Ok(())
        }
        Err(error) => Err(error.into()),
        Ok(_) => Ok(()),
    }
}

fn parts(estimate: &MemoryEstimate) -> String {
    let row = |part: &memory::Part| vec![format!("  {}", part.name), byte_size(part.bytes)];
    let rows: Vec<Vec<String>> = estimate.parts.iter().map(row).collect();
    table(&["  for", "at most"], &rows).trim_end().to_owned()
}
