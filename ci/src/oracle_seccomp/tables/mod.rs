//! Kernel headers and systemd's own listing to the data files of `sets/data`. It knows nothing of the compiler.

pub mod args;
pub mod constants;
pub mod groups;
pub mod numbers;
