//! Data frames as anndata wrote them before version 0.7: one array of records, its categories kept apart.

use std::cell::RefCell;

use hdf5::types::{CompoundField, CompoundType, TypeDescriptor};
use hdf5::{Group, H5Type};

use super::H5adError;
use super::array::{Element, FileArray, Source, check_size, element_of, join};
use super::frame::texts_or_numbers;
use super::text::read_texts;
use crate::data::Categories;
use crate::data::import::{Column, MemoryFrame, categories_of, written};

/// Where the categories lie: those of `obs` and `var`, those of `raw.var`. A column's are called `NAME_categories`.
const CATEGORY_GROUPS: [&str; 2] = ["uns", "raw.cat"];

thread_local! {
    /// The field that [`One`] stands for.
    static FIELD: RefCell<String> = const { RefCell::new(String::new()) };
}

/// One field of a record, alone: HDF5 reads a part of a record by the names of its fields.
#[repr(transparent)]
struct One<T>(T);

// SAFETY: `One<T>` has the layout of `T` (it is transparent), which is also that of a record whose only field, of type `T`, lies at
// offset 0: what the descriptor says, whatever the name. `T`'s own descriptor is right by its own implementation.
#[allow(unsafe_code)]
unsafe impl<T: H5Type> H5Type for One<T> {
    fn type_descriptor() -> TypeDescriptor {
        let field = FIELD.with_borrow(|name| CompoundField::typed::<T>(name, 0, 0));
        TypeDescriptor::Compound(CompoundType { fields: vec![field], size: size_of::<T>() })
    }
}

/// The field `name` of all records of `dataset`.
pub(super) fn read_field<T: H5Type>(dataset: &hdf5::Dataset, name: &str) -> hdf5::Result<Vec<T>> {
    FIELD.set(name.to_owned());
    let records: Vec<One<T>> = dataset.read_raw()?;
    Ok(records.into_iter().map(|One(value)| value).collect())
}

/// Read the frame that the records at `path` are; none if there is no array of records.
pub(super) fn read_records(file: &Group, path: &str) -> Result<Option<MemoryFrame>, H5adError> {
    let unreadable = |error: hdf5::Error| H5adError::unreadable(path, &error);
    let Ok(dataset) = file.dataset(path) else { return Ok(None) };
    let datatype = dataset.dtype().map_err(unreadable)?;
    let Ok(TypeDescriptor::Compound(record)) = datatype.to_descriptor() else { return Ok(None) };
    if let Some(filter) = dataset.filters().iter().find(|filter| !filter.is_available()) {
        return Err(H5adError::missing_filter(path, filter.id()));
    }
    let shape = dataset.space().map_err(unreadable)?.shape();
    check_size(&dataset, path, &shape, datatype.size())?;
    let [length] = shape[..] else {
        return Err(H5adError::unexpected(path, format!("records of shape {shape:?}"), "one record per row"));
    };
    let Some((index, fields)) = record.fields.split_first() else {
        return Err(H5adError::unexpected(path, "records without fields", "the names of the rows first"));
    };
    let rows = match read_column(&dataset, path, index)? {
        Some(Column::Words(words)) => {
            let name = |code: &Option<u32>| code.map(|code| words.levels[code as usize].clone()).unwrap_or_default();
            words.codes.iter().map(name).collect()
        }
        Some(Column::Numbers(numbers)) => {
            numbers.into_iter().map(|number| written(number.unwrap_or(f64::NAN))).collect()
        }
        None => {
            let place = join(path, &index.name);
            return Err(H5adError::unexpected(
                &place,
                format!("elements of type {}", index.ty),
                "the names of the rows",
            ));
        }
    };
    let mut frame = MemoryFrame::new(path, rows);
    debug_assert_eq!(length, crate::data::import::Frame::length(&frame));
    for field in fields {
        // A column of a kind we do not read is no reason to refuse the file.
        let Some(column) = read_column(&dataset, path, field)? else { continue };
        frame.push(&field.name, categorised(file, &field.name, &field.ty, column)?);
    }
    Ok(Some(frame))
}

fn read_column(dataset: &hdf5::Dataset, path: &str, field: &CompoundField) -> Result<Option<Column>, H5adError> {
    let Some(element) = element_of(&field.ty) else { return Ok(None) };
    let place = join(path, &field.name);
    if element.is_text() {
        let mut texts = Vec::new();
        read_texts(element, &place, &mut texts, Source::Field(dataset, &field.name))?;
        return Ok(Some(Column::Words(categories_of(&field.name, texts.into_iter().map(Some)))));
    }
    // HDF5 converts an enumeration to integers only.
    let numbers = if element == Element::Enumeration {
        read_field::<i32>(dataset, &field.name).map(|numbers| numbers.into_iter().map(f64::from).collect())
    } else {
        read_field::<f64>(dataset, &field.name)
    };
    let numbers = numbers.map_err(|error| H5adError::unreadable(&place, &error))?;
    Ok(Some(Column::Numbers(numbers.into_iter().map(|number| (!number.is_nan()).then_some(number)).collect())))
}

/// `column` with its categories in the place of their codes, if it has any that fit.
fn categorised(file: &Group, name: &str, ty: &TypeDescriptor, column: Column) -> Result<Column, H5adError> {
    let (Column::Numbers(numbers), TypeDescriptor::Integer(_) | TypeDescriptor::Unsigned(_)) = (&column, ty) else {
        return Ok(column);
    };
    // Missing values are −1, in unsigned integers the largest number.
    let missing = match ty {
        TypeDescriptor::Unsigned(size) => 256f64.powi(*size as i32) - 1.0,
        _ => -1.0,
    };
    for group in CATEGORY_GROUPS {
        let place = format!("{group}/{name}_categories");
        if !file.link_exists(group) || !file.link_exists(&place) {
            continue;
        }
        let Ok(array) = FileArray::open(file, "", &place, "the categories") else { continue };
        // anndata wrote a single category as a scalar.
        let levels = match array.text() {
            Some(level) => vec![level],
            None if array.length().is_ok() => texts_or_numbers(&array)?,
            None => continue,
        };
        let code = |number: &Option<f64>| match *number {
            Some(number) if number == missing => Some(None),
            Some(number) if number >= 0.0 && number < levels.len() as f64 => Some(Some(number as u32)),
            _ => None,
        };
        if let Some(codes) = numbers.iter().map(code).collect::<Option<Vec<Option<u32>>>>() {
            return Ok(Column::Words(Categories { name: name.to_owned(), levels, codes }));
        }
    }
    Ok(column)
}
