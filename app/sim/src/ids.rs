//! Ids as vendors give them, but the same ones in every run: a counter and a seed, hashed so that
//! nobody can rely on their order.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Makes ids. Two of these with one seed give the same ids in the same order.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    seed: String,
    given: u64,
}

impl Ids {
    /// Ids that belong to `seed`, usually the simulator's name.
    pub(crate) fn new(seed: impl Into<String>) -> Self {
        Self { seed: seed.into(), given: 0 }
    }

    /// The next id as lower-case hexadecimal of `digits` digits, at most 64.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        let mut text: String = self.next().iter().map(|byte| format!("{byte:02x}")).collect();
        text.truncate(digits);
        text
    }

    /// The next id as a UUID, version 4 in form.
    pub(crate) fn uuid(&mut self) -> Uuid {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.next()[..16]);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// The next id as 32 bytes: a secret.
    pub(crate) fn bytes(&mut self) -> [u8; 32] {
        self.next()
    }

    fn next(&mut self) -> [u8; 32] {
        self.given += 1;
        Sha256::digest(format!("{}/{}", self.seed, self.given)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_the_same_ids_again() {
        let (mut first, mut second) = (Ids::new("unifi"), Ids::new("unifi"));
        assert_eq!(first.uuid(), second.uuid());
        assert_eq!(first.hex(24), second.hex(24));
        assert_ne!(first.hex(32), second.hex(24));
    }
}
