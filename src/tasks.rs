//! Load, prepare, train, predict, export: what the window and the command line both do, once.
//!
//! Each task takes what it needs by value or shared, reports to a [`Progress`](crate::jobs::Progress) and returns an
//! error whose chain says what failed and why; the caller adds what to do.

pub mod arrange;
pub mod badges;
pub mod benchmark;
pub mod cell_response;
pub mod cells;
pub mod compare;
pub mod edge_tests;
pub mod evaluate;
pub mod figure;
pub mod gene_list;
pub mod guides;
pub mod heat_map;
pub mod import_choices;
pub mod interactions;
pub mod look;
pub mod memory;
pub mod methods;
pub mod movers;
pub mod networks;
pub mod open;
pub mod preprocess;
pub mod quality;
mod rankings;
pub mod report;
mod room;
pub mod sample;
pub mod simulate;
pub mod tables;
pub mod train;
