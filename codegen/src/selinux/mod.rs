//! A checked policy to an SELinux module: type enforcement, file contexts and, for own ports, a CIL side module.

pub mod base;

// TEMPORARY STUB
#[derive(Debug)]
pub struct Lowered {
    pub outcomes: Vec<crate::verdict::Outcome>,
    pub base: crate::verdict::Outcome,
}
impl Lowered {
    pub fn module_name(&self) -> &str {
        "x"
    }
    pub fn domain_type(&self) -> &str {
        "x"
    }
}
pub struct LowerError;
impl LowerError {
    pub fn diagnostic(&self, _: &canc_dsl::policy::Policy) -> canc_dsl::diag::Diagnostic {
        canc_dsl::diag::Diagnostic::new(canc_dsl::codes::INTERNAL, "x")
    }
}
pub fn lower(
    _: &canc_dsl::policy::PolicySet,
    p: &canc_dsl::policy::Policy,
    _: &base::Base,
) -> Result<Lowered, Vec<LowerError>> {
    Ok(Lowered {
        outcomes: p.rules.iter().map(|_| crate::verdict::Outcome::exact()).collect(),
        base: crate::verdict::Outcome::exact(),
    })
}
pub fn layer<'a>(
    _: &canc_dsl::policy::PolicySet,
    _: &canc_dsl::policy::Policy,
    l: &'a Lowered,
    _: &base::Base,
) -> crate::coverage::Layer<'a> {
    crate::coverage::Layer {
        name: crate::coverage::LayerName::Target(canc_dsl::policy::Target::Selinux),
        outcomes: &l.outcomes,
        permitted: Box::new(|_, _| Ok(crate::coverage::Permitted::Everything)),
        sees: Box::new(|_| true),
    }
}
pub mod emit {
    pub fn te(_: &super::Lowered) -> String {
        String::new()
    }
    pub fn fc(_: &super::Lowered) -> String {
        String::new()
    }
    pub fn ports(_: &super::Lowered) -> Option<String> {
        None
    }
}
