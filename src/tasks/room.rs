//! How much of a screen this machine can hold, and what goes first.

use crate::data::{GeneMoments, RankGenes, Room};
use crate::preprocess::variable_genes::rank_by_dispersion;

/// Part of the free memory that a matrix may take: preparing and training need about as much again, and the machine does
/// other work too.
const SHARE: u64 = 4;
/// Where the system does not tell.
const UNKNOWN: u64 = 8 << 30;

/// The most variable genes first, by normalised dispersion.
struct ByDispersion;

impl RankGenes for ByDispersion {
    fn rank(&self, genes: &GeneMoments) -> Vec<u32> {
        rank_by_dispersion(genes)
    }
}

/// The room that this machine has for a matrix now.
pub fn room() -> Room<'static> {
    Room { bytes: free() / SHARE, rank: &ByDispersion, genes: None }
}

/// Bytes of memory that this program may still take.
pub(super) fn free() -> u64 {
    available().unwrap_or(UNKNOWN)
}

/// Bytes of memory that programs may still take, as far as the system tells: what is free or can be freed, but no more than
/// a container allows.
fn available() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let free = read("/proc/meminfo").and_then(|text| meminfo(&text));
    let number = |path: &str| read(path)?.trim().parse::<u64>().ok();
    let limit = number("/sys/fs/cgroup/memory.max")
        .map(|most| most.saturating_sub(number("/sys/fs/cgroup/memory.current").unwrap_or(0)));
    free.into_iter().chain(limit).min()
}

/// `MemAvailable` of Linux' `/proc/meminfo`, in bytes.
fn meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_read() {
        assert_eq!(meminfo("MemTotal:  24 kB\nMemAvailable:   22964960 kB\n"), Some(22_964_960 * 1024));
        assert_eq!(meminfo("MemTotal: 24 kB\n"), None);
        assert!(room().bytes > 1 << 20);
    }
}
