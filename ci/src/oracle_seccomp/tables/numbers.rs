//! The kernel's `asm/unistd*.h` of every architecture to one table of numbers.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// Columns of the table: the architecture's word, and its header below `usr/lib/linux/uapi`.
pub const COLUMNS: [(&str, &str); 9] = [
    ("x86_64", "x86/asm/unistd_64.h"),
    ("x32", "x86/asm/unistd_x32.h"),
    ("x86", "x86/asm/unistd_32.h"),
    ("aarch64", "arm64/asm/unistd_64.h"),
    ("arm", "arm/asm/unistd-eabi.h"),
    ("riscv64", "riscv/asm/unistd_64.h"),
    ("ppc64le", "powerpc/asm/unistd_64.h"),
    ("s390x", "s390/asm/unistd_64.h"),
    ("loongarch64", "loongarch/asm/unistd_64.h"),
];

/// `__X32_SYSCALL_BIT` of `arch/x86/include/uapi/asm/unistd.h`.
const X32_BIT: u32 = 0x4000_0000;

/// `__ARM_NR_*` of `arch/arm/include/uapi/asm/unistd.h`, relative to `__ARM_NR_BASE`.
const ARM_PRIVATE: [(&str, u32); 6] =
    [("breakpoint", 1), ("cacheflush", 2), ("usr26", 3), ("usr32", 4), ("set_tls", 5), ("get_tls", 6)];
const ARM_PRIVATE_BASE: u32 = 0x0f_0000;

/// Numbers by name, one per column.
pub type Numbers = BTreeMap<String, [Option<u32>; COLUMNS.len()]>;

/// Reads the headers below `uapi`.
pub fn read(uapi: &Path) -> io::Result<Numbers> {
    let mut table = Numbers::new();
    for (column, (arch, header)) in COLUMNS.iter().enumerate() {
        let text = fs::read_to_string(uapi.join(header))?;
        let private = ARM_PRIVATE.map(|(name, nr)| (name.to_owned(), ARM_PRIVATE_BASE + nr));
        let own = text.lines().filter_map(definition);
        for (name, number) in own.chain(private.into_iter().filter(|_| *arch == "arm")) {
            let number = if *arch == "x32" { number | X32_BIT } else { number };
            if let Some(slot) = table.entry(canonical(&name).to_owned()).or_default().get_mut(column) {
                *slot = Some(number);
            }
        }
    }
    Ok(table)
}

/// `#define __NR_name 12`, or with the base of the x32 and ARM tables.
fn definition(line: &str) -> Option<(String, u32)> {
    let mut words = line.strip_prefix("#define __NR_")?.split_whitespace();
    let name = words.next()?;
    let number = line.trim_end_matches(')').rsplit(' ').next()?.parse().ok()?;
    (name != "SYSCALL_MASK").then(|| (name.to_owned(), number))
}

/// One name for what two headers call differently.
fn canonical(name: &str) -> &str {
    match name {
        "arm_sync_file_range" => "sync_file_range2",
        other => other,
    }
}

/// The text of `numbers.tsv`.
pub fn render(table: &Numbers) -> String {
    let mut out = String::from("# name");
    for (arch, _) in COLUMNS {
        out.push('\t');
        out.push_str(arch);
    }
    out.push('\n');
    for (name, numbers) in table {
        out.push_str(name);
        for number in numbers {
            out.push('\t');
            match number {
                Some(n) => out.push_str(&n.to_string()),
                None => out.push('-'),
            }
        }
        out.push('\n');
    }
    out
}
