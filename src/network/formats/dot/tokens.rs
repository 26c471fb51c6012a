//! Words and signs of a DOT file.

use crate::network::formats::FormatError;
use crate::network::formats::error::shown;

/// A word or sign.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or value; keywords only where they are not quoted.
    Word { text: String, quoted: bool },
    /// `{`, `}`, `[`, `]`, `;`, `,`, `=`, `:`.
    Sign(char),
    /// `->` or `--`.
    Arrow { directed: bool },
}

impl Token {
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Word { text, .. } => shown(text),
            Self::Sign(sign) => format!("{sign:?}"),
            Self::Arrow { directed } => if *directed { "\"->\"" } else { "\"--\"" }.to_owned(),
        }
    }
}

/// The tokens of `text` with their lines.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, FormatError> {
    let mut tokens: Vec<(Token, usize)> = Vec::new();
    let mut rest = text;
    let mut line = 1;
    let mut at_start = true;
    while let Some(first) = rest.chars().next() {
        let bytes = rest.as_bytes();
        let start = line;
        let place = || format!("line {start}");
        let mut skip = |count: usize, rest: &mut &str| {
            line += rest.as_bytes()[..count].iter().filter(|byte| **byte == b'\n').count();
            *rest = &rest[count..];
        };
        if first.is_whitespace() || first == '\u{feff}' {
            at_start = first == '\n' || (at_start && first != '\r');
            skip(first.len_utf8(), &mut rest);
            continue;
        }
        if rest.starts_with("//") || (first == '#' && at_start) {
            let end = rest.find('\n').unwrap_or(rest.len());
            skip(end, &mut rest);
            continue;
        }
        at_start = false;
        if rest.starts_with("/*") {
            let end = rest.find("*/").ok_or_else(|| FormatError::unexpected(place(), "a comment without end", "*/"))?;
            skip(end + 2, &mut rest);
            continue;
        }
        let token = match first {
            '{' | '}' | '[' | ']' | ';' | ',' | '=' | ':' => {
                skip(1, &mut rest);
                Token::Sign(first)
            }
            '-' if matches!(bytes.get(1), Some(b'>' | b'-')) => {
                let directed = bytes[1] == b'>';
                skip(2, &mut rest);
                Token::Arrow { directed }
            }
            '+' => {
                // Joins quoted strings; the next one follows.
                skip(1, &mut rest);
                match tokens.last() {
                    Some((Token::Word { quoted: true, .. }, _)) => {}
                    _ => return Err(FormatError::unexpected(place(), "\"+\"", "a name")),
                }
                tokens.push((Token::Sign('+'), start));
                continue;
            }
            '"' => {
                let end = closing_quote(rest)
                    .ok_or_else(|| FormatError::unexpected(place(), "a text without closing quote", "\""))?;
                let text = unquoted(&rest[1..end]);
                skip(end + 1, &mut rest);
                if matches!(tokens.last(), Some((Token::Sign('+'), _))) {
                    tokens.pop();
                    if let Some((Token::Word { text: before, .. }, _)) = tokens.last_mut() {
                        before.push_str(&text);
                    }
                    continue;
                }
                Token::Word { text, quoted: true }
            }
            '<' => {
                let end = closing_angle(rest)
                    .ok_or_else(|| FormatError::unexpected(place(), "an HTML text without end", ">"))?;
                let text = rest[1..end].to_owned();
                skip(end + 1, &mut rest);
                Token::Word { text, quoted: true }
            }
            _ => {
                let word = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.') || !letter.is_ascii();
                let sign = usize::from(first == '-');
                let length = rest[sign..].find(|letter: char| !word(letter)).map_or(rest.len(), |end| end + sign);
                if length == sign {
                    let found = shown(&first.to_string());
                    return Err(FormatError::unexpected(place(), found, "a name, which may stand in quotes"));
                }
                let text = rest[..length].to_owned();
                skip(length, &mut rest);
                Token::Word { text, quoted: false }
            }
        };
        tokens.push((token, start));
    }
    Ok(tokens)
}

/// Position of the quote that closes the one at the beginning.
fn closing_quote(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// Position of the `>` that closes the `<` at the beginning.
fn closing_angle(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'<' => open += 1,
            b'>' => {
                open -= 1;
                if open == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('\\', Some('"' | '\\')) => out.extend(letters.next()),
            // A line that goes on.
            ('\\', Some('\n')) => {
                letters.next();
            }
            _ => out.push(letter),
        }
    }
    out
}
