//! The paths that were asked for, as a session keeps them.

use serde::{Deserialize, Serialize};

use super::SessionError;
use crate::document::PathQuery;
use crate::network::paths::{MOST_PATHS, Walk};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Paths {
    from: String,
    to: String,
    count: usize,
    #[serde(default)]
    against_edges: bool,
    #[serde(default)]
    all_edges: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chosen: Option<usize>,
}

impl Paths {
    pub(super) fn of(query: &PathQuery) -> Self {
        Self {
            from: query.from.clone(),
            to: query.to.clone(),
            count: query.count,
            against_edges: query.walk == Walk::Either,
            all_edges: query.all_edges,
            chosen: query.chosen,
        }
    }

    pub(super) fn into_query(self) -> Result<PathQuery, SessionError> {
        if !(1..=MOST_PATHS).contains(&self.count) {
            let reason = format!("{} paths were asked for, expected 1 to {MOST_PATHS}", self.count);
            return Err(SessionError::Damaged { reason });
        }
        Ok(PathQuery {
            from: self.from,
            to: self.to,
            count: self.count,
            walk: if self.against_edges { Walk::Either } else { Walk::Along },
            all_edges: self.all_edges,
            chosen: self.chosen,
        })
    }
}
