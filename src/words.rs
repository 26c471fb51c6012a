//! Counts and lists in messages, for every room that speaks to people.

/// `9,428 cells`, `1 cell`.
pub(crate) fn counted(number: usize, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {one}{plural}", grouped(number))
}

/// `9,428`.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `3.2 GB`, `15 MB`.
pub(crate) fn byte_size(bytes: u64) -> String {
    match bytes as f64 {
        bytes if bytes >= 1e9 => format!("{:.1} GB", bytes / 1e9),
        bytes if bytes >= 1e6 => format!("{:.0} MB", bytes / 1e6),
        bytes => format!("{:.0} kB", bytes / 1e3),
    }
}

/// The first `most` of `words`, and how many more there are: `A, B and 7 more`.
pub(crate) fn listed<S: AsRef<str>>(words: &[S], most: usize) -> String {
    let shown: Vec<&str> = words.iter().take(most).map(AsRef::as_ref).collect();
    let text = shown.join(", ");
    match words.len().saturating_sub(most) {
        0 => text,
        more => format!("{text} and {} more", grouped(more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lists_read_well() {
        assert_eq!(counted(1, "cell"), "1 cell");
        assert_eq!(counted(9428, "cell"), "9,428 cells");
        assert_eq!(grouped(1234567), "1,234,567");
        assert_eq!([0, 7, 999, 1000, 1234].map(grouped), ["0", "7", "999", "1,000", "1,234"]);
        assert_eq!([3_210_000_000, 15_400_000, 900].map(byte_size), ["3.2 GB", "15 MB", "1 kB"]);
        assert_eq!(listed(&["A", "B"], 3), "A, B");
        assert_eq!(listed(&["A", "B", "C"], 2), "A, B and 1 more");
    }
}
