//! The text of a module to its statements. Text that an author wrote verbatim is left out: nobody vouches for it.

use super::ReadError;

/// What a module says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Module {
    /// Types that it declares.
    pub types: Vec<String>,
    /// Types with an attribute that they get.
    pub attributes: Vec<(String, String)>,
    /// Permissions; those of optional parts too.
    pub allows: Vec<Allow>,
    /// Types of what is new.
    pub transitions: Vec<NewType>,
    /// Domains that are not held to the policy.
    pub permissive: Vec<String>,
    /// Whether there is verbatim text besides.
    pub raw: bool,
}

/// Permissions of one class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    /// Whose.
    pub source: String,
    /// On what: a type, an attribute, or `self`.
    pub target: String,
    /// The class.
    pub class: String,
    /// The permissions.
    pub perms: Vec<String>,
}

/// The type of something new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewType {
    /// Who makes it.
    pub source: String,
    /// Where.
    pub target: String,
    /// Its class.
    pub class: String,
    /// Its type.
    pub result: String,
    /// The name for which alone this holds.
    pub name: Option<String>,
}

/// Reads a module.
///
/// # Errors
/// The first statement that no emitted module has.
pub fn read(text: &str) -> Result<Module, ReadError> {
    let mut out = Module::default();
    let mut tokens = Vec::new();
    let mut verbatim = false;
    for (line, number) in text.lines().zip(1..) {
        match line {
            RAW_BEGINS => {
                verbatim = true;
                out.raw = true;
            }
            RAW_ENDS => verbatim = false,
            _ if verbatim || line.starts_with('#') => {}
            _ => tokenize(line, number, &mut tokens)?,
        }
    }
    Reader { tokens: tokens.into_iter(), line: 1, out: &mut out }.statements()?;
    Ok(out)
}

/// The lines around verbatim text.
const RAW_BEGINS: &str = "# raw text begins";
const RAW_ENDS: &str = "# raw text ends";

/// A word or a sign, and its line.
type Token<'t> = (&'t str, usize);

fn tokenize<'t>(line: &'t str, number: usize, out: &mut Vec<Token<'t>>) -> Result<(), ReadError> {
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = match first {
            '"' => rest.get(1..).and_then(|r| r.find('"')).map(|end| end + 2),
            '{' | '}' | ':' | ';' => Some(1),
            c if is_word(c) => Some(rest.find(|c| !is_word(c)).unwrap_or(rest.len())),
            _ => None,
        };
        let Some((token, after)) = length.and_then(|l| rest.split_at_checked(l)) else {
            return Err(ReadError { line: number, what: format!("`{rest}` is not understood") });
        };
        out.push((token, number));
        rest = after.trim_start();
    }
    Ok(())
}

struct Reader<'t, 'o> {
    tokens: std::vec::IntoIter<Token<'t>>,
    line: usize,
    out: &'o mut Module,
}

impl<'t> Reader<'t, '_> {
    fn wrong(&self, what: impl Into<String>) -> ReadError {
        ReadError { line: self.line, what: what.into() }
    }

    fn next(&mut self) -> Result<&'t str, ReadError> {
        let (token, line) = self.tokens.next().ok_or_else(|| self.wrong("the text ends too soon"))?;
        self.line = line;
        Ok(token)
    }

    fn word(&mut self) -> Result<String, ReadError> {
        let token = self.next()?;
        let named = token.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
        if named {
            Ok(token.to_owned())
        } else {
            Err(self.wrong(format!("`{token}` where a name should be")))
        }
    }

    fn sign(&mut self, sign: &str) -> Result<(), ReadError> {
        let token = self.next()?;
        if token == sign { Ok(()) } else { Err(self.wrong(format!("`{token}` where `{sign}` should be"))) }
    }

    fn statements(&mut self) -> Result<(), ReadError> {
        while let Some((token, line)) = self.tokens.next() {
            self.line = line;
            match token {
                "module" => {
                    self.word()?;
                    self.next()?;
                    self.sign(";")?;
                }
                "require" => self.requirements()?,
                // What is in it counts: the modules that it hangs on may be there.
                "optional" => self.sign("{")?,
                "}" => {}
                "type" => {
                    let name = self.word()?;
                    self.out.types.push(name);
                    self.sign(";")?;
                }
                "typeattribute" => {
                    let pair = (self.word()?, self.word()?);
                    self.out.attributes.push(pair);
                    self.sign(";")?;
                }
                "allow" => {
                    let allow = self.allow()?;
                    self.out.allows.push(allow);
                }
                "auditallow" => drop(self.allow()?),
                "type_transition" => self.transition()?,
                "role" => {
                    self.word()?;
                    self.sign("types")?;
                    self.word()?;
                    self.sign(";")?;
                }
                "permissive" => {
                    let name = self.word()?;
                    self.out.permissive.push(name);
                    self.sign(";")?;
                }
                other => return Err(self.wrong(format!("`{other}` begins no statement"))),
            }
        }
        Ok(())
    }

    /// Requirements permit nothing.
    fn requirements(&mut self) -> Result<(), ReadError> {
        self.sign("{")?;
        let mut depth = 1;
        while depth > 0 {
            match self.next()? {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
        }
        Ok(())
    }

    fn allow(&mut self) -> Result<Allow, ReadError> {
        let (source, target) = (self.word()?, self.word()?);
        self.sign(":")?;
        let class = self.word()?;
        self.sign("{")?;
        let mut perms = Vec::new();
        loop {
            match self.next()? {
                "}" => break,
                perm => perms.push(perm.to_owned()),
            }
        }
        self.sign(";")?;
        Ok(Allow { source, target, class, perms })
    }

    fn transition(&mut self) -> Result<(), ReadError> {
        let (source, target) = (self.word()?, self.word()?);
        self.sign(":")?;
        let (class, result) = (self.word()?, self.word()?);
        let name = match self.next()? {
            ";" => None,
            name => {
                let plain = name.strip_prefix('"').and_then(|n| n.strip_suffix('"'));
                let plain =
                    plain.ok_or_else(|| self.wrong(format!("`{name}` where a file's name should be")))?;
                self.sign(";")?;
                Some(plain.to_owned())
            }
        };
        self.out.transitions.push(NewType { source, target, class, result, name });
        Ok(())
    }
}
