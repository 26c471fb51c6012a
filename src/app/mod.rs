//! The window. The only room that names egui.
//!
//! One frame: `logic` takes what background work sent and applies the queued [`Action`]s to the [`State`]; `ui` draws
//! the state. Panels and views read the state and push actions; nothing else changes it. A closed list of
//! [`Command`]s feeds menu, palette and shortcuts, and each becomes an action.

pub mod action;
mod apply;
pub mod attached;
pub mod chooser;
pub mod command;
pub mod evaluations;
pub mod findings;
mod memo;
mod opened;
mod panels;
pub mod state;
pub mod theme;
pub mod views;
pub mod widgets;
mod window;
mod work;

pub use action::{Action, ExportContent, ExportFormat, ExportRequest, NetworkParts, TableMaker};
pub use command::Command;
pub use state::State;
pub use window::{App, Setup, run};
