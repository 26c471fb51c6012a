//! Labelled undo: whole states are kept, so a step can never be undone halfway.
//!
//! A drag sends one change per frame but must be one step: changes with the same merge key join until
//! [`History::seal`], which the window calls when no pointer button is down.

/// How many steps are kept.
const LIMIT: usize = 200;

/// What can be undone and redone. Knows nothing of what a state is; states should be cheap to clone.
#[derive(Clone, Debug)]
pub struct History<T> {
    past: Vec<Step<T>>,
    future: Vec<Step<T>>,
    /// Merge key of the last step while it is still open.
    open: Option<String>,
}

#[derive(Clone, Debug)]
struct Step<T> {
    /// What the user did: `Move STAT1`.
    label: String,
    /// In `past` the state before the step, in `future` the state after it.
    state: T,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self { past: Vec::new(), future: Vec::new(), open: None }
    }
}

impl<T> History<T> {
    /// A step that cannot be joined with others is about to change `before`.
    pub fn record(&mut self, label: impl Into<String>, before: T) {
        self.seal();
        self.push(label.into(), before);
    }

    /// Part of a drag is about to change `before`: joins the last step if that has the same `key` and is not sealed.
    pub fn record_merged(&mut self, label: impl Into<String>, key: &str, before: T) {
        if self.open.as_deref() == Some(key) {
            self.future.clear();
            return;
        }
        self.push(label.into(), before);
        self.open = Some(key.to_owned());
    }

    /// End the drag: the next change is a step of its own.
    pub fn seal(&mut self) {
        self.open = None;
    }

    /// Undo the last step: its label and the state before it. `now` is kept for redo.
    pub fn undo(&mut self, now: T) -> Option<(String, T)> {
        self.seal();
        let step = self.past.pop()?;
        self.future.push(Step { label: step.label.clone(), state: now });
        Some((step.label, step.state))
    }

    /// Redo the last undone step: its label and the state after it. `now` is kept for undo.
    pub fn redo(&mut self, now: T) -> Option<(String, T)> {
        self.seal();
        let step = self.future.pop()?;
        self.past.push(Step { label: step.label.clone(), state: now });
        Some((step.label, step.state))
    }

    /// Label of the step that undo would take back.
    pub fn undo_label(&self) -> Option<&str> {
        self.past.last().map(|step| step.label.as_str())
    }

    /// Label of the step that redo would repeat.
    pub fn redo_label(&self) -> Option<&str> {
        self.future.last().map(|step| step.label.as_str())
    }

    /// Forget everything: another document was opened.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn push(&mut self, label: String, state: T) {
        self.future.clear();
        if self.past.len() == LIMIT {
            self.past.remove(0);
        }
        self.past.push(Step { label, state });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undo_and_redo_walk_back_and_forth() {
        let mut history = History::default();
        let mut state = 0;
        for (label, next) in [("one", 1), ("two", 2)] {
            history.record(label, state);
            state = next;
        }
        assert_eq!(history.undo_label(), Some("two"));
        let (label, before) = history.undo(state).unwrap();
        assert_eq!((label.as_str(), before), ("two", 1));
        let (_, before) = history.undo(before).unwrap();
        assert_eq!(before, 0);
        assert!(history.undo(0).is_none());
        let (label, after) = history.redo(0).unwrap();
        assert_eq!((label.as_str(), after), ("one", 1));
        assert_eq!(history.redo_label(), Some("two"));
        history.record("other", after);
        assert_eq!(history.redo_label(), None, "a new step forgets what was undone");
    }

    #[test]
    fn a_drag_is_one_step_until_sealed() {
        let mut history = History::default();
        let mut state = 0;
        for next in 1..=5 {
            history.record_merged("Change threshold", "threshold", state);
            state = next;
        }
        history.seal();
        history.record_merged("Change threshold", "threshold", state);
        state = 9;
        let (_, before) = history.undo(state).unwrap();
        assert_eq!(before, 5);
        let (_, before) = history.undo(before).unwrap();
        assert_eq!(before, 0);
    }

    #[test]
    fn another_drag_or_step_does_not_join() {
        let mut history = History::default();
        history.record_merged("Move A", "move A", 0);
        history.record_merged("Move B", "move B", 1);
        history.record("Select", 2);
        history.record_merged("Move B", "move B", 3);
        let labels: Vec<String> =
            std::iter::successors(history.undo(4), |(_, now)| history.undo(*now)).map(|(label, _)| label).collect();
        assert_eq!(labels, ["Move B", "Select", "Move B", "Move A"]);
    }

    #[test]
    fn the_oldest_steps_are_dropped() {
        let mut history = History::default();
        for step in 0..LIMIT + 10 {
            history.record("step", step);
        }
        let oldest = std::iter::successors(history.undo(0), |(_, now)| history.undo(*now)).last().unwrap();
        assert_eq!(oldest.1, 10);
    }
}
