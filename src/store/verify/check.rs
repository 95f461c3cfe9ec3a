//! The steps of a verification.

/// What is being verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The structure of the file. Its progress is not known.
    Structure,
    /// The bodies, by seq.
    Bodies,
    /// A fresh projection is built, by seq.
    Derive,
    /// The projections are compared, table by table.
    Compare,
}

/// Receives the check, how far it is, and where it ends.
pub(super) type Progress<'p> = &'p mut dyn FnMut(Check, u64, u64);
