//! Lines to fields, fields to numbers.

use std::borrow::Cow;

/// What lies between the fields of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    Tab,
    Comma,
    Semicolon,
    /// One or more spaces or tabs.
    Space,
}

impl Separator {
    /// Spaces are the last resort: words have them, too.
    const GROUPS: [&[Self]; 2] = [&[Self::Tab, Self::Comma, Self::Semicolon], &[Self::Space]];

    /// In words, for people.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Tab => "tabs",
            Self::Comma => "commas",
            Self::Semicolon => "semicolons",
            Self::Space => "spaces",
        }
    }

    /// The separator with which the first line and the others have the same number of fields, at least two; with several, the one with
    /// most. The first line may lack the name of the row names, and of ten lines one may be damaged.
    pub(super) fn sniff(lines: &[Vec<u8>]) -> Option<Self> {
        let count = |separator: Self, line: &Vec<u8>| Fields::new(line, separator).count();
        let fields = |separator: Self| {
            let header = lines.first().map_or(0, |line| count(separator, line));
            let first = lines.get(1).map_or(header, |line| count(separator, line));
            let odd = lines.iter().skip(1).filter(|line| count(separator, line) != first).count();
            let even = first >= 2 && (header == first || header + 1 == first) && odd <= lines.len() / 10;
            even.then_some(first)
        };
        for group in Self::GROUPS {
            let mut best: Option<(usize, Self)> = None;
            for &separator in group {
                if let Some(fields) = fields(separator)
                    && best.is_none_or(|(most, _)| fields > most)
                {
                    best = Some((fields, separator));
                }
            }
            if let Some((_, separator)) = best {
                return Some(separator);
            }
        }
        None
    }
}

/// The fields of a line. Quoted fields lose their quotes; a doubled quote within is one.
pub(super) struct Fields<'a> {
    line: &'a [u8],
    at: usize,
    separator: Separator,
    done: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn new(line: &'a [u8], separator: Separator) -> Self {
        let line = if separator == Separator::Space { line.trim_ascii() } else { line };
        Self { line, at: 0, separator, done: false }
    }

    fn separates(&self, byte: u8) -> bool {
        match self.separator {
            Separator::Tab => byte == b'\t',
            Separator::Comma => byte == b',',
            Separator::Semicolon => byte == b';',
            Separator::Space => byte == b' ' || byte == b'\t',
        }
    }

    /// Step over the separator at `end`; none there means that this field was the last.
    fn step(&mut self, end: usize) {
        if end >= self.line.len() {
            self.done = true;
            return;
        }
        self.at = end + 1;
        if self.separator == Separator::Space {
            while self.at < self.line.len() && self.separates(self.line[self.at]) {
                self.at += 1;
            }
        }
    }

    /// The field after its opening quote; none if the quote is never closed.
    fn quoted(&mut self) -> Option<Cow<'a, [u8]>> {
        let start = self.at + 1;
        let mut owned: Option<Vec<u8>> = None;
        let mut from = start;
        loop {
            let quote = from + self.line[from..].iter().position(|&byte| byte == b'"')?;
            if self.line.get(quote + 1) == Some(&b'"') {
                owned.get_or_insert_default().extend_from_slice(&self.line[from..=quote]);
                from = quote + 2;
                continue;
            }
            let field = match owned {
                Some(mut text) => {
                    text.extend_from_slice(&self.line[from..quote]);
                    Cow::Owned(text)
                }
                None => Cow::Borrowed(&self.line[start..quote]),
            };
            // What follows the quote up to the separator belongs to nobody.
            let rest = self.line[quote + 1..].iter().position(|&byte| self.separates(byte));
            self.step(rest.map_or(self.line.len(), |at| quote + 1 + at));
            return Some(field);
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Cow<'a, [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        if self.line.get(self.at) == Some(&b'"')
            && let Some(field) = self.quoted()
        {
            return Some(field);
        }
        let rest = &self.line[self.at..];
        let length = rest.iter().position(|&byte| self.separates(byte)).unwrap_or(rest.len());
        let field = &rest[..length];
        self.step(self.at + length);
        Some(Cow::Borrowed(field))
    }
}

/// The field as text without blanks around it. Bytes that are not UTF-8 are replaced by U+FFFD.
pub(super) fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field.trim_ascii()).into_owned()
}

/// The field as a number, which may be infinite or NaN; none if it is no number.
pub(super) fn number(field: &[u8]) -> Option<f32> {
    let field = field.trim_ascii();
    // Most are small whole numbers.
    if (1..=7).contains(&field.len()) && field.iter().all(u8::is_ascii_digit) {
        return Some(field.iter().fold(0u32, |number, digit| number * 10 + u32::from(digit - b'0')) as f32);
    }
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// Whether the field stands for a missing value.
pub(super) fn is_missing(field: &[u8]) -> bool {
    let field = field.trim_ascii();
    field.is_empty()
        || ["na", "nan", "n/a", "null", "none", "<na>", "#n/a"]
            .iter()
            .any(|word| field.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str, separator: Separator) -> Vec<String> {
        Fields::new(line.as_bytes(), separator).map(|field| text(&field)).collect()
    }

    #[test]
    fn fields_are_split_and_quotes_removed() {
        assert_eq!(split("a,b,,c", Separator::Comma), ["a", "b", "", "c"]);
        assert_eq!(split("a,", Separator::Comma), ["a", ""]);
        assert_eq!(split("", Separator::Comma), [""]);
        assert_eq!(split("\"a,b\",\"say \"\"hi\"\"\",c", Separator::Comma), ["a,b", "say \"hi\"", "c"]);
        assert_eq!(split("\"open,b", Separator::Comma), ["\"open", "b"]);
        assert_eq!(split("  1   2\t3 ", Separator::Space), ["1", "2", "3"]);
        assert_eq!(split("a b\tc", Separator::Tab), ["a b", "c"]);
    }

    #[test]
    fn the_separator_is_the_one_that_splits_evenly() {
        let sniff =
            |text: &str| Separator::sniff(&text.lines().map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>());
        assert_eq!(sniff("a,b,c\n1,2,3\n4,5,6"), Some(Separator::Comma));
        assert_eq!(sniff("b\tc\nx,y\t2\t3\nz\t5\t6"), Some(Separator::Tab));
        assert_eq!(sniff("a;b\n1,5;2,5\n3;4,5"), Some(Separator::Semicolon));
        assert_eq!(sniff("1.0 2.0\n3.0 4.0"), Some(Separator::Space));
        assert_eq!(sniff("E1\tSTAT1\tGene Expression\nE2\tJAK2\tGene Expression"), Some(Separator::Tab));
        assert_eq!(sniff("AAAC\nCCCA"), None);
        assert_eq!(sniff(""), None);
    }

    #[test]
    fn numbers_are_read_in_every_form() {
        for (word, value) in [
            ("0", 0.0),
            ("0042", 42.0),
            ("1234567", 1234567.0),
            ("16777216", 16777216.0),
            ("-1.5", -1.5),
            (" 2e3 ", 2000.0),
        ] {
            assert_eq!(number(word.as_bytes()), Some(value), "{word}");
        }
        assert!(number(b"nan").is_some_and(f32::is_nan));
        for word in ["", "x", "1,5", "0x1"] {
            assert_eq!(number(word.as_bytes()), None, "{word}");
        }
        assert!(is_missing(b" NA ") && is_missing(b"") && !is_missing(b"NAT1"));
    }
}
