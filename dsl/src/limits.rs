//! Limits that keep a hostile text harmless. Each one has its own error; none is reached by a policy that a person wrote.

/// The longest source text, in bytes. A caller should read no more than one byte over it.
pub const MAX_FILE_BYTES: usize = 16 << 20;
/// The longest line, in bytes.
pub const MAX_LINE_BYTES: usize = 64 << 10;
/// The longest statement, in bytes, without its block.
pub const MAX_STATEMENT_BYTES: usize = 512 << 10;
/// The most statements and comments of one text.
pub const MAX_STATEMENTS: usize = 500_000;
/// The most items of one text: lets, parameters, fragments, policies, tests and the rest.
pub const MAX_ITEMS: usize = 20_000;
/// The longest string, in bytes, as written and after interpolation: Linux's `PATH_MAX`.
pub const MAX_STRING_BYTES: usize = 4096;
/// The longest `"""raw"""` text, in bytes.
pub const MAX_RAW_BYTES: usize = 60 << 10;
/// How deep blocks, lists and parentheses may stand in each other.
pub const MAX_NESTING: usize = 32;
/// The longest name that a policy gives to something, in bytes.
pub const MAX_NAME_BYTES: usize = 48;
/// The most texts of one compilation, the standard library's included.
pub const MAX_FILES: usize = 256;
/// How many `use` statements may lead from the first file to another.
pub const MAX_USE_DEPTH: usize = 16;
/// How many `include` statements may lead from a policy to a rule.
pub const MAX_INCLUDE_DEPTH: usize = 16;
/// The most fragments that one policy may include, counted with their arguments.
pub const MAX_INCLUDES: usize = 4096;
/// The most policies of one compilation.
pub const MAX_POLICIES: usize = 120;
/// The most rules of one compilation, those of included fragments counted each time.
pub const MAX_RULES: usize = 250_000;
/// The most paths, ports, addresses, names and system calls that the sets of one compilation may expand to. Of a path with
/// alternatives, each 8 bytes of each expansion count as one.
pub const MAX_VALUES: usize = 1_000_000;
/// The most comparisons in one condition.
pub const MAX_TESTS: usize = 8192;
/// The most parameters of a fragment or template.
pub const MAX_PARAMETERS: usize = 64;
/// The most pairs of patterns that are looked at to find two rules that claim one path.
pub const MAX_PAIRS: usize = 2_000_000;
/// The most of those pairs that are compared by automaton, because nothing simpler tells them apart.
pub const MAX_COMPARISONS: usize = 512;
/// The most diagnostics of one compilation; a last one says that there were more.
pub const MAX_DIAGNOSTICS: usize = 1_000;
/// The most known words that an unknown one is compared with for a "did you mean".
pub const MAX_CANDIDATES: usize = 500;
