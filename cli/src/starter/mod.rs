//! What is found on this machine about a program to a first policy for it, with a comment on everything that is not certain.

mod find;

pub use find::find;

use askama::Template;
use canc_dsl::spell;

/// What is known about a program.
#[derive(Debug, Default)]
pub struct Found {
    /// Where it is, without symbolic links.
    pub path: String,
    /// Its dynamic linker.
    pub interpreter: Option<String>,
    /// The libraries that it names.
    pub libraries: Vec<String>,
    /// The package that it comes from.
    pub package: Option<String>,
    /// What of the package's files it may want to read.
    pub files: Vec<Readable>,
    /// How many more files of the package there are in directories that other packages have too.
    pub left_out: usize,
    /// What its unit says.
    pub unit: Option<Service>,
    /// TCP ports and paths of sockets that units hold for it, with the unit's name.
    pub ports: Vec<(u16, String)>,
    /// The same of sockets with a path.
    pub sockets: Vec<(String, String)>,
}

/// A file, or a directory with all that is in it.
#[derive(Debug)]
pub struct Readable {
    /// Without a final `/`.
    pub path: String,
    /// With everything below it.
    pub whole: bool,
    /// Libraries are below it.
    pub map: bool,
}

/// What the unit of a service says.
#[derive(Debug, Default)]
pub struct Service {
    /// `cron.service`
    pub name: String,
    /// The user that it runs as, where the unit says so.
    pub user: Option<String>,
    /// Directories that systemd makes for it, with the setting that says so.
    pub directories: Vec<(String, &'static str)>,
    /// Where it writes its number.
    pub pid_file: Option<String>,
    /// Capabilities that it may have at most, without `cap_`.
    pub capabilities: Vec<String>,
}

#[derive(Template)]
#[template(path = "starter.can", escape = "can")]
struct Text<'a> {
    name: &'a str,
    found: &'a Found,
}

/// The policy, before it is formatted.
#[must_use]
pub fn policy(found: &Found) -> String {
    let name = spell::name(found.path.rsplit('/').next().unwrap_or_default());
    // A string takes whatever is printed, so that printing cannot fail.
    Text { name: &name, found }.render().unwrap_or_default()
}

mod filters {
    use askama::filters::Safe;
    use askama::{Result, Values};
    use canc_dsl::spell;

    #[askama::filter_fn]
    pub fn name(text: &str, _: &dyn Values) -> Result<Safe<String>> {
        Ok(Safe(spell::name(text)))
    }

    /// A path that means itself alone.
    #[askama::filter_fn]
    pub fn path(text: &str, _: &dyn Values) -> Result<Safe<String>> {
        Ok(Safe(spell::literal_path(text)))
    }

    /// What stands between the quotes of a reason.
    #[askama::filter_fn]
    pub fn text(text: &str, _: &dyn Values) -> Result<Safe<String>> {
        Ok(Safe(spell::quoted(&line(text))))
    }

    /// A text from elsewhere that cannot end its comment.
    #[askama::filter_fn]
    pub fn note(text: &str, _: &dyn Values) -> Result<Safe<String>> {
        Ok(Safe(line(text)))
    }

    #[askama::filter_fn]
    pub fn count(number: &usize, _: &dyn Values) -> Result<Safe<String>> {
        Ok(Safe(number.to_string()))
    }

    #[askama::filter_fn]
    pub fn port(number: &u16, _: &dyn Values) -> Result<Safe<String>> {
        Ok(Safe(number.to_string()))
    }

    fn line(text: &str) -> String {
        text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
    }
}
