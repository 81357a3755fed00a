//! `canc-run --load` on machines that have never seen the policy: before it the layer refuses nothing, after it the layer does; and
//! what somebody else makes of a loaded profile or of the host afterwards is refused, each with its reason.

use super::super::ensure;
use super::{PERMITTED, REFUSED, SOURCE};
use crate::Error;
use crate::policy::{Compiled, LAUNCHER, Layers, Tools};
use crate::vm::{Exit, File, VmJob, VmTest};

/// The permitted directory of another policy of the same name.
const OTHER: &str = "/srv/y/**";
/// A profile of the same name that permits everything.
const REPLACED: &str = "abi <abi/4.0>,\nprofile canc.cat flags=(attach_disconnected) { /** rwmix, }\n";
const REPLACED_FILE: &str = "/root/replaced";
/// Seconds that a transaction of the module store may take on an emulated processor, with the launch.
const TRANSACTION: u32 = 500;

/// The policy with one layer alone, another build of it, and one that the layer has to hold.
struct Bundles {
    only: Compiled,
    other: Compiled,
    required: Compiled,
}

impl Bundles {
    fn new(tools: &Tools, layer: &'static str) -> Result<Self, Error> {
        let other = SOURCE.replace("/srv/x/**", OTHER);
        ensure(other != SOURCE, || "the policy no longer names its directory so".to_owned())?;
        let required = SOURCE.replacen("{", &format!("{{\n  backend {layer} require;"), 1);
        Ok(Self {
            only: tools.compile("cat", SOURCE, Layers::Only(layer))?,
            other: tools.compile("other", &other, Layers::Only(layer))?,
            required: tools.compile(&format!("required-{layer}"), &required, Layers::All)?,
        })
    }

    fn job(&self, name: &str, kind: &str, tools: &Tools) -> Result<VmJob, Error> {
        let mut job = VmJob::new(name, kind)?;
        job.files = vec![
            tools.launcher_file(),
            File::directory("/srv/x"),
            File::text(PERMITTED, "permitted words\n"),
            File::directory("/srv/other"),
            File::text(REFUSED, "refused words\n"),
        ];
        for bundle in [&self.only, &self.other, &self.required] {
            job.files.extend(bundle.files()?);
        }
        Ok(job)
    }
}

/// `canc-run --load BUNDLE -- cat FILE`.
fn load(name: &str, bundle: &Compiled, file: &str) -> VmTest {
    let words = [LAUNCHER, "--load", &bundle.bundle(), "--", "/usr/bin/cat", file].map(str::to_owned);
    let mut test = VmTest::launch(name, words.into());
    test.step.seconds = TRANSACTION;
    test
}

fn cat(name: &str, bundle: &Compiled, file: &str) -> VmTest {
    VmTest::launch(name, bundle.launch(&["/usr/bin/cat", file]))
}

fn denied(test: VmTest) -> VmTest {
    test.exit(Exit::Code(1)).stderr("Permission denied")
}

/// canc-run's own refusal.
fn refused(test: VmTest, words: &[&str]) -> VmTest {
    words.iter().fold(test.exit(Exit::Code(125)), |test, words| test.stderr(words))
}

/// A shell line around a launch, whose exit code is the launch's.
fn around(name: &str, before: &str, launch: &VmTest, after: &str) -> VmTest {
    let launch: Vec<String> = launch.step.argv.iter().map(|word| format!("'{word}'")).collect();
    let line = format!("{before} && {}; code=$?; {after}; exit $code", launch.join(" "));
    VmTest::new(name, &["/bin/sh", "-c", &line])
}

/// AppArmor, from nothing.
pub fn apparmor(tools: &Tools) -> Result<VmJob, Error> {
    let bundles = Bundles::new(tools, "apparmor")?;
    let Bundles { only, other, required } = &bundles;
    let mut job = bundles.job("cat loaded under AppArmor", "debian13-apparmor", tools)?;
    job.files.push(File::text(REPLACED_FILE, REPLACED));
    let replace = |flags: &str| format!("/usr/sbin/apparmor_parser {flags} {REPLACED_FILE}");
    let records = ["apparmor=\"DENIED\"", "profile=\"canc.cat\"", REFUSED];
    let plain = cat("", only, PERMITTED);
    let mends = "canc-run --load BUNDLE";
    job.tests = vec![
        cat("not loaded: another read", only, REFUSED)
            .stdout("refused words")
            .no_audit(&["DENIED", "operation=\"open\""]),
        refused(
            cat("not loaded, but required", required, PERMITTED),
            &["profile canc.cat is not loaded", mends],
        ),
        refused(load("an ordinary user may not load", only, PERMITTED).uid(1000, 1000), &["only root loads"]),
        load("load: permitted read", only, PERMITTED)
            .stdout("permitted words")
            .no_audit(&["DENIED", "operation=\"open\""]),
        denied(cat("loaded: another read", only, REFUSED)).audit(&records),
        denied(cat("loaded: another read of a user", only, REFUSED).uid(1000, 1000)).audit(&records),
        VmTest::launch(
            "loaded: own label",
            only.launch(&["/usr/bin/cat", "/proc/self/attr/apparmor/current"]),
        )
        .stdout("canc.cat (enforce)"),
        refused(cat("another build of the policy", other, PERMITTED), &["profile canc.cat is stale", mends]),
        refused(around("replaced by another", &replace("-r"), &plain, "true"), &["was altered", mends]),
        refused(cat("replaced by another, for a user", only, PERMITTED).uid(1000, 1000), &["was altered"]),
        denied(load("load mends it", only, REFUSED)).audit(&records),
        refused(
            around("in complain mode", &replace("-C -r"), &plain, "true"),
            &["in complain mode", "aa-enforce"],
        ),
        denied(load("load mends that too", only, REFUSED)).audit(&records),
        around("removed again", &replace("-R"), &cat("", only, REFUSED), "true").stdout("refused words"),
    ];
    Ok(job)
}

/// SELinux, from nothing: one transaction, since it takes minutes there.
pub fn selinux(tools: &Tools) -> Result<VmJob, Error> {
    let bundles = Bundles::new(tools, "selinux")?;
    let Bundles { only, other, required } = &bundles;
    let mut job = bundles.job("cat loaded under SELinux", "debian13-selinux", tools)?;
    let records = ["avc:", "denied", "canc__cat_t", "tclass=file", "permissive=0"];
    let plain = cat("", only, PERMITTED);
    job.tests = vec![
        cat("not loaded: another read", only, REFUSED).stdout("refused words"),
        refused(
            cat("not loaded, but required", required, PERMITTED),
            &["no type canc__cat_t", "canc-run --load"],
        ),
        load("load: permitted read", only, PERMITTED).stdout("permitted words"),
        cat("loaded: permitted read", only, PERMITTED).stdout("permitted words").no_audit(&[
            "denied",
            "canc__cat_t",
            "tclass=file",
        ]),
        denied(cat("loaded: another read", only, REFUSED)).audit(&records),
        denied(cat("loaded: another read of a user", only, REFUSED).uid(1000, 1000)).audit(&records),
        VmTest::launch("loaded: own label", only.launch(&["/usr/bin/cat", "/proc/self/attr/current"]))
            .stdout("unconfined_u:unconfined_r:canc__cat_t:s0"),
        refused(cat("another build of the policy", other, PERMITTED), &["module canc_cat is stale"]),
        refused(
            around("permissive host", "setenforce 0", &plain, "setenforce 1"),
            &["the host is permissive", "setenforce 1"],
        ),
        refused(
            cat("a role without the type", only, PERMITTED).context("system_u:system_r:initrc_t:s0"),
            &["is not valid"],
        ),
    ];
    Ok(job)
}
