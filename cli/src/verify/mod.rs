//! A policy's tests and a suite of attacks to requests that are really performed on this host, under all layers, each alone, and none.

pub mod attacks;
pub mod judge;
pub mod junit;
pub mod launch;
pub mod matrix;
pub mod requests;
pub mod show;
pub mod suite;
pub mod trial;
pub mod variant;

use canc_runtime::Layer;
use serde::{Serialize, Serializer};

/// What a request is performed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Everything that the policy has and the host offers.
    All,
    /// One layer, with what a launch does besides.
    Only(Layer),
    /// What a launch does besides: capabilities, `no_new_privs`, limits, namespaces.
    Runtime,
    /// Nothing of canc.
    None,
}

impl Column {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Only(layer) => layer.word(),
            Self::Runtime => "runtime",
            Self::None => "none",
        }
    }
}

impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// How an answer of the kernel is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Done, or refused.
    Plain,
    /// A socket: that nobody listens, or that somebody does already, is said after the request was let through.
    Socket,
    /// A call with arguments that make no sense: an error other than a refusal is said after it was let through.
    Call,
    /// A set-user-id program in place of the probe: let through where the process then is another user.
    Identity,
    /// The probe's report about itself: done where it is not confined so.
    State(Confined),
}

/// What a process must be after a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confined {
    /// It holds no capabilities but these: bit N is capability number N.
    Capabilities(u64),
    /// `no_new_privs` is set.
    NoNewPrivs,
    /// A filter is loaded.
    Filtered,
}

/// What has to be there for a request on a path, in a private copy of the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standin {
    /// An empty file.
    File(String),
    /// An empty directory.
    Directory(String),
    /// Nothing.
    Absent(String),
    /// A harmless program.
    Program(String),
    /// A symbolic link, and where it leads.
    Link(String, String),
}

impl Standin {
    /// Where.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::File(path) | Self::Directory(path) | Self::Absent(path) | Self::Program(path) => path,
            Self::Link(path, _) => path,
        }
    }
}

/// A request that can be performed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The probe's words; `%pid` stands for a process outside.
    pub words: Vec<String>,
    /// How the answer is read.
    pub reading: Reading,
    /// What is put there where the host's own does not serve.
    pub standin: Option<Standin>,
    /// Whether it would change the host, so that it is performed on private copies alone.
    pub changes: bool,
}

impl Task {
    /// One that needs nothing and changes nothing.
    #[must_use]
    pub fn new(words: &[&str], reading: Reading) -> Self {
        let words = words.iter().map(|&w| w.to_owned()).collect();
        Self { words, reading, standin: None, changes: false }
    }
}

/// What must become of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// It is refused.
    Refused,
    /// It works.
    Permitted,
    /// The compiler says that nothing here refuses it, and the policy accepts that.
    Leaks(String),
}

/// Where a row comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A `test` of the policy.
    Test,
    /// The attack suite.
    Attack,
}

/// One line of the matrix before it is performed.
#[derive(Debug, Clone)]
pub struct Item {
    /// Where it comes from.
    pub origin: Origin,
    /// The test's title, or the attack.
    pub title: String,
    /// The assertion, or the request.
    pub text: String,
    /// `FILE:LINE` of a test's assertion.
    pub at: String,
    /// What is performed and must come of it, or why nothing is.
    pub job: Result<(Task, Want), String>,
}

/// What the kernel did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused: the error's name.
    Error(String),
    /// The process was ended by this signal.
    Killed(i32),
    /// The probe did not get as far, and why.
    NotRun(String),
}

/// A request under one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "by", rename_all = "snake_case")]
pub enum Cell {
    /// Refused: the error or the signal.
    Stopped(String),
    /// Let through.
    Passed,
    /// The probe could not run: why.
    NotRun(String),
}

/// What a row comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// As the policy says, and without the layers it is otherwise.
    Stopped,
    /// It works, as the policy says.
    Permitted,
    /// It passes, as the compiler says of this kind of host, and the policy accepts that.
    Leaks,
    /// The kernel does not do what the policy says.
    Differs,
    /// It fails with no layer too, so it shows nothing.
    Vacuous,
    /// Not performed: it makes no sense here.
    NotApplicable,
    /// Not performed: the probe could not run.
    NotRun,
}

impl Judgement {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Permitted => "permitted",
            Self::Leaks => "leaks",
            Self::Differs => "DIFFERS",
            Self::Vacuous => "vacuous",
            Self::NotApplicable => "n/a",
            Self::NotRun => "NOT RUN",
        }
    }
}

/// One line of the matrix.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Where it comes from.
    pub origin: Origin,
    /// The test's title, or the attack.
    pub title: String,
    /// The assertion, or the request.
    pub text: String,
    /// `FILE:LINE` of a test's assertion.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// What it comes to.
    pub result: Judgement,
    /// Why, in one line; empty where there is nothing to say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The directory of which a private copy was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_copy: Option<String>,
    /// Each column; none where nothing was performed.
    #[serde(serialize_with = "by_column")]
    pub cells: Vec<(Column, Cell)>,
}

fn by_column<S: Serializer>(cells: &[(Column, Cell)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(cells.iter().map(|(column, cell)| (column, cell)))
}

/// The matrix of one policy.
#[derive(Debug, Clone, Serialize)]
pub struct Matrix {
    /// The policy.
    pub policy: String,
    /// The kind of host that this is for it.
    pub host: &'static str,
    /// Columns that there are not here, and why.
    pub absent: Vec<(Column, String)>,
    /// The lines.
    pub rows: Vec<Row>,
}
