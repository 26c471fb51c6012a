//! How a CX2 file says that nodes and edges look: defaults, and mappings from attributes to visual properties.

use serde_json::Value as Json;

use super::super::contents::Value;
use super::super::json::to_json;
use super::{hex, of_hex};

/// Attributes whose meaning this program shows by itself: colours that follow them are not taken.
const OWN: [&str; 2] = ["sign", "interaction"];

/// The visual properties of nodes or of edges.
#[derive(Clone, Copy, Default)]
pub(super) struct Look<'a> {
    mappings: Option<&'a Json>,
    defaults: Option<&'a Json>,
}

impl<'a> Look<'a> {
    /// Of the element of the aspect `visualProperties`; `scope` is `node` or `edge`.
    pub(super) fn of(style: Option<&'a Json>, scope: &str) -> Self {
        let mapping = match scope {
            "node" => "nodeMapping",
            _ => "edgeMapping",
        };
        let Some(style) = style else { return Self::default() };
        Self { mappings: style.get(mapping), defaults: style.get("default").and_then(|all| all.get(scope)) }
    }

    /// What the mapping of `property` gives something with the attributes `values`; none without one, or where it says
    /// nothing of this value.
    pub(super) fn mapped(&self, property: &str, values: &[(String, Value)]) -> Option<Json> {
        let mapping = self.mappings?.get(property)?;
        let definition = mapping.get("definition")?;
        let attribute = definition.get("attribute")?.as_str()?;
        if OWN.contains(&attribute) {
            return None;
        }
        let value = &values.iter().find(|(name, _)| name == attribute)?.1;
        let map = || definition.get("map").and_then(Json::as_array).into_iter().flatten();
        match mapping.get("type")?.as_str()? {
            "PASSTHROUGH" => Some(to_json(value)),
            "DISCRETE" => {
                let is = |of: &Json| match (of.as_f64(), value.as_number()) {
                    (Some(a), Some(b)) => a == b,
                    _ => *of == to_json(value) || of.as_str() == Some(&value.to_text()),
                };
                map().find(|entry| entry.get("v").is_some_and(is))?.get("vp").cloned()
            }
            "CONTINUOUS" => {
                let value = value.as_number()?;
                map().find_map(|range| within(range, value))
            }
            _ => None,
        }
    }

    /// What everything has that no mapping and no bypass says otherwise.
    pub(super) fn usual(&self, property: &str) -> Option<&'a Json> {
        self.defaults?.get(property)
    }
}

/// The property at `value` of one range of a continuous mapping; none if it lies outside. The ranges at the ends are open
/// and have one property.
fn within(range: &Json, value: f64) -> Option<Json> {
    let number = |key: &str| range.get(key).and_then(Json::as_f64);
    let includes = |key: &str| range.get(key).and_then(Json::as_bool).unwrap_or(true);
    let (least, most) = (number("min"), number("max"));
    let above = least.is_none_or(|least| value > least || (includes("includeMin") && value == least));
    let below = most.is_none_or(|most| value < most || (includes("includeMax") && value == most));
    if !(above && below) {
        return None;
    }
    let (low, high) = (range.get("minVPValue"), range.get("maxVPValue"));
    let (Some(low), Some(high), Some(least), Some(most)) = (low, high, least, most) else {
        return low.or(high).cloned();
    };
    let share = if most > least { (value - least) / (most - least) } else { 0.0 };
    if let (Some(low), Some(high)) = (low.as_f64(), high.as_f64()) {
        return Some((low + (high - low) * share).into());
    }
    let (low, high) = (of_hex(low)?, of_hex(high)?);
    let part = |at: usize| {
        let (low, high) = (f64::from(low[at]), f64::from(high[at]));
        (low + (high - low) * share).round() as u8
    };
    Some(hex([part(0), part(1), part(2)]).into())
}
