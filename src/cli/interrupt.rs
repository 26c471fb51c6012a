//! Ctrl-C: counts requests to end. Nothing listens to the signal yet: Ctrl-C ends the program at once.

use std::sync::atomic::{AtomicU32, Ordering};

static PRESSED: AtomicU32 = AtomicU32::new(0);

/// Forget earlier requests. The place where a signal handler belongs.
pub(super) fn install() {
    let _ = super::failure::INTERRUPTED;
    PRESSED.store(0, Ordering::Relaxed);
}

/// How often it was pressed.
pub(super) fn count() -> u32 {
    PRESSED.load(Ordering::Relaxed)
}
