//! What a policy means: rules to exact sets of requests, and sets of requests to answers with witnesses.
//!
//! A set of requests is a union of boxes: a kind, and for each of the kind's selectors (path, port, peer, …) an exact set.
//! Boxes are closed under intersection and difference, so every question about rules ends in "is this union empty, and if not,
//! what is in it". System calls have sets of their own, because their selectors are words.

mod boxes;
mod evaluate;
mod from_body;
mod show;
#[cfg(test)]
mod tests;

pub use boxes::{Dim, Kind, Region, RequestSet};
pub use evaluate::{Evaluator, Verdict};
pub use from_body::{
    Peers, allow_regions, body_classes, body_regions, literals, mount_options, request_regions,
};
