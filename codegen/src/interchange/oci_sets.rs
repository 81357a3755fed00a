//! A comparison of a profile to the set of values of the argument that it is about, as wide as the kernel looks at it.

use super::oci::ArgEntry;
use super::oci_rules::Comparison;
use crate::seccomp::arguments::register_of;
use canc_sets::syscalls::{Arch, ArgKind, args_on};

/// Values of an argument without sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Set {
    /// From the first to the last.
    Range(u64, u64),
    /// All but one.
    Not(u64),
    /// Those whose bits of the mask are the value.
    Masked(u64, u64),
}

impl Set {
    /// Whether no value is in both, as far as is seen at once.
    pub fn is_disjoint(self, other: Self) -> bool {
        match (self, other) {
            (Self::Range(a, b), Self::Range(c, d)) => b < c || d < a,
            (Self::Range(a, b), Self::Not(v)) | (Self::Not(v), Self::Range(a, b)) => a == b && a == v,
            (Self::Masked(m, v), Self::Masked(n, w)) => (v ^ w) & m & n != 0,
            (Self::Range(a, b), Self::Masked(m, v)) | (Self::Masked(m, v), Self::Range(a, b)) => {
                a == b && a & m != v
            }
            (Self::Not(_), _) | (_, Self::Not(_)) => false,
        }
    }
}

/// The bits of an argument that the kernel looks at.
pub(super) fn bits(kind: ArgKind, arch: Arch) -> u32 {
    match kind {
        ArgKind::U16 => 16,
        ArgKind::I32 | ArgKind::U32 => 32,
        ArgKind::Pointer | ArgKind::I64 | ArgKind::U64 if arch.is_64_bit() => 64,
        ArgKind::Pointer | ArgKind::I64 | ArgKind::U64 => 32,
    }
}

/// The comparison of a call's register on an architecture; `None` for one that always holds.
pub(super) fn condition_of(arg: &ArgEntry, call: &str, arch: Arch) -> Result<Option<Comparison>, String> {
    let own = args_on(arch, call);
    let position = (0..own.len()).find(|p| u32::from(register_of(arch, own, *p)) == arg.index);
    let Some(declared) = position.and_then(|p| own.get(p)) else {
        return Err(format!("`{call}` has no argument in register {} on {}", arg.index, arch.word()));
    };
    if declared.kind == ArgKind::Pointer {
        return Err(format!("`{}` of `{call}` is an address, of which a filter sees nothing", declared.name));
    }
    if declared.pair && !arch.is_64_bit() {
        return Err(format!("`{}` of `{call}` takes two registers on {}", declared.name, arch.word()));
    }
    let width = bits(declared.kind, arch);
    let most = u64::MAX >> (64 - width);
    let fits = |value: u64| {
        let wide = || {
            format!(
                "{value} is wider than `{}` of `{call}`, of which the kernel looks at {width} bits",
                declared.name
            )
        };
        if value <= most { Ok(value) } else { Err(wide()) }
    };
    let never = || Err(format!("this never holds for `{}` of `{call}`", declared.name));
    let value = arg.value;
    let set = match arg.op.as_str() {
        "SCMP_CMP_EQ" => Set::Range(fits(value)?, value),
        "SCMP_CMP_NE" => Set::Not(fits(value)?),
        "SCMP_CMP_LT" if value == 0 => return never(),
        "SCMP_CMP_LT" => Set::Range(0, fits(value)? - 1),
        "SCMP_CMP_LE" => Set::Range(0, fits(value)?),
        "SCMP_CMP_GE" => Set::Range(fits(value)?, most),
        "SCMP_CMP_GT" if value == most => return never(),
        "SCMP_CMP_GT" => Set::Range(fits(value)? + 1, most),
        "SCMP_CMP_MASKED_EQ" => {
            let wanted = arg.value_two.unwrap_or(0);
            if wanted & !value != 0 {
                return never();
            }
            // Bits of the mask beyond the argument are bits that the kernel never sees.
            Set::Masked(value & most, fits(wanted)?)
        }
        other => return Err(super::oci_text::operator_unknown(other)),
    };
    let always = match set {
        Set::Range(first, last) => (first, last) == (0, most),
        Set::Masked(mask, _) => mask == 0,
        Set::Not(_) => false,
    };
    Ok((!always).then_some(Comparison { name: declared.name, kind: narrowed(declared.kind, arch), set }))
}

/// How the kernel takes the argument on this architecture.
fn narrowed(kind: ArgKind, arch: Arch) -> ArgKind {
    match kind {
        ArgKind::I64 if !arch.is_64_bit() => ArgKind::I32,
        ArgKind::U64 if !arch.is_64_bit() => ArgKind::U32,
        other => other,
    }
}
