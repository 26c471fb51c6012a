//! Integration tests, one file per subject, in one binary.

// Tests print why they skip and what they measured.
#![allow(clippy::print_stdout)]

mod architecture;
mod benchmark;
mod cell_response;
mod cli;
mod damaged_files;
mod escape;
mod figures;
mod gpo_vae_golden;
mod guides;
mod h5ad;
mod h5ad_variants;
mod judging;
mod large_screens;
mod metrics_golden;
mod negative_controls;
mod networks;
mod prepare;
mod preprocess_golden;
mod preview;
mod reference;
mod same_picture;
mod simulate;
mod text_formats;
mod training;
mod unseen;
mod views;
mod window;
