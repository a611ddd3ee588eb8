//! Paths of rules: regular expressions in what Go and we read alike.
//!
//! The connector compiles every path with Go's `regexp` (RE2) when it loads a tunnel's
//! configuration, and refuses the whole configuration, everybody's rules, for one that is none. So a
//! path is parsed here, and of what parses only what Go's syntax has too is let through:
//! <https://pkg.go.dev/regexp/syntax>. What is refused without need can be written in another way.

use regex_syntax::ast::{
    self, AssertionKind, Ast, ClassSetBinaryOp, ClassSetItem, Flag, Flags, FlagsItemKind,
    GroupKind, HexLiteralKind, Literal, LiteralKind, RepetitionKind, RepetitionRange,
};

/// The longest path, in bytes. Go bounds the size of what it compiles; this stays below.
const LONGEST: usize = 1000;
/// How often something may be repeated by number, counted through all that stands around it, says
/// Go.
const MOST_REPEATS: u64 = 1000;

/// What is wrong with a path, as the end of a sentence.
pub(super) fn fault(path: &str) -> Option<String> {
    if path.len() > LONGEST {
        return Some(format!("it has more than {LONGEST} characters"));
    }
    let parsed = match ast::parse::Parser::new().parse(path) {
        Ok(parsed) => parsed,
        Err(error) => return Some(error.kind().to_string()),
    };
    ast::visit(&parsed, Go::default()).err().map(str::to_owned)
}

/// Looks for what Go does not have.
#[derive(Default)]
struct Go {
    /// The numbers of the repetitions that stand around what is looked at.
    repeats: Vec<u64>,
}

type Verdict = Result<(), &'static str>;

impl ast::Visitor for Go {
    type Output = ();
    type Err = &'static str;

    fn finish(self) -> Verdict {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Verdict {
        match ast {
            Ast::Literal(found) => literal(found),
            Ast::Assertion(found) => assertion(&found.kind),
            Ast::ClassUnicode(_) => Err(UNICODE),
            Ast::Flags(found) => flags(&found.flags),
            Ast::Group(found) => group(&found.kind),
            Ast::Repetition(found) => {
                if matches!(*found.ast, Ast::Repetition(_)) {
                    return Err("a repetition repeats a repetition");
                }
                self.repeats.push(times(&found.op.kind));
                let all = self.repeats.iter().fold(1_u64, |all, times| all.saturating_mul(*times));
                if all > MOST_REPEATS { Err("something is repeated too often") } else { Ok(()) }
            }
            Ast::Empty(_)
            | Ast::Dot(_)
            | Ast::ClassPerl(_)
            | Ast::ClassBracketed(_)
            | Ast::Alternation(_)
            | Ast::Concat(_) => Ok(()),
        }
    }

    fn visit_post(&mut self, ast: &Ast) -> Verdict {
        if let Ast::Repetition(_) = ast {
            self.repeats.pop();
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Verdict {
        match item {
            ClassSetItem::Literal(found) => literal(found),
            ClassSetItem::Range(found) => literal(&found.start).and(literal(&found.end)),
            ClassSetItem::Unicode(_) => Err(UNICODE),
            ClassSetItem::Bracketed(_) => Err("a class of characters stands inside another"),
            ClassSetItem::Empty(_)
            | ClassSetItem::Ascii(_)
            | ClassSetItem::Perl(_)
            | ClassSetItem::Union(_) => Ok(()),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ClassSetBinaryOp) -> Verdict {
        Err("classes of characters are put together with `&&`, `--` or `~~`")
    }
}

const UNICODE: &str = "a class of characters is named with `\\p`";

fn literal(found: &Literal) -> Verdict {
    match found.kind {
        LiteralKind::HexFixed(HexLiteralKind::UnicodeShort | HexLiteralKind::UnicodeLong)
        | LiteralKind::HexBrace(HexLiteralKind::UnicodeShort | HexLiteralKind::UnicodeLong) => {
            Err("a character is written with `\\u`, and not with `\\x`")
        }
        _ => Ok(()),
    }
}

fn assertion(kind: &AssertionKind) -> Verdict {
    match kind {
        AssertionKind::StartLine
        | AssertionKind::EndLine
        | AssertionKind::StartText
        | AssertionKind::EndText
        | AssertionKind::WordBoundary
        | AssertionKind::NotWordBoundary => Ok(()),
        _ => Err("a word's boundary is not written as `\\b`"),
    }
}

fn group(kind: &GroupKind) -> Verdict {
    match kind {
        GroupKind::CaptureIndex(_) => Ok(()),
        GroupKind::NonCapturing(found) => flags(found),
        GroupKind::CaptureName { starts_with_p, name } => {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            match *starts_with_p && name.name.chars().all(plain) {
                true => Ok(()),
                false => Err("a group is not named as in `(?P<name>...)`"),
            }
        }
    }
}

fn flags(flags: &Flags) -> Verdict {
    let unknown = |kind: &FlagsItemKind| {
        matches!(kind, FlagsItemKind::Flag(Flag::Unicode | Flag::CRLF | Flag::IgnoreWhitespace))
    };
    match flags.items.iter().any(|item| unknown(&item.kind)) {
        true => Err("a flag is none of `i`, `m`, `s` and `U`"),
        false => Ok(()),
    }
}

/// How often something is repeated by number.
fn times(kind: &RepetitionKind) -> u64 {
    match kind {
        RepetitionKind::Range(
            RepetitionRange::Exactly(most)
            | RepetitionRange::AtLeast(most)
            | RepetitionRange::Bounded(_, most),
        ) => u64::from(*most).max(1),
        RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore | RepetitionKind::OneOrMore => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_compiles_too_is_taken() {
        for path in [
            "/api",
            "^/api/v[0-9]+/",
            "\\.(jpg|png|css)$",
            "(?i)\\.PDF",
            "^/(?P<user>\\w+)(?:/x)?$",
            "a{2,5}?[[:alpha:]_-]\\x2F\\x{2F}",
            "^/ä",
            "(a{10}){100}",
        ] {
            assert_eq!(fault(path), None, "{path}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for path in [
            "api(",
            "api)",
            "*",
            "+x",
            "[a",
            "[z-a]",
            "a**",
            "a+?*",
            "a{2}{3}",
            "a{1001}",
            "(a{100}){11}",
            "a{2,1}",
            "(?x)a",
            "(?=a)",
            "(?<name>a)",
            "(?P<n.m>a)",
            "\\1",
            "\\u002f",
            "[a&&b]",
            "\\p{Alphabetic}",
            "\\b{start}a",
            "\\",
            &"a".repeat(1001),
            &"(".repeat(600),
        ] {
            assert!(fault(path).is_some(), "{path}");
        }
    }
}
