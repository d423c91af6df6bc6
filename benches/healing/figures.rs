//! Samples, and the lines of the table.

use std::time::Duration;

/// Prints what the columns are.
pub(crate) fn head(what: &str) {
    println!("\n{what:<64}{:>8}{:>12}{:>12}{:>12}", "n", "median", "p99", "most");
}

/// Prints the durations' line.
pub(crate) fn times(what: &str, samples: &[Duration]) {
    let numbers: Vec<_> = samples.iter().map(|sample| sample.as_secs_f64() * 1e3).collect();
    line(what, &numbers, |number| format!("{number:.0} ms"));
}

/// Prints a line of numbers.
pub(crate) fn line(what: &str, samples: &[f64], show: impl Fn(f64) -> String) {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| sorted.get(((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1)));
    let show = |share| at(share).map_or("-".to_owned(), |number| show(*number));
    println!("{what:<64}{:>8}{:>12}{:>12}{:>12}", sorted.len(), show(0.5), show(0.99), show(1.0));
}
