//! A figure is data first; one drawing of it becomes SVG, and from that PNG and PDF.

pub mod scene;
