//! Source texts and the places in them that everything else points at.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Which source text of a [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FileId(pub u32);

/// A range of bytes in one source text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// The text.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end` of `file`; offsets over 4 GiB cannot occur because sources are limited far below.
    #[must_use]
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { file, start: clamp(start), end: clamp(end) }
    }

    /// The byte range.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The smallest span that covers both; `self` when they are in different files.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        if self.file != other.file {
            return self;
        }
        Self { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}..{}", self.file.0, self.start, self.end)
    }
}

/// One source text.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The name shown to people: the path as given, or `std.NAME` for the standard library.
    pub name: Arc<str>,
    /// The text.
    pub text: Arc<str>,
    /// Where lines start, found when somebody asks first.
    lines: OnceLock<Vec<u32>>,
}

impl SourceFile {
    /// The number of the line that holds the byte at `offset`, from 0, and where it starts.
    #[must_use]
    pub fn line(&self, offset: usize) -> (usize, usize) {
        let starts = self.starts();
        let number = starts.partition_point(|start| *start as usize <= offset).saturating_sub(1);
        (number, starts.get(number).map_or(0, |start| *start as usize))
    }

    /// Where the line with this number, from 0, starts; the end of the text for lines that it has not.
    #[must_use]
    pub fn start(&self, line: usize) -> usize {
        self.starts().get(line).map_or(self.text.len(), |start| *start as usize)
    }

    fn starts(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let ends = self.text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(ends).map(|at| u32::try_from(at).unwrap_or(u32::MAX)).collect()
        })
    }
}

/// All source texts of a compilation.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// Adds a text and returns its number.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile { name: name.into(), text: text.into(), lines: OnceLock::new() });
        id
    }

    /// The text with this number.
    #[must_use]
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// All texts in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        (0u32..).map(FileId).zip(&self.files)
    }

    /// The text that a span covers; empty for a span outside its text.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self.get(span.file).and_then(|f| f.text.get(span.range())).unwrap_or_default()
    }

    /// The line and column (both from 1; the column counts characters) at which a span starts.
    #[must_use]
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let Some(file) = self.get(span.file) else { return (1, 1) };
        let (line, start) = file.line(span.start as usize);
        let before = file.text.get(start..span.start as usize).unwrap_or_default();
        (line + 1, before.chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let mut map = SourceMap::default();
        let file = map.add("x", "a\nbü c\n\nd");
        let at = |offset: usize| map.line_column(Span::new(file, offset, offset + 1));
        assert_eq!(
            [at(0), at(1), at(2), at(3), at(5), at(8), at(9)],
            [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 1), (4, 1)]
        );
        assert_eq!(map.line_column(Span::new(FileId(9), 3, 4)), (1, 1));
    }
}
