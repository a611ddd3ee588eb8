//! What was parsed and found before, kept by what it depends on, within a bound.
//!
//! A file is parsed once for each content and path, the units of a service made once for each
//! content and environment, and a whole tree checked once for each tree and rules: the base of a
//! pull request was some earlier one's. Keys name everything that the value depends on, so nothing
//! is ever stale; the bound only keeps the memory small.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use landfall_core::config::{ServiceFile, Unit};
use landfall_core::diagnostic::Diagnostic;
use landfall_core::name::{BlobSha, ConfigPath, TreeSha};
use landfall_core::plan::Digest;

use super::Declared;

/// A cache of two generations: when the younger one is full, the older one is dropped and the
/// younger takes its place. What is used again moves to the younger one, so what is in use stays.
#[derive(Debug)]
pub struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    weight: usize,
    bound: usize,
}

impl<K: Eq + Hash + Clone, V: Clone> Generations<K, V> {
    /// A cache that holds at most twice `bound`, in the units in which weights are given.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), weight: 0, bound }
    }

    /// What is kept under `key`, with `weight` counted again if it was in the older generation.
    pub fn get(&mut self, key: &K, weight: usize) -> Option<V> {
        self.get_weighing(key, |_| weight)
    }

    /// As [`get`](Self::get), where the weight is that of the value.
    pub fn get_weighing(&mut self, key: &K, weight: impl FnOnce(&V) -> usize) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let value = self.old.remove(key)?;
        let weight = weight(&value);
        self.put(key.clone(), value.clone(), weight);
        Some(value)
    }

    /// Keeps `value`.
    pub fn put(&mut self, key: K, value: V, weight: usize) {
        if self.weight + weight > self.bound {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight += weight;
        self.young.insert(key, value);
    }
}

type FileKey = (ConfigPath, BlobSha);
type UnitsKey = (ConfigPath, BlobSha, Digest);
/// A tree, and the digest of the rules that it was read by.
type TreeKey = (TreeSha, Digest);
type Made<T> = Result<T, Vec<Diagnostic>>;

/// The caches of one server.
#[derive(Debug)]
pub struct Caches {
    files: Mutex<Generations<FileKey, Made<Arc<ServiceFile>>>>,
    units: Mutex<Generations<UnitsKey, Made<Arc<[Unit]>>>>,
    trees: Mutex<Generations<TreeKey, Declared>>,
}

/// A parsed file takes a few times its text in memory: this many bytes are counted for one whose
/// text is not known any more. Most service files are smaller.
const FILE_WEIGHT: usize = 2 << 10;

/// What a file of a tree takes beside its parsed content, which the tree shares: its path and the
/// references to it and its units.
const LISTED_WEIGHT: usize = 256;

impl Default for Caches {
    /// Up to 64 MiB of files and of units each, roughly, and 16 MiB of trees.
    fn default() -> Self {
        let half = 32 << 20;
        Self {
            files: Mutex::new(Generations::new(half)),
            units: Mutex::new(Generations::new(half)),
            trees: Mutex::new(Generations::new(8 << 20)),
        }
    }
}

impl Caches {
    /// The parsed file of this path and content, if it was parsed before.
    pub fn file(&self, path: &ConfigPath, blob: &BlobSha) -> Option<Made<Arc<ServiceFile>>> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.get(&(path.clone(), blob.clone()), FILE_WEIGHT)
    }

    /// Keeps a parsed file.
    pub fn keep_file(&self, path: &ConfigPath, blob: &BlobSha, made: Made<Arc<ServiceFile>>) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.put((path.clone(), blob.clone()), made, FILE_WEIGHT);
    }

    /// The units of a file in an environment, from here or from `make`.
    ///
    /// # Errors
    /// What `make` found, or had found.
    pub fn units(
        &self,
        key: (&ConfigPath, &BlobSha, &Digest),
        make: impl FnOnce() -> Made<Arc<[Unit]>>,
    ) -> Made<Arc<[Unit]>> {
        let key = (key.0.clone(), key.1.clone(), *key.2);
        let weight = |made: &Made<Arc<[Unit]>>| {
            made.as_ref().map_or(1, |units| 1 + units.len()) * FILE_WEIGHT / 2
        };
        if let Some(made) =
            self.units.lock().unwrap_or_else(PoisonError::into_inner).get(&key, FILE_WEIGHT)
        {
            return made;
        }
        let made = make();
        let mut units = self.units.lock().unwrap_or_else(PoisonError::into_inner);
        units.put(key, made.clone(), weight(&made));
        made
    }

    /// What a tree declares under rules with this digest, if it was read before and has no errors.
    pub fn tree(&self, tree: &TreeSha, rules: &Digest) -> Option<Declared> {
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        trees.get_weighing(&(tree.clone(), *rules), weight)
    }

    /// Keeps what a tree declares.
    pub fn keep_tree(&self, tree: &TreeSha, rules: &Digest, declared: &Declared) {
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        trees.put((tree.clone(), *rules), declared.clone(), weight(declared));
    }
}

fn weight(declared: &Declared) -> usize {
    (1 + declared.paths.len()) * LISTED_WEIGHT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let mut cache = Generations::new(2);
        for n in 0..10 {
            cache.put(n, n, 1);
            assert_eq!(cache.get(&0, 1), Some(0), "{n}");
        }
        assert_eq!(cache.get(&1, 1), None);
        assert!(cache.young.len() + cache.old.len() <= 5);
    }
}
