//! TXT contents: one text to us, a row of quoted character strings to the zone.
//!
//! A character string holds at most 255 bytes (RFC 1035 section 3.3); a longer text is several of
//! them, and where it was cut means nothing (RFC 7208 section 3.3). So values are compared joined
//! and unquoted, and are cut and quoted only on their way out.

/// The most bytes of one character string.
const MAX_STRING: usize = 255;

/// The text of a content as the zone gives it or a person wrote it. What is not a row of quoted
/// strings is the text itself.
pub(super) fn join(content: &str) -> String {
    if content.starts_with('"') {
        unquote(content).unwrap_or_else(|| content.to_owned())
    } else {
        content.to_owned()
    }
}

/// The content to send for a text: quoted strings of at most 255 bytes, never cut inside a character.
pub(super) fn quote(text: &str) -> String {
    let mut strings = Vec::new();
    let mut rest = text;
    while rest.len() > MAX_STRING {
        let (head, tail) = rest.split_at(rest.floor_char_boundary(MAX_STRING));
        strings.push(quoted(head));
        rest = tail;
    }
    strings.push(quoted(rest));
    strings.join(" ")
}

fn quoted(part: &str) -> String {
    format!("\"{}\"", part.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Reads `"…" "…"` with the escapes of RFC 1035 section 5.1: `\"`, `\\`, `\DDD`.
fn unquote(content: &str) -> Option<String> {
    let mut text = Vec::new();
    let mut bytes = content.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => string(&mut bytes, &mut text)?,
            b' ' | b'\t' => {}
            _ => return None,
        }
    }
    String::from_utf8(text).ok()
}

/// Reads one string behind its opening quote, up to and with the closing one.
fn string(bytes: &mut std::str::Bytes<'_>, text: &mut Vec<u8>) -> Option<()> {
    loop {
        match bytes.next()? {
            b'"' => return Some(()),
            b'\\' => text.push(escaped(bytes)?),
            byte => text.push(byte),
        }
    }
}

fn escaped(bytes: &mut std::str::Bytes<'_>) -> Option<u8> {
    let first = bytes.next()?;
    if !first.is_ascii_digit() {
        return Some(first);
    }
    let digits = [first, bytes.next()?, bytes.next()?];
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_any_length_comes_back_joined() {
        for text in ["v=spf1 -all", "", "a \"quoted\" \\ word", &"é".repeat(400), &"x".repeat(255)]
        {
            assert_eq!(join(&quote(text)), text);
        }
    }

    #[test]
    fn a_long_text_is_cut_at_255_bytes_and_never_inside_a_character() {
        assert_eq!(quote(&"x".repeat(256)), format!("\"{}\" \"x\"", "x".repeat(255)));
        let cut = quote(&"é".repeat(128));
        assert_eq!(cut, format!("\"{}\" \"é\"", "é".repeat(127)));
    }

    #[test]
    fn where_it_was_cut_does_not_matter_and_escapes_are_read() {
        assert_eq!(join(r#""v=spf1 " "-all""#), "v=spf1 -all");
        assert_eq!(join(r#""a\"b\\c\065""#), "a\"b\\cA");
    }

    #[test]
    fn what_is_not_quoted_strings_is_the_text_itself() {
        for text in ["plain", "\"open", "\"a\" b", "\"\\9\""] {
            assert_eq!(join(text), text);
        }
    }
}
