//! Ctrl-C: the first stops, the second cancels, the third ends the program at once.

use std::sync::atomic::{AtomicU32, Ordering};

static PRESSED: AtomicU32 = AtomicU32::new(0);

/// Listen to Ctrl-C (and the request to terminate) from now on.
pub(super) fn install() {
    let _ = super::failure::INTERRUPTED;
    PRESSED.store(0, Ordering::Relaxed);
}

/// How often it was pressed.
pub(super) fn count() -> u32 {
    PRESSED.load(Ordering::Relaxed)
}
