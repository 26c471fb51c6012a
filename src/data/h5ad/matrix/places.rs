//! Rows or columns of which only some are kept.

/// From a place in the file to the place among what is kept.
#[derive(Debug)]
pub(super) enum Places {
    All(usize),
    Some { kept: usize, place: Vec<u32> },
}

/// Not kept.
const NONE: u32 = u32::MAX;

impl Places {
    pub(super) fn new(kept: Option<&[u32]>, all: usize) -> Self {
        match kept {
            None => Self::All(all),
            Some(kept) => {
                let mut place = vec![NONE; all];
                (0..).zip(kept).for_each(|(new, &old)| place[old as usize] = new);
                Self::Some { kept: kept.len(), place }
            }
        }
    }

    pub(super) fn count(&self) -> usize {
        match self {
            Self::All(all) => *all,
            Self::Some { kept, .. } => *kept,
        }
    }

    pub(super) fn of(&self, old: usize) -> Option<u32> {
        match self {
            Self::All(_) => Some(old as u32),
            Self::Some { place, .. } => Some(place[old]).filter(|&new| new != NONE),
        }
    }
}
