//! Labels that people put on a pull request for Landfall. Anybody with triage permission may.

/// A label that means something here. Others are nobody's concern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// The pull request is not planned, and its checks let it pass. What it changes waits for
    /// somebody's word after the merge, because nobody reviewed a plan of it.
    Skip,
    /// It is planned. What it changes waits for somebody's word after the merge.
    Hold,
}

impl Label {
    /// As it is called at GitHub.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "landfall:skip",
            Self::Hold => "landfall:hold",
        }
    }

    /// The one that is called so. GitHub does not tell labels apart by case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Skip, Self::Hold].into_iter().find(|label| label.as_str().eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_known_by_its_name_however_it_is_spelled() {
        assert_eq!(Label::named("landfall:skip"), Some(Label::Skip));
        assert_eq!(Label::named("Landfall:HOLD"), Some(Label::Hold));
        assert_eq!(Label::named("landfall"), None);
        assert_eq!(Label::named("skip"), None);
    }
}
