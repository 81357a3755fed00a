//! The text of a port module to ports with their types.

use super::ReadError;
use canc_dsl::policy::Protocol;

/// A range of ports and its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports {
    /// The protocol.
    pub protocol: Protocol,
    /// The first.
    pub low: u16,
    /// The last.
    pub high: u16,
    /// The type.
    pub ty: String,
}

/// Reads a port module.
///
/// # Errors
/// The first line that no emitted module has.
pub fn read(text: &str) -> Result<Vec<Ports>, ReadError> {
    let lines = text.lines().zip(1..).filter(|(l, _)| !l.is_empty() && !l.starts_with(';'));
    lines
        .map(|(line, number)| {
            let wrong = || ReadError { line: number, what: format!("`{line}` is not understood") };
            let plain = line.replace(['(', ')'], " ");
            let words: Vec<&str> = plain.split_whitespace().collect();
            let (protocol, low, high, ty) = match words.as_slice() {
                ["portcon", p, port, "system_u", "object_r", ty, "s0", "s0"] => (*p, *port, *port, *ty),
                ["portcon", p, low, high, "system_u", "object_r", ty, "s0", "s0"] => (*p, *low, *high, *ty),
                _ => return Err(wrong()),
            };
            let protocol = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp]
                .into_iter()
                .find(|p| p.word() == protocol)
                .ok_or_else(wrong)?;
            let number = |text: &str| text.parse::<u16>().map_err(|_| wrong());
            Ok(Ports { protocol, low: number(low)?, high: number(high)?, ty: ty.to_owned() })
        })
        .collect()
}
