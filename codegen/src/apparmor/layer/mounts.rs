//! Mount rules to boxes.

use crate::apparmor::model::{MountOption, MountRule, MountSource, Rule};
use canc_dsl::meaning::{Dim, Kind};
use canc_dsl::policy::{MountFlag, Propagation};
use canc_sets::path::{Atom, Lang, Piece, TooLarge};

/// Whether a rule refuses, and the selectors of what it says of a kind; `None` where it says nothing.
pub(super) fn dims(kind: Kind, rule: &Rule) -> Result<Option<(bool, Vec<Dim>)>, TooLarge> {
    Ok(match (kind, rule) {
        (Kind::Unmount, Rule::Umount { mode, target }) => Some((mode.deny, vec![Dim::Paths(target.lang()?)])),
        (Kind::PivotRoot, Rule::PivotRoot { mode, old, new }) => {
            Some((mode.deny, vec![Dim::Paths(old.lang()?), Dim::Paths(new.lang()?)]))
        }
        (kind, Rule::Mount(rule)) => mount(kind, rule)?.map(|dims| (rule.mode.deny, dims)),
        _ => None,
    })
}

fn mount(kind: Kind, rule: &MountRule) -> Result<Option<Vec<Dim>>, TooLarge> {
    let has = |option| rule.options.contains(&option);
    let target = || Ok::<_, TooLarge>(Dim::Paths(rule.target.lang()?));
    let made = rule.options.iter().find_map(|o| propagation(*o));
    let moved = [MountOption::Bind, MountOption::Rbind, MountOption::Move].into_iter().find(|o| has(*o));
    Ok(match kind {
        Kind::MountRemount { bind } if rule.remount => {
            let either = rule.options.is_empty();
            if either || bind == has(MountOption::Bind) {
                Some(vec![Dim::Names(flags(&rule.options)?), target()?])
            } else {
                None
            }
        }
        _ if rule.remount => None,
        Kind::MountBind { recursive } => {
            let option = if recursive { MountOption::Rbind } else { MountOption::Bind };
            if has(option) { Some(vec![Dim::Paths(source(rule)?), target()?]) } else { None }
        }
        Kind::MountMove if has(MountOption::Move) => Some(vec![Dim::Paths(source(rule)?), target()?]),
        Kind::MountMake => match made {
            Some(made) => Some(vec![Dim::Bits(1 << (made as u32)), target()?]),
            None => None,
        },
        Kind::MountNew if moved.is_none() && made.is_none() => {
            let types: Result<Vec<Lang>, TooLarge> = rule.types.iter().map(|t| t.lang()).collect();
            let types = if rule.types.is_empty() { Lang::All } else { Lang::any(types?) };
            let flags = Dim::Names(flags(&rule.options)?);
            Some(vec![Dim::Names(types), Dim::Names(source(rule)?), target()?, flags])
        }
        _ => None,
    })
}

fn source(rule: &MountRule) -> Result<Lang, TooLarge> {
    match &rule.source {
        None => Ok(Lang::All),
        Some(MountSource::Path(path)) => path.lang(),
        Some(MountSource::Name(name)) => name.lang(),
    }
}

/// The sets of flags, spelled as the language spells them; those that say what kind of mount it is are no flags there.
fn flags(options: &[MountOption]) -> Result<Lang, TooLarge> {
    if options.is_empty() {
        return Ok(Lang::All);
    }
    let words: Vec<&str> = MountFlag::ALL
        .iter()
        .filter(|f| options.contains(&MountOption::from(**f)))
        .map(|f| f.word())
        .collect();
    Ok(Lang::Atom(Atom::name(&[Piece::Lit(words.join(","))])?))
}

fn propagation(option: MountOption) -> Option<Propagation> {
    Some(match option {
        MountOption::Shared => Propagation::Shared,
        MountOption::Slave => Propagation::Slave,
        MountOption::Private => Propagation::Private,
        MountOption::Unbindable => Propagation::Unbindable,
        MountOption::Rshared => Propagation::Rshared,
        MountOption::Rslave => Propagation::Rslave,
        MountOption::Rprivate => Propagation::Rprivate,
        MountOption::Runbindable => Propagation::Runbindable,
        _ => return None,
    })
}
