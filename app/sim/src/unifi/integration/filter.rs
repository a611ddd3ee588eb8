//! Filters of lists: `domain.eq('nas.lan')`, `macAddress.in('..', '..')`, `and(.., not(..))`.
//!
//! A property is a path into the item's JSON. Strings stand in single quotes, doubled inside; what
//! stands bare is a number or `true` or `false`.

use serde_json::Value;

/// A filter, parsed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Test { property: String, test: Test },
}

/// What a property is held against.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    /// `*` stands for anything.
    Like(String),
    IsNull,
    IsNotNull,
}

impl Filter {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { rest: text.trim() };
        let filter = reader.filter()?;
        match reader.rest.trim() {
            "" => Ok(filter),
            rest => Err(format!("unexpected `{rest}`")),
        }
    }

    pub(super) fn accepts(&self, item: &Value) -> bool {
        match self {
            Self::And(filters) => filters.iter().all(|filter| filter.accepts(item)),
            Self::Or(filters) => filters.iter().any(|filter| filter.accepts(item)),
            Self::Not(filter) => !filter.accepts(item),
            Self::Test { property, test } => test.accepts(text_at(item, property).as_deref()),
        }
    }
}

impl Test {
    fn new(function: &str, arguments: Vec<String>) -> Result<Self, String> {
        match (function, arguments.as_slice()) {
            ("eq", [_]) | ("in", [_, ..]) => Ok(Self::In(arguments)),
            ("ne", [_]) | ("notIn", [_, ..]) => Ok(Self::NotIn(arguments)),
            ("like", [pattern]) => Ok(Self::Like(pattern.clone())),
            ("isNull", []) => Ok(Self::IsNull),
            ("isNotNull", []) => Ok(Self::IsNotNull),
            _ => Err(format!("no function `{function}` with {} arguments", arguments.len())),
        }
    }

    fn accepts(&self, value: Option<&str>) -> bool {
        match (self, value) {
            (Self::IsNull, value) => value.is_none(),
            (Self::IsNotNull, value) => value.is_some(),
            (_, None) => false,
            (Self::In(wanted), Some(value)) => wanted.iter().any(|wanted| wanted == value),
            (Self::NotIn(unwanted), Some(value)) => {
                unwanted.iter().all(|unwanted| unwanted != value)
            }
            (Self::Like(pattern), Some(value)) => is_like(pattern, value),
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn filter(&mut self) -> Result<Filter, String> {
        let name = self.until_open()?;
        match name.as_str() {
            "and" => Ok(Filter::And(self.list(Self::filter)?)),
            "or" => Ok(Filter::Or(self.list(Self::filter)?)),
            "not" => match self.list(Self::filter)?.pop() {
                Some(filter) => Ok(Filter::Not(Box::new(filter))),
                None => Err("`not` needs an argument".to_owned()),
            },
            _ => {
                let (property, function) = name
                    .rsplit_once('.')
                    .ok_or_else(|| format!("`{name}` is not a property and a function"))?;
                let test = Test::new(function, self.list(Self::value)?)?;
                Ok(Filter::Test { property: property.to_owned(), test })
            }
        }
    }

    /// What stands before the next `(`, and the `(` itself.
    fn until_open(&mut self) -> Result<String, String> {
        let (name, rest) =
            self.rest.split_once('(').ok_or_else(|| format!("no `(` in `{}`", self.rest))?;
        self.rest = rest;
        Ok(name.trim().to_owned())
    }

    /// Items with commas between them, up to the `)` that closes the list.
    fn list<T>(&mut self, item: fn(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        let mut items = Vec::new();
        if self.takes(')') {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.takes(')') {
                return Ok(items);
            }
            if !self.takes(',') {
                return Err(format!("`,` or `)` expected at `{}`", self.rest));
            }
        }
    }

    fn value(&mut self) -> Result<String, String> {
        if !self.takes('\'') {
            let end = self.rest.find([',', ')']).unwrap_or(self.rest.len());
            let (value, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Ok(value.trim().to_owned());
        }
        let mut value = String::new();
        loop {
            let (piece, rest) = self.rest.split_once('\'').ok_or("a string does not end")?;
            value.push_str(piece);
            match rest.strip_prefix('\'') {
                Some(rest) => {
                    value.push('\'');
                    self.rest = rest;
                }
                None => {
                    self.rest = rest;
                    return Ok(value);
                }
            }
        }
    }

    fn takes(&mut self, wanted: char) -> bool {
        match self.rest.trim_start().strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

fn text_at(item: &Value, property: &str) -> Option<String> {
    let value = property.split('.').try_fold(item, |value, piece| value.get(piece))?;
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn is_like(pattern: &str, value: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == value };
    let Some(mut left) = value.strip_prefix(head) else { return false };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    for piece in middle.split('*') {
        let Some(at) = left.find(piece) else { return false };
        left = &left[at + piece.len()..];
    }
    left.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn accepts(filter: &str) -> bool {
        let item = json!({
            "type": "A_RECORD", "domain": "o'neil.lan", "enabled": true, "metadata": { "origin": "USER_DEFINED" },
        });
        Filter::parse(filter).unwrap().accepts(&item)
    }

    #[test]
    fn properties_are_compared_as_the_vendor_describes() {
        assert!(accepts("domain.eq('o''neil.lan')"));
        assert!(accepts("type.in('CNAME_RECORD', 'A_RECORD')"));
        assert!(accepts("and(enabled.eq(true), not(type.eq('MX_RECORD')))"));
        assert!(accepts("or(type.ne('A_RECORD'),metadata.origin.eq('USER_DEFINED'))"));
        assert!(accepts("domain.like('o*.lan')"));
        assert!(!accepts("domain.like('o*.lan*x')"));
        assert!(accepts("ttlSeconds.isNull()"));
        assert!(!accepts("type.notIn('A_RECORD')"));
    }

    #[test]
    fn what_is_not_a_filter_is_an_error() {
        for text in [
            "",
            "domain",
            "domain.eq('a",
            "domain.eq('a') x",
            "eq('a')",
            "domain.near('a')",
            "and(",
            "not()",
        ] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }
}
