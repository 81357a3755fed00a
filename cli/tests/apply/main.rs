//! `canc apply` and its companions in a private root, whose tools are stand-ins and whose kernel is files: every point of an apply
//! is interrupted and every call of it fails.

#[cfg(test)]
mod commands;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod host;
#[cfg(test)]
mod hosts;
#[cfg(test)]
mod tools;
#[cfg(test)]
mod units;
