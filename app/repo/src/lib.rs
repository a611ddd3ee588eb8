//! Mirrors, trees and blobs: the only crate that runs git
