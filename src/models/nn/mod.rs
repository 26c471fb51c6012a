//! Building blocks of the networks.
//!
//! [`linear`], [`mlp`] and the formulas of [`counts`] are networks of tensors, for every device. [`matrix`], [`dense`],
//! [`normal`], the loops of [`counts`] and [`vector`] are the same on slices, forward and backward, for the processor; [`gpu`] is what a
//! step on a GPU needs: memory, kernels of our own, products, draws.

pub mod adam;
pub mod counts;
pub mod dense;
pub mod gpu;
pub mod kernels;
pub mod linear;
pub mod matrix;
pub mod mlp;
pub mod normal;
pub mod parameters;
pub mod vector;
