//! What a figure's file says about how it was made.

/// How a figure was made; written into every exported file so that it can be made again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FigureMetadata {
    /// What it shows, in a few words.
    pub title: String,
    /// A sentence or more about it, for readers who cannot see it.
    pub description: String,
    /// Program and version.
    pub program: String,
    /// Hash of the model's file, where there is a model.
    pub model_hash: Option<String>,
    /// Hash of the data set, where there is one.
    pub data_hash: Option<String>,
    /// Settings in the order given: name, value.
    pub settings: Vec<(String, String)>,
}

impl FigureMetadata {
    /// Metadata with this program's name and version.
    pub fn new(title: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            description: description.into(),
            program: concat!("GRN explorer ", env!("CARGO_PKG_VERSION")).into(),
            ..Self::default()
        }
    }

    /// The same with one more setting.
    pub fn with(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.settings.push((name.into(), value.to_string()));
        self
    }

    /// Hashes, then settings, as name and value.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        let model = self.model_hash.as_deref().map(|hash| ("model hash", hash));
        let data = self.data_hash.as_deref().map(|hash| ("data hash", hash));
        let settings = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        model.into_iter().chain(data).chain(settings)
    }

    /// The description and all entries, one a line.
    pub fn as_text(&self) -> String {
        let mut text = self.description.clone();
        for (name, value) in self.entries() {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&format!("{name}: {value}"));
        }
        text
    }
}
