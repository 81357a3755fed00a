//! What the kernel did under each column to what a row comes to. Pure.

use super::{Cell, Column, Judgement, Outcome, Reading, Want};

/// Errors that a layer gives.
const REFUSALS: [&str; 3] = ["EPERM", "EACCES", "ENOSYS"];

/// Whether an error with no layer is one that comes after the decision.
fn comes_after(reading: Reading, error: &str) -> bool {
    match reading {
        Reading::Plain | Reading::Identity | Reading::State(_) => false,
        Reading::Socket => matches!(error, "ECONNREFUSED" | "EADDRINUSE"),
        Reading::Call => !REFUSALS.contains(&error),
    }
}

/// What one outcome means, seen beside the outcome with no layer.
#[must_use]
pub fn cell(reading: Reading, outcome: &Outcome, bare: &Outcome) -> Cell {
    match outcome {
        Outcome::Done => Cell::Passed,
        Outcome::Error(error) if outcome == bare && comes_after(reading, error) => Cell::Passed,
        Outcome::Error(error) => Cell::Stopped(error.clone()),
        Outcome::Killed(signal) => Cell::Stopped(format!("signal {signal}")),
        Outcome::NotRun(why) => Cell::NotRun(why.clone()),
    }
}

/// What a row comes to, and why.
#[must_use]
pub fn judge(want: &Want, cells: &[(Column, Cell)]) -> (Judgement, String) {
    let found = |column| cells.iter().find(|(c, _)| *c == column).map(|(_, cell)| cell);
    if let Some((column, why)) = cells.iter().find_map(|(column, cell)| match cell {
        Cell::NotRun(why) => Some((column, why)),
        _ => None,
    }) {
        return (Judgement::NotRun, format!("under {}: {why}", column.word()));
    }
    let (Some(all), Some(bare)) = (found(Column::All), found(Column::None)) else {
        return (Judgement::NotRun, "nothing was performed".into());
    };
    match (want, all, bare) {
        // Whatever the reason, a request that the policy denies got through.
        (Want::Refused, Cell::Passed, _) => {
            (Judgement::Differs, "the policy denies it, and it passes with all layers on".into())
        }
        (Want::Refused | Want::Leaks(_), Cell::Stopped(_), Cell::Passed) => {
            (Judgement::Stopped, String::new())
        }
        (Want::Leaks(why), Cell::Passed, _) => (Judgement::Leaks, why.clone()),
        (Want::Permitted, Cell::Passed, _) => (Judgement::Permitted, String::new()),
        (Want::Permitted, Cell::Stopped(by), Cell::Passed) => (
            Judgement::Differs,
            format!("the policy allows it, and it is refused with {by}{}", by_whom(cells)),
        ),
        (_, _, Cell::Stopped(by)) => (Judgement::Vacuous, format!("with no layer it fails as well: {by}")),
        (_, _, _) => (Judgement::NotRun, "the answers make no sense".into()),
    }
}

/// The layers that refuse by themselves.
fn by_whom(cells: &[(Column, Cell)]) -> String {
    let refusing: Vec<_> = cells
        .iter()
        .filter(|(column, cell)| {
            matches!((column, cell), (Column::Only(_) | Column::Runtime, Cell::Stopped(_)))
        })
        .map(|(column, _)| column.word())
        .collect();
    if refusing.is_empty() { String::new() } else { format!(" by {}", refusing.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use canc_runtime::Layer;

    fn error(name: &str) -> Outcome {
        Outcome::Error(name.into())
    }

    fn judged(want: &Want, all: Cell, bare: Cell) -> Judgement {
        let alone = (Column::Only(Layer::Landlock), all.clone());
        judge(want, &[(Column::All, all), alone, (Column::None, bare)]).0
    }

    fn stopped() -> Cell {
        Cell::Stopped("EACCES".into())
    }

    #[test]
    fn a_refusal_counts_only_beside_a_success_without_layers() {
        assert_eq!(judged(&Want::Refused, stopped(), Cell::Passed), Judgement::Stopped);
        assert_eq!(judged(&Want::Refused, stopped(), stopped()), Judgement::Vacuous);
        assert_eq!(judged(&Want::Refused, Cell::Passed, Cell::Passed), Judgement::Differs);
        assert_eq!(judged(&Want::Refused, Cell::Passed, stopped()), Judgement::Differs);
    }

    #[test]
    fn what_is_allowed_must_work_and_what_leaks_may() {
        assert_eq!(judged(&Want::Permitted, Cell::Passed, Cell::Passed), Judgement::Permitted);
        assert_eq!(judged(&Want::Permitted, stopped(), Cell::Passed), Judgement::Differs);
        assert_eq!(judged(&Want::Permitted, stopped(), stopped()), Judgement::Vacuous);
        let leaks = Want::Leaks("why".into());
        assert_eq!(judged(&leaks, Cell::Passed, Cell::Passed), Judgement::Leaks);
        assert_eq!(judged(&leaks, stopped(), Cell::Passed), Judgement::Stopped);
    }

    #[test]
    fn what_could_not_run_is_never_a_pass() {
        for want in [Want::Refused, Want::Permitted, Want::Leaks(String::new())] {
            for cell in [Cell::Passed, stopped()] {
                let missing = Cell::NotRun("gone".into());
                assert_eq!(judged(&want, missing.clone(), cell.clone()), Judgement::NotRun);
                assert_eq!(judged(&want, cell, missing), Judgement::NotRun);
            }
        }
        assert_eq!(judge(&Want::Refused, &[(Column::All, stopped())]).0, Judgement::NotRun);
    }

    #[test]
    fn an_error_after_the_decision_is_a_pass_only_if_it_is_the_same_without_layers() {
        let call = |outcome, bare| cell(Reading::Call, &outcome, &bare);
        assert_eq!(call(error("EFAULT"), error("EFAULT")), Cell::Passed);
        assert_eq!(call(error("EPERM"), error("EFAULT")), Cell::Stopped("EPERM".into()));
        // The kernel itself refuses it, so that nothing can be told.
        assert_eq!(call(error("EPERM"), error("EPERM")), Cell::Stopped("EPERM".into()));
        assert_eq!(cell(Reading::Plain, &error("ENOENT"), &error("ENOENT")), Cell::Stopped("ENOENT".into()));
        let socket = |name| cell(Reading::Socket, &error(name), &error(name));
        assert_eq!(socket("ECONNREFUSED"), Cell::Passed);
        assert_eq!(socket("EACCES"), Cell::Stopped("EACCES".into()));
    }
}
