//! Text in arrays and attributes, whatever its encoding.

use hdf5::types::{FixedAscii, FixedUnicode, VarLenAscii, VarLenUnicode};
use hdf5::{H5Type, Location};

use super::H5adError;
use super::array::{Element, Source, element_of};

/// Append the texts of `source` to `texts`. Bytes that are not UTF-8 are replaced by U+FFFD.
pub(super) fn read_texts(
    element: Element,
    path: &str,
    texts: &mut Vec<String>,
    source: Source<'_>,
) -> Result<(), H5adError> {
    /// HDF5 fills up shorter texts: fixed lengths are read into the next of a few sizes.
    fn fixed<T: H5Type>(source: &Source<'_>, texts: &mut Vec<String>, bytes: impl Fn(&T) -> &[u8]) -> hdf5::Result<()> {
        let values: Vec<T> = source.read()?;
        texts.extend(values.iter().map(|value| decode(bytes(value))));
        Ok(())
    }
    let read = match element {
        // `as_str` would trust the file to hold UTF-8; `as_bytes` does not. HDF5 converts between the two kinds of variable length.
        Element::Text => fixed::<VarLenUnicode>(&source, texts, VarLenUnicode::as_bytes)
            .or_else(|_| fixed::<VarLenAscii>(&source, texts, VarLenAscii::as_bytes)),
        Element::FixedText { bytes: 0..=64, unicode: true } => {
            fixed::<FixedUnicode<64>>(&source, texts, FixedUnicode::as_bytes)
        }
        Element::FixedText { bytes: 65..=1024, unicode: true } => {
            fixed::<FixedUnicode<1024>>(&source, texts, FixedUnicode::as_bytes)
        }
        Element::FixedText { bytes: 0..=64, unicode: false } => {
            fixed::<FixedAscii<64>>(&source, texts, FixedAscii::as_bytes)
        }
        Element::FixedText { bytes: 65..=1024, unicode: false } => {
            fixed::<FixedAscii<1024>>(&source, texts, FixedAscii::as_bytes)
        }
        Element::FixedText { bytes, .. } => {
            return Err(H5adError::unexpected(path, format!("texts of {bytes} bytes"), "texts of at most 1024 bytes"));
        }
        _ => return Err(H5adError::unexpected(path, "numbers", "text")),
    };
    read.map_err(|error| H5adError::unreadable(path, &error))
}

fn decode(bytes: &[u8]) -> String {
    // Fixed texts may be padded with spaces or zeros; nobody means the padding.
    String::from_utf8_lossy(bytes).trim_end_matches(['\0', ' ']).to_owned()
}

/// The texts of attribute `name` (one if it is a scalar); none if there is no such attribute or it is no text.
pub(super) fn text_attribute(location: &Location, name: &str) -> Option<Vec<String>> {
    let attribute = existing(location, name)?;
    let element = element_of(&attribute.dtype().ok()?.to_descriptor().ok()?)?;
    let mut texts = Vec::new();
    read_texts(element, name, &mut texts, Source::Attribute(&attribute)).ok()?;
    Some(texts)
}

/// The text of the scalar attribute `name`.
pub(super) fn one_text(location: &Location, name: &str) -> Option<String> {
    text_attribute(location, name)?.into_iter().next()
}

/// The whole numbers of attribute `name`; none if there is no such attribute or it holds something else.
pub(super) fn integer_attribute(location: &Location, name: &str) -> Option<Vec<i64>> {
    let attribute = existing(location, name)?;
    let element = element_of(&attribute.dtype().ok()?.to_descriptor().ok()?)?;
    if element.is_integer() { attribute.read_raw::<i64>().ok() } else { None }
}

/// Attributes are a few numbers or words; the list of a frame's columns is the longest.
const MOST_ATTRIBUTE_BYTES: usize = 16 << 20;

fn existing(location: &Location, name: &str) -> Option<hdf5::Attribute> {
    let attribute = location.attr(name).ok()?;
    let size = attribute.dtype().ok()?.size().max(1);
    let bytes = attribute.shape().iter().try_fold(size, |product, &length| product.checked_mul(length))?;
    (bytes <= MOST_ATTRIBUTE_BYTES).then_some(attribute)
}
