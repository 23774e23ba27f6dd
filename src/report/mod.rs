//! What people look at: figures and one page, made from a run's folder and from nothing else.
//!
//! | where | what |
//! |---|---|
//! | [`chart`] | what is drawn, whatever draws it |
//!
//! A chart is made once, from tables, and drawn twice: on paper (SVG and PNG, in `figures/`) and on the page
//! (`report.html`), where it can be hovered over and zoomed into.

pub mod chart;
