//! Tests of the front end from outside: text in, policies and messages out.

#[cfg(test)]
mod common;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod slice;
#[cfg(test)]
mod statements;
