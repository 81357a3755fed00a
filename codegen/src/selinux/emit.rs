//! The data model to text. Alone here policy text is made, and only from words that their types have checked.

use super::base::Kind;
use super::model::{FileContexts, Operand, PortModule, Statement, TeModule};
use askama::Template;
use canc_dsl::policy::Protocol;

/// How deep a block stands.
struct Indent;

impl Indent {
    const NONE: &'static Tabs = &Tabs("");
    const ONE: &'static Tabs = &Tabs("\t");
}

/// White space.
struct Tabs(&'static str);

#[derive(Template)]
#[template(path = "selinux.te")]
struct TeTemplate<'a> {
    module: &'a TeModule,
}

#[derive(Template)]
#[template(path = "selinux.fc")]
struct FcTemplate<'a> {
    contexts: &'a FileContexts,
}

#[derive(Template)]
#[template(path = "selinux_ports.cil")]
struct PortTemplate<'a> {
    module: &'a PortModule,
}

/// The `.te` file.
///
/// # Errors
/// Never: printing to memory does not fail.
pub fn te(module: &TeModule) -> Result<String, std::fmt::Error> {
    TeTemplate { module }.render().map_err(|_| std::fmt::Error)
}

/// The `.fc` file.
///
/// # Errors
/// Never: printing to memory does not fail.
pub fn fc(contexts: &FileContexts) -> Result<String, std::fmt::Error> {
    FcTemplate { contexts }.render().map_err(|_| std::fmt::Error)
}

/// The CIL file.
///
/// # Errors
/// Never: printing to memory does not fail.
pub fn cil(module: &PortModule) -> Result<String, std::fmt::Error> {
    PortTemplate { module }.render().map_err(|_| std::fmt::Error)
}

/// One filter per kind of token: a value of another type does not compile.
mod filters {
    use super::Tabs;
    use crate::selinux::names::{AttrName, ClassName, Comment, FileName, ModuleName, Perm, RawText, RoleName, TypeName};
    use crate::selinux::path::FcPath;
    use askama::filters::Safe;
    use askama::{Result, Values};

    macro_rules! tokens {
        ($($filter:ident($type:ty))*) => {$(
            #[askama::filter_fn]
            pub fn $filter<'a>(value: &'a $type, _: &dyn Values) -> Result<Safe<&'a str>> {
                Ok(Safe(value.as_str()))
            }
        )*};
    }

    tokens! {
        ty(TypeName)
        attribute(AttrName)
        role(RoleName)
        class(ClassName)
        perm(Perm)
        module_name(ModuleName)
        file_name(FileName)
        comment(Comment)
        raw(RawText)
    }

    #[askama::filter_fn]
    pub fn tabs<'a>(value: &'a Tabs, _: &dyn Values) -> Result<Safe<&'a str>> {
        Ok(Safe(value.0))
    }

    #[askama::filter_fn]
    pub fn path(value: &FcPath, _: &dyn Values) -> Result<Safe<String>> {
        Ok(Safe(value.text()))
    }

    #[askama::filter_fn]
    pub fn port(value: &u16, _: &dyn Values) -> Result<Safe<u16>> {
        Ok(Safe(*value))
    }
}
