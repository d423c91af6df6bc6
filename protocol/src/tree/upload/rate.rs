//! A rate as people write it: bits per second, as networks are sold.

use std::fmt;
use std::str::FromStr;

/// A number of bits per second, from 100 kbit/s to 1 Tbit/s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate {
    bits: u64,
}

/// Why a text is no rate. Says what to write instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// It is not a number with one of the letters.
    #[error("give bits per second, for example 800k, 5M or 1G")]
    Form,
    /// It counts bytes.
    #[error("rates are in bits per second, as networks are sold: for 2 MB/s give 16M")]
    Bytes,
    /// It is too small or too large.
    #[error("give from 100k to 1000G")]
    Size,
}

impl Rate {
    /// The smallest: below it a heartbeat would be a burden.
    pub const LEAST: Rate = Rate { bits: 100_000 };
    /// The largest.
    pub const MOST: Rate = Rate { bits: 1_000_000_000_000 };

    /// A rate of so many bits per second, within the limits.
    pub fn from_bits(bits: u64) -> Result<Self, RateError> {
        let rate = Self { bits };
        if (Self::LEAST..=Self::MOST).contains(&rate) { Ok(rate) } else { Err(RateError::Size) }
    }

    /// Whole bytes per second.
    pub fn bytes_per_second(self) -> u64 {
        self.bits / 8
    }

    /// How many copies of a picture fit, each of so many bytes per second.
    pub fn copies(self, bytes_per_second: u64) -> u64 {
        self.bytes_per_second() / bytes_per_second.max(1)
    }

    /// KiB per second as a node says it to its root: rounded up, at most what fits.
    pub fn kib_per_second(self) -> u32 {
        u32::try_from(self.bytes_per_second().div_ceil(1024)).unwrap_or(u32::MAX)
    }
}

impl FromStr for Rate {
    type Err = RateError;

    /// `800k`, `5M`, `2.5Mbit/s`, `1G` or plain bits per second.
    fn from_str(text: &str) -> Result<Self, RateError> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit = unit.trim_start();
        let multiple = match unit.chars().next() {
            None => 1,
            Some('k' | 'K') => 1000,
            Some('M' | 'm') => 1_000_000,
            Some('G' | 'g') => 1_000_000_000,
            Some('B') => return Err(RateError::Bytes),
            Some(_) => return Err(RateError::Form),
        };
        match unit.get(1..).unwrap_or_default() {
            "" | "bit" | "bit/s" | "bits/s" | "bps" | "b/s" => {}
            "B" | "B/s" | "Bps" | "iB" | "iB/s" => return Err(RateError::Bytes),
            _ => return Err(RateError::Form),
        }
        Self::from_bits(scaled(number, multiple).ok_or(RateError::Form)?)
    }
}

/// A decimal number times a power of ten, without what is left of the point after that.
fn scaled(number: &str, multiple: u64) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || (number.contains('.') && part.is_empty()) {
        return None;
    }
    let digits = part.bytes().try_fold((0u64, multiple), |(sum, place), digit| {
        let (value, place) = (u64::from(digit.checked_sub(b'0').filter(|value| *value < 10)?), place / 10);
        Some((sum + value * place, place))
    });
    whole.parse::<u64>().ok()?.checked_mul(multiple)?.checked_add(digits?.0)
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.bits {
            1_000_000_000.. => (1_000_000_000, "G"),
            1_000_000.. => (1_000_000, "M"),
            _ => (1000, "k"),
        };
        let tenths = self.bits / (unit / 10);
        match tenths % 10 {
            0 => write!(f, "{} {name}bit/s", tenths / 10),
            tenth => write!(f, "{}.{tenth} {name}bit/s", tenths / 10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_bits_per_second_as_networks_are_sold() {
        let bytes = |text: &str| text.parse::<Rate>().map(Rate::bytes_per_second);
        for (text, expected) in [
            ("800k", 100_000),
            ("5M", 625_000),
            ("2.5M", 312_500),
            ("1G", 125_000_000),
            ("5Mbit/s", 625_000),
            ("5 Mbps", 625_000),
            ("5m", 625_000),
            ("100000", 12_500),
            ("1.23456789M", 154_320),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn bytes_are_refused_with_a_hint_and_nonsense_with_an_example() {
        for text in ["2MB", "2MB/s", "2 MB/s", "300KiB/s", "5B", "5MBps"] {
            assert_eq!(text.parse::<Rate>(), Err(RateError::Bytes), "{text}");
        }
        for text in ["", "M", "fast", "5T", "5Mx", ".5M", "5.M", "-5M", "1.2.3M", "99999999999999999999"] {
            assert_eq!(text.parse::<Rate>(), Err(RateError::Form), "{text}");
        }
        for text in ["0", "99k", "2000G"] {
            assert_eq!(text.parse::<Rate>(), Err(RateError::Size), "{text}");
        }
    }

    #[test]
    fn a_rate_reads_as_it_was_written() {
        for text in ["800 kbit/s", "5 Mbit/s", "2.5 Mbit/s", "1 Gbit/s"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        assert_eq!("5M".parse::<Rate>().unwrap().kib_per_second(), 611);
    }
}
