//! Building blocks of the networks.
//!
//! Candle's own operations serve every device. On the processor the hot parts have their own forward and backward
//! ([`linear`], [`branches`], [`counts`]); each has a plain formula beside it, which GPUs use and tests compare with.

pub mod adam;
pub mod branches;
pub mod counts;
pub mod kernels;
pub mod linear;
pub mod mlp;
pub mod parameters;
pub mod vector;
