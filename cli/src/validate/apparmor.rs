//! The profiles of a bundle to the answers of AppArmor's parser, asked strictly.

use super::bundle::{Bundle, Policy, check as one};
use super::host::Host;
use super::{Answer, Check};
use canc_bundle::Artefact;

const TOOL: &str = "apparmor_parser";

/// One question per profile.
pub fn check(bundle: &Bundle, host: &Host) -> Vec<Check> {
    let policies = bundle.manifest.policies.iter();
    policies.filter_map(|policy| Some(ask(bundle, host, policy, &policy.apparmor.as_ref()?.source))).collect()
}

fn ask(bundle: &Bundle, host: &Host, policy: &Policy, source: &Artefact) -> Check {
    let answer = bundle.read(source).map_or_else(Answer::Refused, |text| parse(bundle, host, &text));
    one(policy, "apparmor", source, TOOL, answer)
}

/// Without a feature set the parser takes what it will not enforce, so the one of the bundle's ABI is given and every
/// warning is an error. Nothing is loaded, no cache is read or written.
fn parse(bundle: &Bundle, host: &Host, profile: &[u8]) -> Answer {
    let features = format!("/etc/apparmor.d/abi/{}", bundle.manifest.options.apparmor_abi);
    if host.has(TOOL) && !host.path(&features).is_file() {
        return Answer::NotChecked(format!("this host's AppArmor does not have {features}"));
    }
    let features = host.seen(&features).display().to_string();
    let args = ["-Q", "-T", "-K", "-M", &features, "--warn=all", "--Werror"];
    match host.run(TOOL, args, profile) {
        Ok(ran) if ran.good => Answer::Accepted,
        Ok(ran) => Answer::Refused(ran.text),
        Err(why) => Answer::NotChecked(why),
    }
}
