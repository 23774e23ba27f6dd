//! Who has answered what the ledger asks of everybody, and who is silent.

/// Everybody's answer to one question, by position.
#[derive(Debug)]
pub(super) struct Answers<T> {
    given: Vec<Option<T>>,
    missing: usize,
}

impl<T> Answers<T> {
    /// The answers of so many, of whom nobody has answered yet.
    pub(super) fn of(everybody: usize) -> Self {
        Self { given: (0..everybody).map(|_| None).collect(), missing: everybody }
    }

    /// Takes an answer, in place of any before.
    pub(super) fn enter(&mut self, place: usize, answer: T) {
        self.missing -= usize::from(self.given[place].replace(answer).is_none());
    }

    pub(super) fn all(&self) -> &[Option<T>] {
        &self.given
    }

    pub(super) fn are_complete(&self) -> bool {
        self.missing == 0
    }

    /// The places of those who have not answered.
    pub(super) fn silent(&self) -> impl Iterator<Item = usize> {
        (0..).zip(&self.given).filter(|(_, answer)| answer.is_none()).map(|(place, _)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_complete_when_everybody_has_said_something() {
        let mut answers = Answers::of(3);
        answers.enter(2, "no");
        answers.enter(2, "yes");
        answers.enter(0, "yes");
        assert!(!answers.are_complete() && answers.silent().eq([1]));
        answers.enter(1, "no");
        assert!(answers.are_complete() && answers.silent().next().is_none());
        assert_eq!(answers.all(), [Some("yes"), Some("no"), Some("yes")]);
    }
}
