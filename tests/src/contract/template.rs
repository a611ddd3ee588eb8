//! Path templates such as `/repos/{owner}/{repo}/git/ref/{ref}`, and which of them a path means.

use std::cmp::Ordering;

/// Parameters whose value may contain slashes as it is sent: GitHub takes branch names and file paths that way.
const SPANNING: [&str; 3] = ["ref", "path", "basehead"];

/// A template, taken apart.
#[derive(Debug)]
pub(super) struct Template {
    segments: Vec<Segment>,
}

#[derive(Debug)]
enum Segment {
    Literal(String),
    Parameter(String),
}

/// The parameters' names with their values as they were sent, still percent-encoded.
pub(super) type Values<'a> = Vec<(&'a str, String)>;

impl Template {
    pub(super) fn parse(text: &str) -> Template {
        let segment = |text: &str| match text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
            Some(name) => Segment::Parameter(name.to_owned()),
            None => Segment::Literal(text.to_owned()),
        };
        Template { segments: pieces(text).map(segment).collect() }
    }

    /// The values in `path`; `None` if it is not of this form.
    pub(super) fn values(&self, path: &str) -> Option<Values<'_>> {
        let mut rest: Vec<&str> = pieces(path).collect();
        let mut values = Vec::new();
        let last = self.segments.len().checked_sub(1)?;
        for (place, segment) in self.segments.iter().enumerate() {
            let piece = *rest.first()?;
            let taken = match segment {
                Segment::Literal(text) if text == piece => 1,
                Segment::Literal(_) => return None,
                Segment::Parameter(name) => {
                    let all = place == last && SPANNING.contains(&name.as_str());
                    let taken = if all { rest.len() } else { 1 };
                    values.push((name.as_str(), rest[..taken].join("/")));
                    taken
                }
            };
            rest.drain(..taken);
        }
        rest.is_empty().then_some(values)
    }

    /// Which of two templates that fit one path says more about it: the one with a literal where the other has a parameter,
    /// the first such place counting.
    pub(super) fn specificity(&self, other: &Template) -> Ordering {
        let literals = |template: &Template| -> Vec<bool> {
            template.segments.iter().map(|segment| matches!(segment, Segment::Literal(_))).collect()
        };
        literals(self).cmp(&literals(other))
    }
}

fn pieces(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|piece| !piece.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_gives_the_values_of_its_parameters() {
        let template = Template::parse("/repos/{owner}/{repo}/pulls/{pull_number}");
        let values = template.values("/repos/acme/homelab/pulls/7").unwrap();
        assert_eq!(values[1..], [("repo", "homelab".to_owned()), ("pull_number", "7".to_owned())]);
        assert!(template.values("/repos/acme/homelab/pulls").is_none());
        assert!(template.values("/repos/acme/homelab/pulls/7/files").is_none());
    }

    #[test]
    fn a_branch_name_may_have_slashes_at_the_end_only() {
        let last = Template::parse("/repos/{owner}/{repo}/git/ref/{ref}");
        let values = last.values("/repos/a/b/git/ref/heads/feature/x").unwrap();
        assert_eq!(values[2], ("ref", "heads/feature/x".to_owned()));
        let middle = Template::parse("/repos/{owner}/{repo}/commits/{ref}/check-runs");
        assert!(middle.values("/repos/a/b/commits/feature/x/check-runs").is_none());
    }

    #[test]
    fn a_literal_says_more_than_a_parameter() {
        let comments = Template::parse("/issues/comments/{comment_id}");
        let labels = Template::parse("/issues/{issue_number}/{name}");
        assert_eq!(comments.specificity(&labels), Ordering::Greater);
    }
}
