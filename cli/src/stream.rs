//! Where a command prints: the process's streams, or buffers in tests.

use std::io::{IsTerminal, Write};

/// Standard output and standard error, and whether people on a terminal read them.
pub struct Streams<'a> {
    out: Box<dyn Write + 'a>,
    err: Box<dyn Write + 'a>,
    /// Whether to colour what people read.
    pub color: bool,
    /// Set when standard output was closed by its reader; nothing more is printed then.
    closed: bool,
}

impl Streams<'static> {
    /// Those of the process. Colours follow the terminal and the usual variables (`NO_COLOR`, `CLICOLOR_FORCE`, `TERM`).
    #[must_use]
    pub fn of_process() -> Self {
        let choice = anstream::AutoStream::choice(&std::io::stderr());
        let color = choice != anstream::ColorChoice::Never && std::io::stdout().is_terminal()
            || choice == anstream::ColorChoice::AlwaysAnsi
            || choice == anstream::ColorChoice::Always;
        Self {
            out: Box::new(std::io::stdout().lock()),
            err: Box::new(std::io::stderr().lock()),
            color,
            closed: false,
        }
    }
}

impl<'a> Streams<'a> {
    /// Buffers, without colour.
    pub fn buffers(out: &'a mut Vec<u8>, err: &'a mut Vec<u8>) -> Self {
        Self { out: Box::new(out), err: Box::new(err), color: false, closed: false }
    }

    /// Prints a result.
    pub fn out(&mut self, text: &str) {
        if !self.closed && self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()).is_err() {
            self.closed = true;
        }
    }

    /// Whether nobody reads results any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Prints a message.
    pub fn err(&mut self, text: &str) {
        // There is nobody left to tell when standard error is gone.
        let _ = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }
}
