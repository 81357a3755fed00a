//! The project's own Markdown (headings, paragraphs, lists, tables, fenced blocks) to a manual page.

use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

/// A page with this title, section, date, source and description.
pub fn page(text: &str, [title, section, date, source, about]: [&str; 5]) -> String {
    let mut roff = Roff::new();
    roff.control("TH", [title, section, date, source]);
    roff.control("SH", ["NAME"]).text([roman(format!("{title} - {about}"))]);
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            roff.control("PP", []).control("RS", ["4"]).control("nf", []);
            for code in lines.by_ref().take_while(|l| !l.starts_with("```")) {
                roff.text([roman(code)]);
            }
            roff.control("fi", []).control("RE", []);
        } else if let Some(heading) = line.strip_prefix("### ") {
            roff.control("SS", [plain(heading).as_str()]);
        } else if let Some(heading) = line.strip_prefix("## ") {
            roff.control("SH", [plain(heading).to_uppercase().as_str()]);
        } else if line.starts_with("# ") {
            roff.control("SH", ["DESCRIPTION"]);
        } else if line.starts_with('|') {
            let is_head = lines.next_if(|l| l.starts_with("|---")).is_some();
            if !is_head {
                row(line, &mut roff);
            }
        } else if let Some(item) = line.strip_prefix("- ") {
            // The table of contents leads nowhere on paper.
            if !item.starts_with("[") {
                roff.control("IP", ["\u{2022}", "2"]).text(inline(item));
            }
        } else if line.is_empty() {
            roff.control("PP", []);
        } else {
            roff.text(inline(line));
        }
    }
    roff.render()
}

/// A row of a table as a term and what there is to say of it.
fn row(line: &str, roff: &mut Roff) {
    let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
    if let Some((first, rest)) = cells.split_first() {
        roff.control("TP", []).text(inline(first)).text(inline(&rest.join("; ")));
    }
}

/// Text with its bold and quoted parts in bold, and links as their text.
fn inline(text: &str) -> Vec<Inline> {
    let mut out = Vec::new();
    for (number, part) in text.split('`').enumerate() {
        if number % 2 == 1 {
            out.push(bold(part));
            continue;
        }
        for (number, part) in without_links(part).split("**").enumerate() {
            if number % 2 == 1 {
                out.push(bold(part));
            } else {
                out.extend(
                    part.split('*').enumerate().map(|(n, p)| if n % 2 == 1 { italic(p) } else { roman(p) }),
                );
            }
        }
    }
    out.retain(|i| !matches!(i, Inline::Roman(t) | Inline::Bold(t) | Inline::Italic(t) if t.is_empty()));
    out
}

fn plain(text: &str) -> String {
    without_links(text).replace(['`', '*'], "")
}

/// `[text](place)` to `text`.
fn without_links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        let (Some((lead, shown)), Some((_, tail))) = (before.rsplit_once('['), after.split_once(')')) else {
            break;
        };
        out.push_str(lead);
        out.push_str(shown);
        rest = tail;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_has_its_place_on_the_page() {
        let text = "# T\n\nA `b*` [link](x) **c** *d*.\n\n## Two\n\n| a | b |\n|---|---|\n| `x` | what |\n\n- one\n\n```can\n.dot 'q \\\\\n```\n";
        let page = page(text, ["canc", "5", "", "canc", "about"]);
        for part in [
            ".TH canc 5",
            ".SH NAME\ncanc \\- about",
            "A \\fBb*\\fR link \\fBc\\fR \\fId\\fR.",
            ".SH TWO",
            ".TP\n\\fBx\\fR\nwhat\n",
            "one\n",
            ".nf\n\\&.dot",
        ] {
            assert!(page.contains(part), "{part:?} is not in\n{page}");
        }
        assert!(!page.contains("|---") && !page.contains("```"), "{page}");
    }
}
