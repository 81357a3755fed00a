//! Address blocks: reading, joining, taking out.

use crate::policy::IpBlock;
use canc_sets::interval::{Intervals, Point};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why a text is no address block.
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) help: String,
}

/// `10.0.0.0/8`, `::1`
pub(super) fn parse(text: &str) -> Result<IpBlock, Problem> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return Err(Problem {
            message: "not an address".into(),
            help: "write four numbers from 0 to 255, or an IPv6 address, and `/LENGTH` if it is a block"
                .into(),
        });
    };
    let bits: u8 = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix.map(str::parse::<u8>) {
        None => bits,
        Some(Ok(prefix)) if prefix <= bits => prefix,
        Some(_) => {
            return Err(Problem {
                message: format!("a prefix length is at most {bits}"),
                help: format!("write for instance `{address}/{bits}`"),
            });
        }
    };
    let block = masked(address, prefix);
    if block.address != address {
        return Err(Problem {
            message: "the address has bits beyond its prefix".into(),
            help: format!(
                "write `{}/{prefix}` for the block, or `{address}` for the one address",
                block.address
            ),
        });
    }
    Ok(block)
}

fn masked(address: IpAddr, prefix: u8) -> IpBlock {
    let address = match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(v4) & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(v6) & mask))
        }
    };
    IpBlock { address, prefix }
}

/// Sorted, joined, without repetition. There are never more than before.
pub(super) fn normal(blocks: &[IpBlock]) -> Vec<IpBlock> {
    let (v4, v6) = sets(blocks);
    to_blocks(&v4, &v6, usize::MAX).unwrap_or_default()
}

/// `blocks`, or every address, without `out`; `None` when more than `most` are left.
pub(super) fn minus(blocks: Option<Vec<IpBlock>>, out: &[IpBlock], most: usize) -> Option<Vec<IpBlock>> {
    let (v4, v6) = blocks.map_or_else(|| (Intervals::full(), Intervals::full()), |b| sets(&b));
    let (no4, no6) = sets(out);
    to_blocks(&v4.minus(&no4), &v6.minus(&no6), most)
}

fn sets(blocks: &[IpBlock]) -> (Intervals<u32>, Intervals<u128>) {
    let v4 = blocks.iter().filter_map(|b| match b.address {
        IpAddr::V4(a) => {
            let low = u32::from(a);
            Some((low, low | u32::MAX.checked_shr(u32::from(b.prefix)).unwrap_or(0)))
        }
        IpAddr::V6(_) => None,
    });
    let v6 = blocks.iter().filter_map(|b| match b.address {
        IpAddr::V6(a) => {
            let low = u128::from(a);
            Some((low, low | u128::MAX.checked_shr(u32::from(b.prefix)).unwrap_or(0)))
        }
        IpAddr::V4(_) => None,
    });
    (v4.collect(), v6.collect())
}

fn to_blocks(v4: &Intervals<u32>, v6: &Intervals<u128>, most: usize) -> Option<Vec<IpBlock>> {
    let mut out = Vec::new();
    for (low, high) in v4.ranges() {
        split(u128::from(*low), u128::from(*high), 32, &mut |low, prefix| {
            let low = u32::try_from(low).unwrap_or(u32::MAX);
            out.push(IpBlock { address: IpAddr::V4(low.into()), prefix });
        });
        if out.len() > most {
            return None;
        }
    }
    for (low, high) in v6.ranges() {
        split(*low, *high, 128, &mut |low, prefix| {
            out.push(IpBlock { address: IpAddr::V6(low.into()), prefix })
        });
        if out.len() > most {
            return None;
        }
    }
    Some(out)
}

/// The fewest aligned blocks that make up a range, in order.
fn split(low: u128, high: u128, bits: u8, push: &mut dyn FnMut(u128, u8)) {
    let mut at = Some(low);
    while let Some(start) = at.filter(|s| *s <= high) {
        let mut size = u8::try_from(start.trailing_zeros()).unwrap_or(128).min(bits);
        // The block must not reach beyond the range.
        while size > 0 && last(start, size) > high {
            size -= 1;
        }
        push(start, bits - size);
        at = last(start, size).next();
    }
}

fn last(start: u128, size: u8) -> u128 {
    start | 1u128.checked_shl(u32::from(size)).map_or(u128::MAX, |s| s - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> IpBlock {
        parse(text).ok().unwrap()
    }

    fn shown(blocks: &[IpBlock]) -> Vec<String> {
        blocks.iter().map(|b| format!("{}/{}", b.address, b.prefix)).collect()
    }

    #[test]
    fn blocks_are_read_and_refused() {
        assert_eq!(
            shown(&[block("10.0.0.0/8"), block("::1"), block("0.0.0.0/0")]),
            ["10.0.0.0/8", "::1/128", "0.0.0.0/0"]
        );
        for bad in ["10.0.0.1/8", "10.0.0.0/33", "300.1.1.1", "::1/129", "10.0.0"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn taking_out_leaves_the_rest() {
        let minus = |blocks, out: &[IpBlock]| minus(blocks, out, 100).unwrap();
        let left = minus(Some(vec![block("10.0.0.0/30")]), &[block("10.0.0.1")]);
        assert_eq!(shown(&left), ["10.0.0.0/32", "10.0.0.2/31"]);
        let left = minus(None, &[block("128.0.0.0/1"), block("::/1")]);
        assert_eq!(shown(&left), ["0.0.0.0/1", "8000::/1"]);
        assert!(minus(Some(vec![block("::/0")]), &[block("::/0")]).is_empty());
        assert_eq!(shown(&minus(None, &[])), ["0.0.0.0/0", "::/0"]);
    }

    #[test]
    fn too_many_blocks_are_none() {
        assert_eq!(minus(None, &[block("::5")], 20), None);
        assert_eq!(minus(None, &[block("::5")], 200).map(|b| b.len()), Some(129));
    }

    #[test]
    fn neighbours_join() {
        assert_eq!(
            shown(&normal(&[block("10.0.0.2/31"), block("10.0.0.0/31"), block("10.0.0.0")])),
            ["10.0.0.0/30"]
        );
    }
}
