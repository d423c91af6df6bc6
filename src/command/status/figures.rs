//! Figures as people read them, each in few characters.

use std::time::Duration;

/// Microseconds as milliseconds.
pub(super) fn ms(micros: u32) -> String {
    if micros >= 1_000_000 { format!("{:.0}", f64::from(micros) / 1e3) } else { format!("{:.1}", f64::from(micros) / 1e3) }
}

/// Bits per second with two or three digits: 940, 64k, 2.4M.
pub(super) fn rate(bits: u64) -> String {
    const UNITS: [&str; 5] = ["", "k", "M", "G", "T"];
    let mut unit = 0;
    let mut size = 1_u64;
    while unit + 1 < UNITS.len() && bits / size >= 1000 {
        (unit, size) = (unit + 1, size * 1000);
    }
    let tenths = bits / (size / 10).max(1);
    let letter = UNITS.get(unit).copied().unwrap_or_default();
    if unit > 0 && tenths < 100 { format!("{}.{}{letter}", tenths / 10, tenths % 10) } else { format!("{}{letter}", bits / size) }
}

/// A length of time in its largest unit: 4s, 12m, 3h.
pub(super) fn age(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..=99 => format!("{seconds}s"),
        seconds @ 100..=5999 => format!("{}m", seconds / 60),
        seconds => format!("{}h", seconds / 3600),
    }
}

/// So many nodes.
pub(super) fn count(nodes: usize) -> String {
    match nodes {
        0 => "nobody".to_owned(),
        1 => "1 node".to_owned(),
        n => format!("{n} nodes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let rates = [0, 7, 999, 1000, 9_999, 12_345, 640_000, 2_449_999, 25_000_000, 1_000_000_000, u64::MAX].map(rate);
        assert_eq!(rates, ["0", "7", "999", "1.0k", "9.9k", "12k", "640k", "2.4M", "25M", "1.0G", "18446744T"]);
        assert_eq!([40, 3210, 999_949, 1_234_567].map(ms), ["0.0", "3.2", "999.9", "1235"]);
        assert_eq!(
            [0, 4, 99, 100, 720, 5999, 6000].map(|s| age(Duration::from_secs(s))),
            ["0s", "4s", "99s", "1m", "12m", "99m", "1h"]
        );
        assert_eq!([0, 1, 2].map(count), ["nobody", "1 node", "2 nodes"]);
    }
}
