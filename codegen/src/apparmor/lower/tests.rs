//! placeholder while it compiles
