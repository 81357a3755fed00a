//! The feature `libselinux` to the library that the static libselinux.a itself needs.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_LIBSELINUX").is_some() {
        println!("cargo:rustc-link-lib=static:-bundle=pcre2-8");
    }
}
