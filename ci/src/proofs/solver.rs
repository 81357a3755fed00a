//! Questions in SMT-LIB to the solver's answers: never, or an input.

use crate::Error;
use crate::run::Run;
use canc_codegen::seccomp::sim::Data;
use std::time::Duration;

/// What is asked for when there is an input.
const VALUES: &str = "(get-value (arch nr arg0 arg1 arg2 arg3 arg4 arg5))\n";

/// Two terms that should be equal for every system call, and what defines them.
#[derive(Debug)]
pub struct Question {
    /// Definitions of both.
    pub definitions: String,
    /// One term.
    pub one: &'static str,
    /// The other.
    pub other: &'static str,
}

impl Question {
    fn text(&self) -> String {
        let Self { definitions, one, other } = self;
        format!("{definitions}(assert (not (= {one} {other})))\n(check-sat)\n")
    }
}

/// Asks questions in one run. The first whose terms differ is returned with an input for which they do.
///
/// # Errors
/// No solver, or one that does not know.
pub fn first_difference(questions: &[Question]) -> Result<Option<(usize, Data)>, Error> {
    let text: String = questions.iter().map(|q| format!("(push)\n{}(pop)\n", q.text())).collect();
    let said = ask(&text)?;
    let answers: Vec<&str> = said.lines().collect();
    if answers.len() != questions.len() {
        return Err(Error::Odd(format!(
            "z3 answers {} of {} questions: {said}",
            answers.len(),
            questions.len()
        )));
    }
    let open = answers.iter().position(|answer| *answer != "unsat");
    let Some((at, question)) = open.and_then(|at| Some((at, questions.get(at)?))) else { return Ok(None) };
    let answer = ask(&format!("{}{VALUES}", question.text()))?;
    let data = answer.strip_prefix("sat\n").and_then(data);
    data.map(|data| Some((at, data))).ok_or_else(|| Error::Odd(format!("z3 says {answer}")))
}

fn ask(questions: &str) -> Result<String, Error> {
    let text = format!("(set-logic QF_BV)\n{}{questions}", super::formula::CALL);
    Ok(Run::new("z3").args(["-in", "-smt2"]).input(text).limit(Duration::from_secs(120)).ok()?.text())
}

/// The words of an answer, which the solver writes in order, each as `(name #xffff)`.
fn data(answer: &str) -> Option<Data> {
    let mut values = answer
        .split("#x")
        .skip(1)
        .map(|rest| u64::from_str_radix(rest.split(')').next().unwrap_or_default(), 16).ok());
    let (arch, nr) = (u32::try_from(values.next()??).ok()?, u32::try_from(values.next()??).ok()?);
    let args: Vec<u64> = values.collect::<Option<_>>()?;
    Some(Data { arch, nr, args: args.try_into().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_read() {
        let answer = "((arch #xc000003e)\n (nr #x00000010)\n (arg0 #x0000000000000001)\n (arg1 #x00000000ffffffff)\n (arg2 \
            #x0000000000000000)\n (arg3 #x0000000000000000)\n (arg4 #x0000000000000000)\n (arg5 #x8000000000000000))\n";
        let wanted = Data { arch: 0xc000_003e, nr: 16, args: [1, 0xffff_ffff, 0, 0, 0, 1 << 63] };
        assert_eq!(data(answer), Some(wanted));
        assert_eq!(data("((arch #xc000003e))"), None);
    }
}
