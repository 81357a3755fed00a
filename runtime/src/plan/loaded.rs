//! What canc remembers of a module or a profile against this bundle and against the kernel, to why it must not be relied on.

use super::LayerState;
use crate::loaded::Record;

/// The command that brings the kernel to what a bundle holds.
pub(super) const LOAD: &str = "as root: canc-run --load BUNDLE -- COMMAND";

/// Unfit where the record contradicts the bundle or the kernel. Without a record nothing is known, as when somebody loads by hand what
/// canc built: then name and mode have to do.
pub(super) fn contradicted(
    what: &str,
    record: Option<&Record>,
    source: &str,
    digest: Option<&str>,
) -> Option<LayerState> {
    match record? {
        Record::Unreadable { why } => Some(LayerState::unfit(
            format!("what canc remembers of {what} cannot be relied on: {why}"),
            format!("remove that file, and {LOAD}"),
        )),
        Record::Known { source: loaded, .. } if loaded != source => Some(LayerState::unfit(
            format!("{what} is stale: it was made from another build of the policy than this bundle"),
            LOAD,
        )),
        Record::Known { kernel: Some(kernel), .. } if digest.is_some_and(|digest| digest != kernel) => {
            Some(LayerState::unfit(
                format!(
                    "{what} was altered: somebody replaced it after canc loaded it ({})",
                    told(kernel, digest)
                ),
                LOAD,
            ))
        }
        Record::Known { .. } => None,
    }
}

fn told(kernel: &str, digest: Option<&str>) -> String {
    let short = |digest: &str| digest.chars().take(19).collect::<String>();
    format!("its digest was {}…, now it is {}…", short(kernel), short(digest.unwrap_or_default()))
}
