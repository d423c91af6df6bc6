//! minifb's keyboard and mouse as inputs of the state machine. Keys come as events; buttons are polled levels, compared
//! with the poll before.

use super::state::{Input, Key};
use minifb::{MouseButton, MouseMode};
use std::sync::{Arc, Mutex, PoisonError};

/// Keys that are kept between two polls; more than a keyboard makes in a second.
const MAX_PENDING_KEYS: usize = 256;

type Pending = Arc<Mutex<Vec<(minifb::Key, bool)>>>;

/// Gathers what happened in a window since the last time.
pub(super) struct InputSource {
    keys: Pending,
    pointer: Option<(i32, i32)>,
    left: bool,
    middle: bool,
    focused: bool,
    notch: f32,
}

struct KeyEvents(Pending);

impl minifb::InputCallback for KeyEvents {
    fn add_char(&mut self, _: u32) {}

    fn set_key_state(&mut self, key: minifb::Key, down: bool) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() < MAX_PENDING_KEYS {
            keys.push((key, down));
        }
    }
}

impl InputSource {
    /// Listens to the window's keys; `notch` is what one notch of the wheel counts.
    pub(super) fn new(window: &mut minifb::Window, notch: f32) -> Self {
        let keys = Pending::default();
        window.set_input_callback(Box::new(KeyEvents(Arc::clone(&keys))));
        Self { keys, pointer: None, left: false, middle: false, focused: false, notch }
    }

    /// What happened since the last call. The pointer's way between two polls is not known: a button is released where the
    /// pointer was, and pressed where it is.
    pub(super) fn gather(&mut self, window: &minifb::Window) -> Vec<Input> {
        let mut inputs = Vec::new();
        if std::mem::replace(&mut self.focused, window.is_active()) && !self.focused {
            inputs.push(Input::FocusLost);
        }
        let keys = std::mem::take(&mut *self.keys.lock().unwrap_or_else(PoisonError::into_inner));
        inputs.extend(keys.into_iter().filter_map(|(key, down)| Some(Input::Key { key: known(key)?, down })));
        let (left, middle) = (window.get_mouse_down(MouseButton::Left), window.get_mouse_down(MouseButton::Middle));
        let left = (std::mem::replace(&mut self.left, left) != left).then_some(Input::LeftButton { down: left });
        let middle = (std::mem::replace(&mut self.middle, middle) != middle).then_some(Input::MiddleButton { down: middle });
        let released = |input: &Input| matches!(input, Input::LeftButton { down: false } | Input::MiddleButton { down: false });
        inputs.extend([left, middle].into_iter().flatten().filter(released));
        let pointer = window.get_unscaled_mouse_pos(MouseMode::Pass).map(|(x, y)| (whole(x), whole(y)));
        if let (Some((x, y)), true) = (pointer, pointer != self.pointer) {
            inputs.push(Input::Pointer { x, y });
            self.pointer = pointer;
        }
        inputs.extend([left, middle].into_iter().flatten().filter(|input| !released(input)));
        if let Some((columns, rows)) = window.get_scroll_wheel() {
            inputs.push(Input::Wheel { columns: columns / self.notch, rows: rows / self.notch });
        }
        inputs
    }
}

/// The key as the state machine knows it.
fn known(key: minifb::Key) -> Option<Key> {
    use minifb::Key as Raw;
    Some(match key {
        Raw::Left => Key::Left,
        Raw::Right => Key::Right,
        Raw::Up => Key::Up,
        Raw::Down => Key::Down,
        Raw::PageUp => Key::PageUp,
        Raw::PageDown => Key::PageDown,
        Raw::Home => Key::Home,
        Raw::End => Key::End,
        Raw::F8 => Key::F8,
        Raw::F11 => Key::F11,
        Raw::Escape => Key::Escape,
        Raw::Enter | Raw::NumPadEnter | Raw::Space => Key::Enter,
        Raw::LeftCtrl | Raw::RightCtrl => Key::Ctrl,
        Raw::LeftAlt | Raw::RightAlt => Key::Alt,
        Raw::LeftShift | Raw::RightShift => Key::Shift,
        Raw::B => Key::Letter('b'),
        Raw::F => Key::Letter('f'),
        Raw::M => Key::Letter('m'),
        Raw::N => Key::Letter('n'),
        Raw::Q => Key::Letter('q'),
        Raw::S => Key::Letter('s'),
        Raw::Y => Key::Letter('y'),
        other => Key::Letter(digit(other)?),
    })
}

/// The digit of a key.
fn digit(key: minifb::Key) -> Option<char> {
    use minifb::Key as Raw;
    Some(match key {
        Raw::Key0 | Raw::NumPad0 => '0',
        Raw::Key1 | Raw::NumPad1 => '1',
        Raw::Key2 | Raw::NumPad2 => '2',
        Raw::Key3 | Raw::NumPad3 => '3',
        Raw::Key4 | Raw::NumPad4 => '4',
        Raw::Key5 | Raw::NumPad5 => '5',
        Raw::Key6 | Raw::NumPad6 => '6',
        Raw::Key7 | Raw::NumPad7 => '7',
        Raw::Key8 | Raw::NumPad8 => '8',
        Raw::Key9 | Raw::NumPad9 => '9',
        _ => return None,
    })
}

/// A place of the pointer, which is a whole number of pixels on most systems.
#[expect(clippy::cast_possible_truncation, reason = "float to integer casts saturate")]
fn whole(value: f32) -> i32 {
    value.floor() as i32
}
