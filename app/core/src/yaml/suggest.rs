//! "Did you mean": the nearest of the words that would have been right.

/// The candidate most like `word`, if any is like enough to be worth saying.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    const LIKE_ENOUGH: f64 = 0.6;
    // Distance is quadratic in length; nobody mistypes a key of a thousand characters.
    if word.len() > 100 {
        return None;
    }
    let score = |candidate: &str| strsim::normalized_damerau_levenshtein(word, candidate);
    let scored = candidates.into_iter().filter(|c| c.len() <= 100).map(|c| (score(c), c));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= LIKE_ENOUGH).then_some(best.1)
}

/// The help for a word that is none of `candidates`: the nearest, else all of them if they are few.
pub fn did_you_mean<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<String> {
    const FEW: usize = 12;
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(near) = nearest(word, candidates.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let quoted: Vec<String> = candidates.iter().map(|c| format!("`{c}`")).collect();
    (1..=FEW).contains(&quoted.len()).then(|| format!("known here: {}", quoted.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_a_stranger_is_not() {
        assert_eq!(nearest("ruotes", ["tunnel", "routes"]), Some("routes"));
        assert_eq!(nearest("banana", ["tunnel", "routes"]), None);
        assert_eq!(did_you_mean("banana", ["a", "b"]).unwrap(), "known here: `a`, `b`");
    }
}
