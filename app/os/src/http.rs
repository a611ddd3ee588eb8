//! The HTTP client.

/// Which hosts and addresses may be connected to.
#[derive(Debug, Clone, Default)]
pub struct AddressRules {}
