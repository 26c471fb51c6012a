//! How the network is laid out.

use std::ops::RangeInclusive;

use crate::layout::{LayoutConfig, Method};

/// How the network is laid out. Strengths are relative: 1 is as usual.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// In which way.
    pub method: Method,
    /// The gene in the middle of [`Method::Concentric`], by symbol; none for the one with most edges shown.
    pub centre: Option<String>,
    /// How strongly genes push each other away, in [`Layout::STRENGTH`].
    pub repulsion: f32,
    /// How strongly edges pull, in [`Layout::STRENGTH`].
    pub spring: f32,
    /// How strongly genes are drawn to the middle, in [`Layout::GRAVITY`].
    pub gravity: f32,
}

impl Default for Layout {
    fn default() -> Self {
        Self { method: Method::Force, centre: None, repulsion: 1.0, spring: 1.0, gravity: 1.0 }
    }
}

impl Layout {
    /// What repulsion and springs may be.
    pub const STRENGTH: RangeInclusive<f32> = 0.1..=10.0;
    /// What gravity may be.
    pub const GRAVITY: RangeInclusive<f32> = 0.0..=4.0;

    /// With its forces set in `config`.
    pub fn config(&self, config: LayoutConfig) -> LayoutConfig {
        LayoutConfig { repulsion: self.repulsion, spring: self.spring, gravity: self.gravity, ..config }
    }

    /// Whether `other` puts genes into other places altogether, not only a little farther or nearer.
    pub fn is_another(&self, other: &Self) -> bool {
        self.method != other.method || (self.method == Method::Concentric && self.centre != other.centre)
    }

    /// The first strength that is out of its range, in words.
    pub fn fault(&self) -> Option<String> {
        let strengths = [
            ("repulsion", self.repulsion, Self::STRENGTH),
            ("springs", self.spring, Self::STRENGTH),
            ("gravity", self.gravity, Self::GRAVITY),
        ];
        let mut wrong = strengths.into_iter().filter(|(_, value, range)| !range.contains(value));
        wrong.next().map(|(name, value, range)| {
            format!("the layout's {name} is {value}, but must be between {} and {}", range.start(), range.end())
        })
    }

    /// In words: `rings around STAT1`.
    pub fn describe(&self) -> String {
        let strengths = [("repulsion", self.repulsion), ("springs", self.spring), ("gravity", self.gravity)];
        let way = match self.method {
            Method::Force => "forces".to_owned(),
            Method::Layered => "layers from regulators to targets".to_owned(),
            Method::Circular => "circle".to_owned(),
            Method::Communities => "communities".to_owned(),
            Method::Concentric => match &self.centre {
                Some(gene) => format!("rings around {gene}"),
                None => "rings around the gene with most edges".to_owned(),
            },
        };
        let set = strengths.into_iter().filter(|(_, value)| self.method == Method::Force && *value != 1.0);
        set.fold(way, |way, (name, value)| format!("{way}, {name} × {value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_is_not_as_usual() {
        assert_eq!(Layout::default().describe(), "forces");
        let strong = Layout { spring: 2.5, ..Layout::default() };
        assert_eq!(strong.describe(), "forces, springs × 2.5");
        let rings = Layout { method: Method::Concentric, centre: Some("STAT1".into()), ..strong.clone() };
        assert_eq!(rings.describe(), "rings around STAT1");
        assert!(rings.is_another(&strong) && !strong.is_another(&Layout::default()));
        let other = Layout { centre: Some("JAK2".into()), ..rings.clone() };
        assert!(other.is_another(&rings));
    }

    #[test]
    fn strengths_out_of_range_are_told() {
        assert_eq!(Layout::default().fault(), None);
        let told = Layout { gravity: f32::NAN, ..Layout::default() }.fault();
        assert_eq!(told.as_deref(), Some("the layout's gravity is NaN, but must be between 0 and 4"));
        assert!(Layout { spring: 0.0, ..Layout::default() }.fault().is_some());
    }
}
