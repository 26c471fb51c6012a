//! XML: escaping, and a tree to read from.

use std::borrow::Cow;

use roxmltree::{Document, Node, ParsingOptions};

use super::FormatError;

/// More elements than any network that could be shown has.
const MOST_ELEMENTS: u32 = 50_000_000;
const MOST: &str = "50 million elements";
/// Deeper than any network; the tree of a deeper file could not even be thrown away.
const DEEPEST: usize = 200;

/// `text` in an attribute or between tags. Characters that XML cannot hold become U+FFFD.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    let plain = |letter: char| !matches!(letter, '<' | '>' | '&' | '"' | '\'') && (letter >= ' ');
    if text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\r' => out.push_str("&#13;"),
            letter if letter < ' ' || matches!(letter, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    Cow::Owned(out)
}

/// The tree of `text`.
pub(super) fn tree<'a>(text: &'a str, format: &'static str) -> Result<Document<'a>, FormatError> {
    check_depth(text, format)?;
    let options = ParsingOptions { allow_dtd: true, nodes_limit: MOST_ELEMENTS, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::NodesLimitReached => FormatError::TooLarge { most: MOST },
        error => FormatError::Syntax { format, reason: error.to_string() },
    })
}

/// Where `node` is: `line 3`.
pub(super) fn place(node: Node<'_, '_>) -> String {
    format!("line {}", node.document().text_pos_at(node.range().start).row)
}

/// The attribute `name` of `node`.
pub(super) fn need<'a>(node: Node<'a, '_>, name: &'static str) -> Result<&'a str, FormatError> {
    node.attribute(name).ok_or_else(|| {
        let found = format!("<{}> without {name}", node.tag_name().name());
        FormatError::unexpected(place(node), found, format!("an attribute {name}"))
    })
}

/// Refuse tags nested deeper than any network's. Counts a little too much where comments hold tags, never too little.
fn check_depth(text: &str, format: &'static str) -> Result<(), FormatError> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == b'<') {
        let open = at + found;
        let end = bytes[open..].iter().position(|byte| *byte == b'>').map_or(bytes.len(), |end| open + end);
        match bytes.get(open + 1) {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(b'!' | b'?') => {}
            _ if end > open && bytes[end - 1] == b'/' => {}
            _ => depth += 1,
        }
        if depth > DEEPEST {
            let line = 1 + bytes[..open].iter().filter(|byte| **byte == b'\n').count();
            let reason = format!("line {line}: tags are nested more than {DEEPEST} deep");
            return Err(FormatError::Syntax { format, reason });
        }
        at = open + 1;
    }
    Ok(())
}
