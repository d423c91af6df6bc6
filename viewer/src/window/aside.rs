//! Stepping aside: a window on the screen that others see would hide what they are to see. While a page takes the mirrored picture's place
//! the window is small and in a corner; then it returns to where it was. Decides only.

/// What is to be done with the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It must become a window before it can be small.
    LeaveFullScreen,
    /// It makes itself small.
    Aside,
    /// It returns, to full screen if it was that.
    Back { full_screen: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stands {
    #[default]
    There,
    Leaving,
    Aside,
}

/// Where the window stands.
#[derive(Debug, Default)]
pub(super) struct Aside {
    stands: Stands,
    was_full_screen: bool,
}

impl Aside {
    /// The next step, given whether the picture is mirrored and whether the window is full screen now. A person who makes the small window
    /// full screen keeps it so.
    pub(super) fn step(&mut self, mirrored: bool, full_screen: bool) -> Option<Step> {
        let (stands, step) = match (self.stands, mirrored) {
            (Stands::There, true) if full_screen => {
                self.was_full_screen = true;
                (Stands::Leaving, Step::LeaveFullScreen)
            }
            (Stands::There | Stands::Leaving, true) if !full_screen => (Stands::Aside, Step::Aside),
            (Stands::Leaving | Stands::Aside, false) => {
                (Stands::There, Step::Back { full_screen: std::mem::take(&mut self.was_full_screen) })
            }
            _ => return None,
        };
        self.stands = stands;
        Some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_steps_aside_once_and_returns_once() {
        let mut aside = Aside::default();
        assert_eq!(aside.step(false, false), None);
        assert_eq!(aside.step(true, false), Some(Step::Aside));
        assert_eq!(aside.step(true, false), None);
        assert_eq!(aside.step(false, false), Some(Step::Back { full_screen: false }));
        assert_eq!(aside.step(false, false), None);
    }

    #[test]
    fn a_full_screen_is_left_first_and_taken_again_once() {
        let mut aside = Aside::default();
        assert_eq!(aside.step(true, true), Some(Step::LeaveFullScreen));
        assert_eq!(aside.step(true, true), None, "the desktop takes its time");
        assert_eq!(aside.step(true, false), Some(Step::Aside));
        assert_eq!(aside.step(true, true), None, "a person made it full screen");
        assert_eq!(aside.step(false, false), Some(Step::Back { full_screen: true }));
        assert_eq!(
            (aside.step(true, false), aside.step(false, false)),
            (Some(Step::Aside), Some(Step::Back { full_screen: false }))
        );
    }
}
