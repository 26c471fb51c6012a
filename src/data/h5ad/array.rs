//! Reading arrays: their size is checked before memory is taken, and they come in slices.

use std::ops::Range;

use hdf5::types::{FloatSize, IntSize, TypeDescriptor};
use hdf5::{Group, H5Type};

use super::H5adError;
use super::compound::read_field;

/// Gzip shrinks at most 1,032 to 1; an array that claims to be larger than this times its stored bytes was never written.
const MOST_COMPRESSION: u64 = 1_100;
/// Up to here the claim is not checked: fill values need no storage.
const HARMLESS_BYTES: u64 = 16 << 20;
/// A chunk is decompressed in one piece.
const MOST_CHUNK_BYTES: u64 = 1 << 30;

/// How the elements of an array are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    F32,
    F64,
    /// Booleans, and other enumerations, as integers.
    Enumeration,
    /// Variable-length text.
    Text,
    /// Text of this many bytes, UTF-8 or ASCII.
    FixedText {
        bytes: usize,
        unicode: bool,
    },
}

impl Element {
    fn of(descriptor: &TypeDescriptor) -> Option<Self> {
        Some(match descriptor {
            TypeDescriptor::Integer(IntSize::U1) => Self::I8,
            TypeDescriptor::Integer(IntSize::U2) => Self::I16,
            TypeDescriptor::Integer(IntSize::U4) => Self::I32,
            TypeDescriptor::Integer(IntSize::U8) => Self::I64,
            TypeDescriptor::Unsigned(IntSize::U1) => Self::U8,
            TypeDescriptor::Unsigned(IntSize::U2) => Self::U16,
            TypeDescriptor::Unsigned(IntSize::U4) => Self::U32,
            TypeDescriptor::Unsigned(IntSize::U8) => Self::U64,
            TypeDescriptor::Float(FloatSize::U2) => Self::F16,
            TypeDescriptor::Float(FloatSize::U4) => Self::F32,
            TypeDescriptor::Float(FloatSize::U8) => Self::F64,
            TypeDescriptor::Boolean | TypeDescriptor::Enum(_) => Self::Enumeration,
            TypeDescriptor::VarLenAscii | TypeDescriptor::VarLenUnicode => Self::Text,
            TypeDescriptor::FixedAscii(bytes) => Self::FixedText { bytes: *bytes, unicode: false },
            TypeDescriptor::FixedUnicode(bytes) => Self::FixedText { bytes: *bytes, unicode: true },
            _ => return None,
        })
    }

    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::FixedText { .. })
    }

    pub(super) fn is_integer(self) -> bool {
        !self.is_text() && !matches!(self, Self::F16 | Self::F32 | Self::F64 | Self::Enumeration)
    }
}

/// An array of the file whose shape, type, filters and size were found sound.
#[derive(Debug)]
pub(super) struct FileArray {
    dataset: hdf5::Dataset,
    path: String,
    shape: Vec<usize>,
    element: Element,
    chunk: Option<Vec<usize>>,
}

impl FileArray {
    /// Open `name` in `group`, whose own path is `parent`.
    pub(super) fn open(group: &Group, parent: &str, name: &str, expected: &str) -> Result<Self, H5adError> {
        let path = join(parent, name);
        if !group.link_exists(name) {
            return Err(H5adError::missing(&path, expected));
        }
        let dataset = group.dataset(name).map_err(|_| H5adError::unexpected(&path, "a group", expected))?;
        Self::check(dataset, path, expected)
    }

    fn check(dataset: hdf5::Dataset, path: String, expected: &str) -> Result<Self, H5adError> {
        let unreadable = |error: hdf5::Error| H5adError::unreadable(&path, &error);
        let space = dataset.space().map_err(unreadable)?;
        if space.is_null() {
            return Err(H5adError::unexpected(&path, "an empty (null) array", expected));
        }
        let shape = space.shape();
        let datatype = dataset.dtype().map_err(unreadable)?;
        let descriptor = datatype.to_descriptor();
        let element = descriptor.as_ref().ok().and_then(Element::of).ok_or_else(|| {
            let found = descriptor
                .map_or_else(|error| error.to_string(), |descriptor| format!("elements of type {descriptor}"));
            H5adError::unexpected(&path, found, expected)
        })?;
        if let Some(filter) = dataset.filters().iter().find(|filter| !filter.is_available()) {
            return Err(H5adError::missing_filter(&path, filter.id()));
        }
        check_size(&dataset, &path, &shape, datatype.size())?;
        let size = datatype.size().max(1) as u64;
        let chunk = dataset.chunk();
        if let Some(chunk) = &chunk {
            let bytes = chunk.iter().try_fold(size, |product, &length| product.checked_mul(length as u64));
            let most = believable(&dataset).min(MOST_CHUNK_BYTES);
            if chunk.len() != shape.len() || bytes.is_none_or(|bytes| bytes == 0 || bytes > most) {
                let found = format!("chunks of {chunk:?} for shape {shape:?}");
                let expected =
                    "chunks of the same dimensions, below 1 GiB and no larger than the stored bytes can fill";
                return Err(H5adError::unexpected(&path, found, expected));
            }
        }
        Ok(Self { dataset, path, shape, element, chunk })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub(super) fn element(&self) -> Element {
        self.element
    }

    /// Length of the chunks along `axis`, if the array is stored in chunks.
    pub(super) fn chunk(&self, axis: usize) -> Option<usize> {
        self.chunk.as_ref().map(|chunk| chunk[axis])
    }

    /// The length of an array of one dimension.
    pub(super) fn length(&self) -> Result<usize, H5adError> {
        match self.shape[..] {
            [length] => Ok(length),
            _ => Err(H5adError::unexpected(&self.path, format!("shape {:?}", self.shape), "one dimension")),
        }
    }

    /// Slices that cover an array of one dimension, each whole chunks and about `length` long.
    pub(super) fn slices(&self, length: usize) -> Result<impl Iterator<Item = Range<usize>> + use<>, H5adError> {
        let total = self.length()?;
        let step = whole_chunks(length, self.chunk(0));
        Ok((0..total).step_by(step).map(move |start| start..(start + step).min(total)))
    }

    fn slice<T: H5Type>(&self, range: Range<usize>) -> Result<Vec<T>, H5adError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let values = self.dataset.read_slice_1d::<T, _>(range);
        values
            .map(|values| values.into_raw_vec_and_offset().0)
            .map_err(|error| H5adError::unreadable(&self.path, &error))
    }

    fn tile<T: H5Type>(&self, rows: Range<usize>, columns: Range<usize>) -> Result<Vec<T>, H5adError> {
        if rows.is_empty() || columns.is_empty() {
            return Ok(Vec::new());
        }
        let values = self.dataset.read_slice_2d::<T, _>((rows, columns));
        values
            .map(|values| values.into_raw_vec_and_offset().0)
            .map_err(|error| H5adError::unreadable(&self.path, &error))
    }

    fn not_numbers(&self) -> H5adError {
        H5adError::unexpected(&self.path, "text", "numbers")
    }

    /// Part of a one-dimensional array as f32 (as stored if that is f32; else through f64).
    pub(super) fn f32s(&self, range: Range<usize>) -> Result<Vec<f32>, H5adError> {
        match self.element {
            Element::F32 => self.slice(range),
            _ => Ok(self.f64s(range)?.into_iter().map(|value| value as f32).collect()),
        }
    }

    /// Part of a one-dimensional array as f64.
    pub(super) fn f64s(&self, range: Range<usize>) -> Result<Vec<f64>, H5adError> {
        if self.element.is_text() {
            return Err(self.not_numbers());
        }
        // HDF5 converts an enumeration to integers only.
        if self.element == Element::Enumeration {
            return Ok(self.slice::<i32>(range)?.into_iter().map(f64::from).collect());
        }
        self.slice(range)
    }

    /// Part of a one-dimensional array of integers. HDF5 itself would clip what does not fit; here nothing is clipped.
    pub(super) fn i64s(&self, range: Range<usize>) -> Result<Vec<i64>, H5adError> {
        match self.element {
            Element::U64 => {
                let values: Vec<u64> = self.slice(range)?;
                let narrow = |value: u64| {
                    let found = format!("the number {value}");
                    i64::try_from(value).map_err(|_| H5adError::unexpected(&self.path, found, "a smaller number"))
                };
                values.into_iter().map(narrow).collect()
            }
            Element::Enumeration => Ok(self.slice::<i32>(range)?.into_iter().map(i64::from).collect()),
            element if element.is_integer() => self.slice(range),
            element if element.is_text() => Err(self.not_numbers()),
            _ => Err(H5adError::unexpected(&self.path, "fractional numbers", "whole numbers")),
        }
    }

    /// Part of a one-dimensional array of integers that are indices below `end`: appended to `indices`.
    /// An index out of range is returned with its position.
    pub(super) fn indices(
        &self,
        range: Range<usize>,
        end: usize,
        indices: &mut Vec<u32>,
    ) -> Result<Option<(usize, i64)>, H5adError> {
        let start = range.start;
        if self.element == Element::I32 {
            // The usual case, without the detour over 64 bits.
            let values: Vec<i32> = self.slice(range)?;
            let bad = values.iter().position(|&value| value < 0 || value as usize >= end);
            indices.extend(values.iter().map(|&value| value as u32));
            return Ok(bad.map(|at| (start + at, i64::from(values[at]))));
        }
        let values = self.i64s(range)?;
        let bad = values.iter().position(|&value| value < 0 || value as u64 >= end as u64);
        indices.extend(values.iter().map(|&value| value as u32));
        Ok(bad.map(|at| (start + at, values[at])))
    }

    /// A tile of a two-dimensional array as f32, row by row.
    pub(super) fn tile_f32s(&self, rows: Range<usize>, columns: Range<usize>) -> Result<Vec<f32>, H5adError> {
        match self.element {
            Element::F32 => self.tile(rows, columns),
            Element::Enumeration => {
                Ok(self.tile::<i32>(rows, columns)?.into_iter().map(|value| value as f32).collect())
            }
            element if element.is_text() => Err(self.not_numbers()),
            _ => Ok(self.tile::<f64>(rows, columns)?.into_iter().map(|value| value as f32).collect()),
        }
    }

    /// The text of a scalar; none if it is something else.
    pub(super) fn text(&self) -> Option<String> {
        if !self.shape.is_empty() || !self.element.is_text() {
            return None;
        }
        let mut texts = Vec::new();
        super::text::read_texts(self.element, &self.path, &mut texts, Source::Scalar(&self.dataset)).ok()?;
        texts.pop()
    }

    /// All texts of a one-dimensional array. Bytes that are not UTF-8 are replaced by U+FFFD.
    pub(super) fn texts(&self) -> Result<Vec<String>, H5adError> {
        let length = self.length()?;
        let mut texts = Vec::with_capacity(length);
        for range in self.slices(1 << 16)? {
            super::text::read_texts(self.element, &self.path, &mut texts, Source::Array(&self.dataset, range))?;
        }
        Ok(texts)
    }
}

/// Where texts come from.
pub(super) enum Source<'a> {
    Scalar(&'a hdf5::Dataset),
    Array(&'a hdf5::Dataset, Range<usize>),
    Attribute(&'a hdf5::Attribute),
    /// A field of an array of records.
    Field(&'a hdf5::Dataset, &'a str),
}

impl Source<'_> {
    pub(super) fn read<T: H5Type>(&self) -> hdf5::Result<Vec<T>> {
        match self {
            Self::Scalar(dataset) => dataset.read_raw(),
            Self::Array(_, range) if range.is_empty() => Ok(Vec::new()),
            Self::Array(dataset, range) => {
                dataset.read_slice_1d::<T, _>(range.clone()).map(|values| values.into_raw_vec_and_offset().0)
            }
            Self::Attribute(attribute) => attribute.read_raw(),
            Self::Field(dataset, name) => read_field(dataset, name),
        }
    }
}

/// More bytes than the stored ones of `dataset` can have been.
fn believable(dataset: &hdf5::Dataset) -> u64 {
    dataset.storage_size().saturating_mul(MOST_COMPRESSION).max(HARMLESS_BYTES)
}

/// Refuse a shape that the stored bytes cannot fill; elements have `size` bytes.
pub(super) fn check_size(dataset: &hdf5::Dataset, path: &str, shape: &[usize], size: usize) -> Result<(), H5adError> {
    let bytes = shape.iter().try_fold(size.max(1) as u64, |product, &length| product.checked_mul(length as u64));
    let stored = dataset.storage_size();
    if bytes.is_none_or(|bytes| bytes > believable(dataset)) {
        let found = format!("shape {shape:?} with {stored} stored bytes");
        return Err(H5adError::unexpected(path, found, "as much data as the shape needs"));
    }
    Ok(())
}

pub(super) fn element_of(descriptor: &TypeDescriptor) -> Option<Element> {
    Element::of(descriptor)
}

pub(super) fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") }
}

/// The multiple of `chunk` nearest below `length`, at least one chunk.
pub(super) fn whole_chunks(length: usize, chunk: Option<usize>) -> usize {
    let chunk = chunk.unwrap_or(1).max(1);
    (length / chunk).max(1).saturating_mul(chunk)
}
