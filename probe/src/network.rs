//! Requests on sockets.

use crate::files::{number, one};
use crate::sys::{Arg, call};
use crate::{Answer, Performed, Trouble, at};
use std::net::IpAddr;

/// How long somebody listens, in milliseconds.
const SERVED: u64 = 60_000;

pub(crate) fn perform(request: &str, arguments: &[&[u8]]) -> Option<Performed> {
    Some(match (request, arguments) {
        ("socket", [family, kind, protocol]) => socket_of(family, kind, protocol),
        ("socketpair", []) => {
            let mut pair = [0; 8];
            let (family, kind) = (Arg::Num(libc::AF_UNIX as u64), Arg::Num(libc::SOCK_STREAM as u64));
            one("socketpair", libc::SYS_socketpair, [family, kind, Arg::Num(0), Arg::Out(&mut pair)])
        }
        ("connect", [kind, address, port]) => with(kind, address, port, &["connect"]),
        ("bind", [kind, address, port]) => with(kind, address, port, &["bind"]),
        ("listen", [kind, address, port]) => with(kind, address, port, &["bind", "listen"]),
        ("fastopen", [address, port]) => with(b"tcp", address, port, &["fastopen"]),
        ("send", [kind, address, port]) => with(kind, address, port, &["send"]),
        ("connect-unix", [kind, path]) => unix(kind, path, "connect", libc::SYS_connect),
        ("bind-unix", [kind, path]) => unix(kind, path, "bind", libc::SYS_bind),
        ("serve-unix", [path]) => serve(path),
        _ => return None,
    })
}

fn socket(family: u64, kind: u64, protocol: u64) -> Result<u64, Trouble> {
    let kind = kind | libc::SOCK_CLOEXEC as u64;
    call(libc::SYS_socket, [Arg::Num(family), Arg::Num(kind), Arg::Num(protocol)]).map_err(at("socket"))
}

fn socket_of(family: &[u8], kind: &[u8], protocol: &[u8]) -> Performed {
    let kind = match kind {
        b"stream" => libc::SOCK_STREAM as u64,
        b"dgram" => libc::SOCK_DGRAM as u64,
        b"raw" => libc::SOCK_RAW as u64,
        b"seqpacket" => libc::SOCK_SEQPACKET as u64,
        other => number(other)?,
    };
    let family = match family {
        b"unix" => libc::AF_UNIX as u64,
        b"inet" => libc::AF_INET as u64,
        b"inet6" => libc::AF_INET6 as u64,
        b"netlink" => libc::AF_NETLINK as u64,
        b"packet" => libc::AF_PACKET as u64,
        b"alg" => libc::AF_ALG as u64,
        b"vsock" => libc::AF_VSOCK as u64,
        other => number(other)?,
    };
    socket(family, kind, number(protocol)?).map(|_| Answer::Number(0))
}

fn with(kind: &[u8], address: &[u8], port: &[u8], steps: &[&'static str]) -> Performed {
    let (kind, protocol) = match kind {
        b"tcp" => (libc::SOCK_STREAM, 0),
        b"udp" => (libc::SOCK_DGRAM, 0),
        b"mptcp" => (libc::SOCK_STREAM, libc::IPPROTO_MPTCP),
        b"sctp" => (libc::SOCK_STREAM, libc::IPPROTO_SCTP),
        other => return Err(format!("{:?} is no transport", String::from_utf8_lossy(other)).into()),
    };
    let text = std::str::from_utf8(address).unwrap_or_default();
    let address: IpAddr = text.parse().map_err(|_| format!("{text:?} is no address"))?;
    let port = u16::try_from(number(port)?).map_err(|_| "the port is too large".to_owned())?;
    let (family, bytes) = socket_address(address, port);
    let file = socket(family, kind as u64, protocol as u64)?;
    for step in steps {
        let here = Arg::Num(file);
        let size = Arg::Num(bytes.len() as u64);
        match *step {
            "connect" => call(libc::SYS_connect, [here, Arg::In(&bytes), size]),
            "bind" => call(libc::SYS_bind, [here, Arg::In(&bytes), size]),
            "listen" => call(libc::SYS_listen, [here, Arg::Num(1)]),
            flags => {
                let flags = if flags == "fastopen" { libc::MSG_FASTOPEN as u64 } else { 0 };
                let data = [Arg::In(b"x"), Arg::Num(1), Arg::Num(flags)];
                let [data, length, flags] = data;
                call(libc::SYS_sendto, [here, data, length, flags, Arg::In(&bytes), size])
            }
        }
        .map_err(at(step))?;
    }
    Ok(Answer::Number(0))
}

/// `struct sockaddr_in` or `struct sockaddr_in6`.
fn socket_address(address: IpAddr, port: u16) -> (u64, Vec<u8>) {
    let start = |family: i32| [(family as u16).to_ne_bytes(), port.to_be_bytes()].concat();
    match address {
        IpAddr::V4(a) => {
            (libc::AF_INET as u64, [start(libc::AF_INET), a.octets().into(), vec![0; 8]].concat())
        }
        IpAddr::V6(a) => (
            libc::AF_INET6 as u64,
            [start(libc::AF_INET6), vec![0; 4], a.octets().into(), vec![0; 4]].concat(),
        ),
    }
}

/// Listens for a minute on a stream socket, so that others find somebody there.
fn serve(path: &[u8]) -> Performed {
    let file = socket(libc::AF_UNIX as u64, libc::SOCK_STREAM as u64, 0)?;
    let address = unix_address(path);
    let size = Arg::Num(address.len() as u64);
    call(libc::SYS_bind, [Arg::Num(file), Arg::In(&address), size]).map_err(at("bind"))?;
    call(libc::SYS_listen, [Arg::Num(file), Arg::Num(16)]).map_err(at("listen"))?;
    crate::attack::wait(SERVED)
}

/// `struct sockaddr_un`: a path, or after an `@` an abstract name.
fn unix_address(path: &[u8]) -> Vec<u8> {
    let mut address = (libc::AF_UNIX as u16).to_ne_bytes().to_vec();
    match path.strip_prefix(b"@") {
        Some(name) => address.extend([&[0], name].concat()),
        None => address.extend([path, &[0]].concat()),
    }
    address
}

fn unix(kind: &[u8], path: &[u8], step: &'static str, number: libc::c_long) -> Performed {
    let kind = match kind {
        b"stream" => libc::SOCK_STREAM,
        b"dgram" => libc::SOCK_DGRAM,
        b"seqpacket" => libc::SOCK_SEQPACKET,
        other => return Err(format!("{:?} is no type of unix socket", String::from_utf8_lossy(other)).into()),
    };
    let file = socket(libc::AF_UNIX as u64, kind as u64, 0)?;
    let address = unix_address(path);
    one(step, number, [Arg::Num(file), Arg::In(&address), Arg::Num(address.len() as u64)])
}
