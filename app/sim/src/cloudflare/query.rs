//! The filters of a record list: `name`, `name.contains`, `comment.startswith`, `type`, ...

use super::record::CloudflareRecord;
use crate::call::Call;

/// What the query asks for.
#[derive(Debug)]
pub(super) struct Filters<'a> {
    conditions: Vec<Condition<'a>>,
    any: bool,
}

#[derive(Debug)]
struct Condition<'a> {
    field: Field,
    test: Test<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Field {
    Name,
    Content,
    Comment,
    Type,
    Proxied,
    Id,
    Tag,
}

#[derive(Debug)]
enum Test<'a> {
    Exact(&'a str),
    Contains(&'a str),
    StartsWith(&'a str),
    EndsWith(&'a str),
    Present,
    Absent,
}

impl<'a> Filters<'a> {
    pub(super) fn new(call: &'a Call) -> Self {
        let conditions = call.query.iter().filter_map(|(key, value)| Condition::new(key, value));
        Self { conditions: conditions.collect(), any: call.param("match") == Some("any") }
    }

    pub(super) fn accept(&self, record: &CloudflareRecord) -> bool {
        let mut conditions = self.conditions.iter();
        if self.any && !self.conditions.is_empty() {
            conditions.any(|condition| condition.holds(record))
        } else {
            conditions.all(|condition| condition.holds(record))
        }
    }
}

impl<'a> Condition<'a> {
    /// `None` for what is not a filter: paging, order.
    fn new(key: &str, value: &'a str) -> Option<Self> {
        let (field, test) = key.split_once('.').unwrap_or((key, "exact"));
        let field = match field {
            "name" => Field::Name,
            "content" => Field::Content,
            "comment" => Field::Comment,
            "type" => Field::Type,
            "proxied" => Field::Proxied,
            "id" => Field::Id,
            "tag" => Field::Tag,
            _ => return None,
        };
        let test = match test {
            "exact" => Test::Exact(value),
            "contains" => Test::Contains(value),
            "startswith" => Test::StartsWith(value),
            "endswith" => Test::EndsWith(value),
            "present" => Test::Present,
            "absent" => Test::Absent,
            _ => return None,
        };
        Some(Self { field, test })
    }

    fn holds(&self, record: &CloudflareRecord) -> bool {
        let fields = &record.fields;
        let proxied = fields.proxied.to_string();
        let value = match self.field {
            Field::Name => Some(fields.name.as_str()),
            Field::Content => Some(fields.content.as_str()),
            Field::Comment => fields.comment.as_deref(),
            Field::Type => Some(fields.record_type.as_str()),
            Field::Proxied => Some(proxied.as_str()),
            Field::Id => Some(record.id.as_str()),
            // No plan that is simulated has tags.
            Field::Tag => None,
        };
        self.test.accepts(value)
    }
}

impl Test<'_> {
    /// Filters do not distinguish case.
    fn accepts(&self, value: Option<&str>) -> bool {
        let lower = |text: &str| text.to_lowercase();
        match (self, value) {
            (Self::Present, value) => value.is_some(),
            (Self::Absent, value) => value.is_none(),
            (_, None) => false,
            (Self::Exact(wanted), Some(value)) => value.eq_ignore_ascii_case(wanted),
            (Self::Contains(part), Some(value)) => lower(value).contains(&lower(part)),
            (Self::StartsWith(part), Some(value)) => lower(value).starts_with(&lower(part)),
            (Self::EndsWith(part), Some(value)) => lower(value).ends_with(&lower(part)),
        }
    }
}
