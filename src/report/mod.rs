//! What people look at: figures and one page, made from a run's folder and from nothing else.
//!
//! | where | what |
//! |---|---|
//! | [`data`] | the run's tables, read once and thinned to what can be seen |
//! | [`chart`] | what is drawn, whatever draws it |
//! | [`charts`] | the charts of a study, of a case's day and of a slot |
//!
//! A chart is made once, from tables, and drawn twice: on paper (SVG and PNG, in `figures/`) and on the page
//! (`report.html`), where it can be hovered over and zoomed into.

pub mod chart;
pub mod charts;
pub mod data;
