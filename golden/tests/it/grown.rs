//! Policies that are too large to keep: the text of a case with its repetitions written out.

/// The first line of such a policy.
pub const MARK: &str = "# expand";

/// `text` with each `«N:TEXT»` written out N times; `%` in it is the number of the repetition, from 0. They do not nest.
pub fn grown(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('«') {
        let (inner, tail) = after.split_once('»').expect("« has its »");
        let (count, part) = inner.split_once(':').expect("«N:TEXT»");
        out.push_str(before);
        (0..count.parse::<usize>().expect("a number"))
            .for_each(|n| out.push_str(&part.replace('%', &n.to_string())));
        rest = tail;
    }
    out + rest
}

#[test]
fn repetitions_are_written_out() {
    assert_eq!(grown("a«3:b%,»c«2:\n»d"), "ab0,b1,b2,c\n\nd");
}
