//! Filters for the tests, put together by hand and independently of the compiler.

/// Codes of `linux/bpf_common.h`.
const LOAD: u16 = 0x20;
const JUMP_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
pub const ARGUMENTS: u32 = 16;

/// `SECCOMP_RET_…` of `linux/seccomp.h`.
pub const ALLOW: u32 = 0x7fff_0000;
pub const KILL: u32 = 0x8000_0000;
pub const LOG: u32 = 0x7ffc_0000;

pub fn errno(number: i32) -> u32 {
    0x0005_0000 | u32::try_from(number).unwrap()
}

fn instruction(code: u16, jump_true: u8, jump_false: u8, operand: u32) -> [u8; 8] {
    let [c0, c1] = code.to_le_bytes();
    let [k0, k1, k2, k3] = operand.to_le_bytes();
    [c0, c1, jump_true, jump_false, k0, k1, k2, k3]
}

pub fn allow_all() -> Vec<u8> {
    instruction(RETURN, 0, 0, ALLOW).to_vec()
}

/// One answer for each of these calls, `otherwise` for the rest.
pub fn answers(calls: &[(libc::c_long, u32)], otherwise: u32) -> Vec<u8> {
    let mut out = architecture();
    out.push(instruction(LOAD, 0, 0, NUMBER));
    for (call, answer) in calls {
        out.push(instruction(JUMP_EQUAL, 0, 1, u32::try_from(*call).unwrap()));
        out.push(instruction(RETURN, 0, 0, *answer));
    }
    out.push(instruction(RETURN, 0, 0, otherwise));
    out.concat()
}

/// Permits `execveat` on this descriptor with `AT_EMPTY_PATH`, and no other way to execute.
pub fn only_the_launch(descriptor: u32) -> Vec<u8> {
    let call = |n: libc::c_long| u32::try_from(n).unwrap();
    let eacces = instruction(RETURN, 0, 0, errno(libc::EACCES));
    let mut out = architecture();
    out.extend([
        instruction(LOAD, 0, 0, NUMBER),
        instruction(JUMP_EQUAL, 0, 1, call(libc::SYS_execve)),
        eacces,
        instruction(JUMP_EQUAL, 0, 5, call(libc::SYS_execveat)),
        instruction(LOAD, 0, 0, ARGUMENTS),
        instruction(JUMP_EQUAL, 0, 2, descriptor),
        instruction(LOAD, 0, 0, ARGUMENTS + 4 * 8),
        instruction(JUMP_EQUAL, 1, 0, 0x1000),
        eacces,
        instruction(RETURN, 0, 0, ALLOW),
    ]);
    out.concat()
}

fn architecture() -> Vec<[u8; 8]> {
    let own = match std::env::consts::ARCH {
        "x86_64" => 0xc000_003e,
        "aarch64" => 0xc000_00b7,
        "riscv64" => 0xc000_00f3,
        other => panic!("no tests for {other}"),
    };
    vec![instruction(LOAD, 0, 0, ARCH), instruction(JUMP_EQUAL, 1, 0, own), instruction(RETURN, 0, 0, KILL)]
}
