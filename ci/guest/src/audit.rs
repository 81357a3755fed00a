//! The kernel's audit messages to lists of records, complete at a given moment.
//!
//! The kernel log drops denials under load, so this takes the audit daemon's place on the netlink socket (`audit(7)`,
//! `linux/audit.h`). Messages arrive in the order in which the kernel queued them, so a message of our own marks a moment:
//! when it has come back, everything before it has too. It must not know what a record means.

use rustix::fd::OwnedFd;
use rustix::net::netlink::{AUDIT, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{bind, recv, sendto, socket_with, sockopt};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

const NLMSG_ERROR: u16 = 2;
const AUDIT_GET: u16 = 1000;
const AUDIT_SET: u16 = 1001;
const AUDIT_USER: u16 = 1005;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
/// `ENABLED | FAILURE | PID | RATE_LIMIT | BACKLOG_LIMIT` of `struct audit_status`.
const STATUS_MASK: u32 = 0x1f;
/// On failure of the audit system: 1 is a line in the kernel log, not a panic.
const FAILURE_PRINT: u32 = 1;
const BACKLOG: u32 = 65_536;
const HEADER: usize = 16;
/// Position of `lost` in `struct audit_status`, in bytes.
const LOST_AT: usize = 24;
const WAIT: Duration = Duration::from_secs(20);

struct Message {
    kind: u16,
    payload: Vec<u8>,
}

/// The place of the audit daemon.
pub struct Audit {
    socket: Arc<OwnedFd>,
    incoming: Receiver<Message>,
    marks: u32,
    lost: u32,
}

impl Audit {
    /// Takes the audit daemon's place and switches auditing on.
    pub fn open() -> Result<Self, String> {
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(AUDIT))
            .map_err(|e| format!("audit socket: {e}"))?;
        bind(&socket, &SocketAddrNetlink::new(0, 0)).map_err(|e| format!("binding the audit socket: {e}"))?;
        sockopt::set_socket_recv_buffer_size_force(&socket, 16 << 20)
            .map_err(|e| format!("audit socket: {e}"))?;
        let socket = Arc::new(socket);
        let (sender, incoming) = channel();
        let reader = Arc::clone(&socket);
        std::thread::spawn(move || read_all(&reader, &sender));
        let mut audit = Self { socket, incoming, marks: 0, lost: 0 };
        audit.send(AUDIT_SET, &status_words())?;
        audit.expect_ack()?;
        Ok(audit)
    }

    /// All records since the last call, and how many the kernel had to drop since then.
    pub fn take(&mut self) -> Result<(Vec<String>, u32), String> {
        self.marks += 1;
        let mark = format!("canc-guest mark {};", self.marks);
        // The kernel takes the last byte for a terminating NUL.
        self.send(AUDIT_USER, format!("{mark}\0").as_bytes())?;
        let mut records = Vec::new();
        loop {
            let message = self.next()?;
            let text = String::from_utf8_lossy(&message.payload);
            let text = text.trim_end_matches('\0');
            match message.kind {
                AUDIT_USER if text.contains(&mark) => break,
                0..AUDIT_USER => {}
                kind => records.push(format!("{kind} {text}")),
            }
        }
        let before = self.lost;
        self.lost = self.count_lost()?;
        Ok((records, self.lost.wrapping_sub(before)))
    }

    fn count_lost(&mut self) -> Result<u32, String> {
        self.send(AUDIT_GET, &[])?;
        loop {
            let message = self.next()?;
            if message.kind == AUDIT_GET {
                return word(&message.payload, LOST_AT).ok_or_else(|| "short audit status".to_owned());
            }
        }
    }

    fn expect_ack(&mut self) -> Result<(), String> {
        loop {
            let message = self.next()?;
            if message.kind == NLMSG_ERROR {
                return match word(&message.payload, 0) {
                    Some(0) => Ok(()),
                    code => Err(format!("the audit system refused: {:?}", code.map(u32::cast_signed))),
                };
            }
        }
    }

    fn next(&self) -> Result<Message, String> {
        self.incoming.recv_timeout(WAIT).map_err(|e| match e {
            RecvTimeoutError::Timeout => "the audit system did not answer".to_owned(),
            RecvTimeoutError::Disconnected => "the audit socket was closed".to_owned(),
        })
    }

    fn send(&self, kind: u16, payload: &[u8]) -> Result<(), String> {
        let flags = if kind == AUDIT_SET { NLM_F_REQUEST | NLM_F_ACK } else { NLM_F_REQUEST };
        let length = u32::try_from(HEADER + payload.len()).map_err(|e| e.to_string())?;
        let mut bytes = Vec::with_capacity(HEADER + payload.len());
        bytes.extend(length.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend([0; 8]);
        bytes.extend(payload);
        sendto(&self.socket, &bytes, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))
            .map(|_| ())
            .map_err(|e| format!("sending audit message {kind}: {e}"))
    }
}

/// `struct audit_status`: mask, enabled, failure, pid, rate limit, backlog limit, and five words that are only read.
fn status_words() -> Vec<u8> {
    let words = [STATUS_MASK, 1, FAILURE_PRINT, std::process::id(), 0, BACKLOG, 0, 0, 0, 0, 0];
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

/// Passes every message on until the socket or the receiver is gone.
fn read_all(socket: &OwnedFd, sender: &Sender<Message>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok((length, _)) = recv(socket, &mut buffer[..], RecvFlags::empty()) {
        let Some(bytes) = buffer.get(..length) else { return };
        let Some(message) = parse(bytes) else { continue };
        if sender.send(message).is_err() {
            return;
        }
    }
}

/// One datagram. The length in the header is not used: for records the kernel leaves the header's own size out of it.
fn parse(bytes: &[u8]) -> Option<Message> {
    let kind = bytes.get(4..6)?.try_into().ok().map(u16::from_ne_bytes)?;
    Some(Message { kind, payload: bytes.get(HEADER..)?.to_vec() })
}
