//! Text that travels: limited in length and free of control characters, so that what a peer calls itself can be shown in a
//! log, a terminal or a window.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// UTF-8 text of at most `MAX` bytes without control characters. Making one shortens and cleans; decoding one refuses.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text<const MAX: usize>(String);

/// A node's name for people.
pub type NodeName = Text<64>;
/// A session's name for people.
pub type SessionName = Text<128>;
/// Why something is so, for people.
pub type Reason = Text<256>;

impl<const MAX: usize> Text<MAX> {
    /// The longest beginning that fits, with control characters replaced by spaces.
    pub fn new(text: &str) -> Self {
        let kept = &text[..text.floor_char_boundary(MAX)];
        let clean = kept.chars().map(|c| if c.is_control() { ' ' } else { c });
        Self(clean.collect())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<const MAX: usize> From<&str> for Text<MAX> {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl<const MAX: usize> std::fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

impl<const MAX: usize> std::fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl<const MAX: usize> Serialize for Text<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() > MAX || text.chars().any(char::is_control) {
            return Err(D::Error::custom("text too long or with control characters"));
        }
        Ok(Self(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_here_is_accepted_there() {
        for text in ["", "ab", "äöü", "日本語の名前", "a\u{1b}[31mred\n"] {
            let made = Text::<8>::new(text);
            assert!(made.as_str().len() <= 8);
            assert_eq!(postcard::from_bytes::<Text<8>>(&postcard::to_allocvec(&made).unwrap()).unwrap(), made);
        }
    }

    #[test]
    fn long_and_dangerous_text_is_refused() {
        for text in ["123456789", "a\u{1b}b", "a\nb", "\u{9b}1m"] {
            let bytes = postcard::to_allocvec(text).unwrap();
            assert!(postcard::from_bytes::<Text<8>>(&bytes).is_err(), "{text:?}");
        }
    }
}
