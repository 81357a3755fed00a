//! What a host offers to confine programs with, and what it can enforce of a policy, to lines for people.

pub mod policy;
mod tools;

pub use tools::tools;

use crate::paint::{Paint, pad};
use crate::table::wrapped;
use canc_runtime::diagnose::{Check, State};
use canc_runtime::survey::Survey;

/// The columns before what was found.
const INDENT: usize = 28;
const WIDTH: usize = 100;

/// The checks, one after the other.
#[must_use]
pub fn text(survey: &Survey, checks: &[Check], confines: bool, paint: Paint) -> String {
    let mut out = format!("Linux {} on {}, asked by user {}\n", survey.kernel, survey.arch, survey.uid);
    for check in checks {
        let word = pad(check.state.word(), 8);
        let word = match check.state {
            State::Works => paint.good(&word),
            State::Limited | State::Unknown => paint.dim(&word),
            State::Missing => paint.bad(&word),
        };
        let found = folded(&check.found, INDENT);
        out.push_str(&format!("  {} {word} {found}\n", paint.bold(&pad(&check.what, 16))));
        let blanks = " ".repeat(INDENT);
        if let Some(cause) = &check.cause {
            out.push_str(&format!("{blanks}because {}\n", folded(cause, INDENT + 8)));
        }
        // A command stays on one line, so that it can be copied.
        if let Some(fix) = &check.fix {
            out.push_str(&format!("{blanks}to mend it: {fix}\n"));
        }
    }
    out.push_str(if confines {
        "programs can be confined here\n"
    } else {
        "programs cannot be confined here: filters and one layer that knows files are needed\n"
    });
    out
}

/// A text that starts at a column, in lines that do too.
fn folded(text: &str, column: usize) -> String {
    wrapped(text, WIDTH - column, "").replace('\n', &format!("\n{}", " ".repeat(column)))
}
