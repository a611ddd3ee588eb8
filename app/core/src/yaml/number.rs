//! Numbers and truth values in plain scalars, as the core schema of YAML 1.2 (section 10.3.2) has them.

/// `true` and `false`. The `yes` and `on` of YAML 1.1 are texts.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// A whole number: decimal, `0o` octal or `0x` hexadecimal.
pub(super) fn whole(text: &str) -> Option<i128> {
    if let Some(digits) = text.strip_prefix("0x") {
        return digits_in(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return digits_in(digits, 8);
    }
    match text.strip_prefix('-') {
        Some(digits) => digits_in(digits, 10).map(|n| -n),
        None => digits_in(text.strip_prefix('+').unwrap_or(text), 10),
    }
}

fn digits_in(digits: &str, radix: u32) -> Option<i128> {
    let only_digits = digits.chars().all(|c| c.is_digit(radix));
    // Thirty digits fit an i128 in all three bases.
    let fits = !digits.is_empty() && digits.len() <= 30;
    (only_digits && fits).then(|| i128::from_str_radix(digits, radix).ok()).flatten()
}

/// A number with or without a fraction. `.inf` and `.nan` are texts: nothing here can be infinite.
pub(super) fn float(text: &str) -> Option<f64> {
    let numeric = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    let any_digit = text.contains(|c: char| c.is_ascii_digit());
    let number = if any_digit && text.chars().all(numeric) { text.parse().ok() } else { None };
    number.filter(|n: &f64| n.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_yaml_1_2_calls_a_number_is_one() {
        assert_eq!(whole("300"), Some(300));
        assert_eq!(whole("-0x1f"), None);
        assert_eq!(whole("0x1f"), Some(31));
        assert_eq!(whole("0o17"), Some(15));
        assert_eq!(whole("1_000"), None);
        assert_eq!(whole(&"9".repeat(40)), None);
        assert_eq!(float("1.5e3"), Some(1500.0));
        assert_eq!(float("1.2.3"), None);
        assert_eq!(float("e"), None);
        assert_eq!(truth("yes"), None);
    }
}
