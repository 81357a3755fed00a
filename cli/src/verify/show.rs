//! Matrices to lines for people.

use super::{Cell, Column, Judgement, Matrix, Origin, Row};
use crate::paint::{Paint, pad, shorten};
use crate::table::wrapped;

/// Columns of the screen.
const WIDTH: usize = 100;
/// Of a line's name.
const NAME: usize = 46;
/// Of a cell, with the blank after it.
const CELL: usize = 9;

/// One matrix.
#[must_use]
pub fn text(matrix: &Matrix, paint: Paint) -> String {
    let mut out = format!("{} on a host that is {}\n", paint.bold(&matrix.policy), matrix.host);
    for (column, why) in &matrix.absent {
        let line = format!("{} is not tried: {why}", column.word());
        out.push_str(&format!("  {}\n", wrapped(&line, WIDTH - 2, "    ")));
    }
    let columns: Vec<Column> = matrix
        .rows
        .iter()
        .find(|row| !row.cells.is_empty())
        .map(|row| row.cells.iter().map(|c| c.0).collect())
        .unwrap_or_default();
    let heads: String = columns.iter().map(|column| pad(column.word(), CELL)).collect();
    for (origin, name) in [(Origin::Test, "tests"), (Origin::Attack, "attacks")] {
        let rows: Vec<_> = matrix.rows.iter().filter(|row| row.origin == origin).collect();
        if rows.is_empty() {
            out.push_str(&format!("  {}: none\n", paint.bold(name)));
            continue;
        }
        out.push_str(&format!("  {} {heads}\n", paint.bold(&pad(name, NAME + 10))));
        rows.iter().for_each(|row| out.push_str(&line(row, paint)));
    }
    out.push_str(&format!("{}\n", summary(matrix)));
    out
}

fn line(row: &Row, paint: Paint) -> String {
    let name = if row.origin == Origin::Test { &row.text } else { &row.title };
    let word = pad(row.result.word(), 9);
    let word = match row.result {
        Judgement::Stopped | Judgement::Permitted => paint.good(&word),
        Judgement::Differs | Judgement::NotRun => paint.bad(&word),
        Judgement::Leaks | Judgement::Vacuous | Judgement::NotApplicable => paint.dim(&word),
    };
    let cells: String =
        row.cells.iter().map(|(_, cell)| pad(&shorten(&shown(cell), CELL - 1), CELL)).collect();
    let mut out =
        format!("  {} {word} {}\n", pad(&shorten(name, NAME), NAME), cells.trim_end()).replace(" \n", "\n");
    // The cells of what is vacuous say it already.
    if !row.why.is_empty() && row.result != Judgement::Vacuous {
        let at = if row.at.is_empty() { String::new() } else { format!("{}: ", row.at) };
        out.push_str(&format!("      {}\n", wrapped(&format!("{at}{}", row.why), WIDTH - 6, "      ")));
    }
    out
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Stopped(by) => by.clone(),
        Cell::Passed => "passed".into(),
        Cell::NotRun(_) => "NOT RUN".into(),
    }
}

/// How many lines came to what.
fn summary(matrix: &Matrix) -> String {
    let all = [
        Judgement::Stopped,
        Judgement::Permitted,
        Judgement::Leaks,
        Judgement::Differs,
        Judgement::Vacuous,
        Judgement::NotApplicable,
        Judgement::NotRun,
    ];
    let counts =
        all.map(|judgement| (judgement, matrix.rows.iter().filter(|row| row.result == judgement).count()));
    let shown: Vec<_> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(j, count)| format!("{count} {}", j.word()))
        .collect();
    shown.join(", ")
}
