//! The live updates of a screen.
