//! Numbers as people read them on an axis.

/// Beyond it a thousand, a million and so on are written as a letter.
const LONGEST: f64 = 1e6;
/// Below it a number is written with an exponent.
const LEAST: f64 = 1e-4;

/// The labels of ticks that are `step` apart.
pub(crate) fn even(ticks: &[f64], step: f64) -> Vec<String> {
    let largest = ticks.iter().fold(0.0_f64, |most, tick| most.max(tick.abs()));
    if largest >= 1e15 || step < LEAST {
        return ticks.iter().map(|tick| exponential(snapped(*tick, step))).collect();
    }
    let (unit, letter) = unit(largest);
    let decimals = decimals(step / unit);
    ticks.iter().map(|tick| grouped(tick / unit, decimals) + if *tick == 0.0 { "" } else { letter }).collect()
}

/// The label of one tick among others that are a multiple of each other.
pub(crate) fn alone(tick: f64) -> String {
    if tick.abs() >= 1e15 || tick.abs() < LEAST {
        return exponential(tick);
    }
    let (unit, letter) = unit(tick.abs());
    grouped(tick / unit, decimals(tick / unit)) + letter
}

fn unit(largest: f64) -> (f64, &'static str) {
    match largest {
        _ if largest >= 1e12 => (1e12, "T"),
        _ if largest >= 1e9 => (1e9, "G"),
        _ if largest >= LONGEST => (1e6, "M"),
        _ => (1.0, ""),
    }
}

/// How many digits behind the point show a step of 1, 2 or 5 times a power of ten.
fn decimals(step: f64) -> usize {
    (0..9).find(|digits| scaled(step, *digits) > 0.999).unwrap_or(9).try_into().unwrap_or(0)
}

fn scaled(step: f64, digits: i32) -> f64 {
    step.abs() * 10_f64.powi(digits)
}

fn snapped(tick: f64, step: f64) -> f64 {
    if tick.abs() < step * 1e-6 { 0.0 } else { tick }
}

/// With a comma after each three digits, and a minus sign that is as long as a plus.
fn grouped(value: f64, decimals: usize) -> String {
    let plain = format!("{:.decimals$}", value.abs());
    let (whole, rest) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    let mut text = String::new();
    if value < 0.0 && plain.contains(|digit: char| ('1'..='9').contains(&digit)) {
        text.push('−');
    }
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

fn exponential(value: f64) -> String {
    let text = format!("{value:.3e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    if value == 0.0 { "0".to_owned() } else { format!("{digits}e{exponent}").replace('-', "−") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_have_as_many_digits_as_their_step_needs() {
        assert_eq!(even(&[0.0, 0.5, 1.0], 0.5), ["0.0", "0.5", "1.0"]);
        assert_eq!(even(&[-0.02, -1e-19, 0.02], 0.02), ["−0.02", "0.00", "0.02"]);
        assert_eq!(even(&[0.0, 20_000.0, 100_000.0], 20_000.0), ["0", "20,000", "100,000"]);
        assert_eq!(even(&[0.0, 500_000.0, 1_000_000.0], 500_000.0), ["0.0", "0.5M", "1.0M"]);
        assert_eq!(even(&[0.0, 2e-6], 2e-6), ["0", "2e−6"]);
        assert_eq!(even(&[2e15, 4e15], 2e15), ["2e15", "4e15"]);
    }

    #[test]
    fn each_decade_has_its_own_digits() {
        let said = [1e-5, 0.02, 1.0, 500.0, 2000.0, 5e6, 1e9, 2e20].map(alone);
        assert_eq!(said, ["1e−5", "0.02", "1", "500", "2,000", "5M", "1G", "2e20"]);
    }
}
