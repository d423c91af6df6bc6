//! From where to where an axis goes, where values lie on it, and its ticks.

use crate::axis::{Axis, Scale};
use crate::number;

/// Values beyond it, either way, are as no numbers: differences and squares of others are finite.
const LARGEST: f64 = 1e150;
/// Positive values below it have no place on a logarithmic axis.
const SMALLEST: f64 = 1e-150;
/// Values nearer to each other, beside their size, are one value: their ticks would read the same.
const EQUAL: f64 = 1e-9;
/// Places further outside than so many lengths of the axis are brought there; lines to them leave the plot all the same.
const FARTHEST: f64 = 1e6;
const MAX_TICKS: i32 = 40;

/// A stretch of an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    scale: Scale,
    from: f64,
    to: f64,
}

/// A tick: where it is, as a share of the axis, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) at: f64,
    /// Empty for a small tick between others.
    pub(crate) label: String,
}

impl Span {
    /// What `axis` shows of `values`, with about `room` ticks.
    pub(crate) fn of(axis: &Axis, values: impl Iterator<Item = f64>, room: usize) -> Self {
        let scale = axis.scale;
        let asked = axis.range.map(|(a, b)| (a.min(b), a.max(b)));
        if let Some((from, to)) = asked.filter(|(from, to)| fits(scale, *from) && fits(scale, *to) && apart(scale, *from, *to)) {
            return Self { scale, from, to };
        }
        let ends = values.filter(|value| fits(scale, *value)).fold(None, |ends: Option<(f64, f64)>, value| {
            Some(ends.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        });
        let (from, to) = match (scale, ends) {
            (Scale::Linear | Scale::Whole, ends) => linear_ends(ends.unwrap_or((0.0, 1.0)), room),
            (Scale::Log, ends) => log_ends(ends.unwrap_or((1.0, 10.0))),
        };
        Self { scale, from, to }
    }

    /// Where a value lies: 0 at the beginning, 1 at the end, beyond them outside; nothing for what has no place.
    pub(crate) fn place(&self, value: f64) -> Option<f64> {
        let share = |value: f64, from: f64, to: f64| ((value - from) / (to - from)).clamp(-FARTHEST, FARTHEST);
        fits(self.scale, value).then(|| match self.scale {
            Scale::Linear | Scale::Whole => share(value, self.from, self.to),
            Scale::Log => share(value.log10(), self.from.log10(), self.to.log10()),
        })
    }

    /// About `room` ticks with a label, and small ones between them on a logarithmic axis.
    pub(crate) fn ticks(&self, room: usize) -> Vec<Tick> {
        match self.scale {
            Scale::Linear | Scale::Whole => self.even_ticks(room),
            Scale::Log => self.log_ticks(room),
        }
    }

    fn even_ticks(&self, room: usize) -> Vec<Tick> {
        let step = step(self.to - self.from, room);
        let step = if self.scale == Scale::Whole { step.max(1.0) } else { step };
        let first = (self.from / step - 1e-6).ceil();
        let values: Vec<_> = (0..MAX_TICKS)
            .map(|n| (first + f64::from(n)) * step)
            .take_while(|value| *value <= self.to + step * 1e-6)
            .map(|value| if value.abs() < step * 1e-6 { 0.0 } else { value })
            .collect();
        let labels = number::even(&values, step);
        let tick = |(value, label)| Some(Tick { at: self.place(value)?, label });
        values.into_iter().zip(labels).filter_map(tick).collect()
    }

    fn log_ticks(&self, room: usize) -> Vec<Tick> {
        let most = room.max(2);
        let ladder = self.ladder(&[1.0, 2.0, 5.0], 1);
        let decades = (self.to / self.from).log10();
        // Two thirds more than room for even ticks: those of a decade are of three lengths, and none is short.
        let labelled = if ladder.len() * 3 <= most * 5 {
            ladder
        } else {
            let every = (1..=300).find(|every| decades / f64::from(*every) < wide(most)).unwrap_or(300);
            self.ladder(&[1.0], every)
        };
        if labelled.len() < 2 {
            return self.even_ticks(room);
        }
        let small = if decades <= 8.0 { self.ladder(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], 1) } else { Vec::new() };
        let tick = |value: f64, label| Some(Tick { at: self.place(value)?, label });
        let small = small.into_iter().filter(|value| !labelled.contains(value));
        let small: Vec<_> = small.filter_map(|value| tick(value, String::new())).collect();
        labelled.iter().filter_map(|value| tick(*value, number::alone(*value))).chain(small).collect()
    }

    /// The multiples of every so-many-th power of ten that lie in the span.
    fn ladder(&self, multiples: &[f64], every: i32) -> Vec<f64> {
        let inside = |value: &f64| *value >= self.from * (1.0 - EQUAL) && *value <= self.to * (1.0 + EQUAL);
        let powers = (-150..=150).filter(|power: &i32| power.rem_euclid(every) == 0);
        powers.flat_map(|power| multiples.iter().map(move |of| rung(*of, power))).filter(inside).collect()
    }
}

fn fits(scale: Scale, value: f64) -> bool {
    match scale {
        Scale::Linear | Scale::Whole => value.abs() <= LARGEST,
        Scale::Log => (SMALLEST..=LARGEST).contains(&value),
    }
}

fn apart(scale: Scale, from: f64, to: f64) -> bool {
    match scale {
        Scale::Linear | Scale::Whole => to - from > EQUAL * from.abs().max(to.abs()) && to - from > SMALLEST,
        Scale::Log => to > from * (1.0 + 1e-6),
    }
}

/// To halves of what is between two ticks, about, and to zero when it is near.
fn linear_ends((low, high): (f64, f64), room: usize) -> (f64, f64) {
    let (low, high) = if apart(Scale::Linear, low, high) {
        (low, high)
    } else {
        let around = low.abs() * 0.5;
        if around > SMALLEST { (low - around, high + around) } else { (0.0, 1.0) }
    };
    let low = if low > 0.0 && low < high * 0.5 { 0.0 } else { low };
    let high = if high < 0.0 && high > low * 0.5 { 0.0 } else { high };
    let step = step(high - low, room * 2);
    ((low / step + 1e-6).floor() * step, (high / step - 1e-6).ceil() * step)
}

/// To one, two or five times a power of ten.
fn log_ends((low, high): (f64, f64)) -> (f64, f64) {
    let (low, high) = if apart(Scale::Log, low, high) { (low, high) } else { (low / 2.0, high * 2.0) };
    let rungs = || (-151..=151).flat_map(|power| [1.0, 2.0, 5.0].map(|of| rung(of, power)));
    let from = rungs().take_while(|rung| *rung <= low * (1.0 + EQUAL)).last().unwrap_or(low);
    let to = rungs().find(|rung| *rung >= high * (1.0 - EQUAL)).unwrap_or(high);
    (from.max(SMALLEST), to.min(LARGEST))
}

/// Exactly what a person would write, also for negative powers.
fn rung(of: f64, power: i32) -> f64 {
    if power < 0 { of / 10_f64.powi(-power) } else { of * 10_f64.powi(power) }
}

/// One, two or five times a power of ten, so that about `room` steps fit into `length`.
fn step(length: f64, room: usize) -> f64 {
    let least = length / wide(room.max(1));
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0].map(|of| of * power).into_iter().find(|step| *step >= least * 0.999).unwrap_or(10.0 * power)
}

fn wide(count: usize) -> f64 {
    u32::try_from(count).map_or(1e9, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(axis: &Axis, values: &[f64]) -> (f64, f64) {
        let span = Span::of(axis, values.iter().copied(), 5);
        (span.from, span.to)
    }

    fn labels(axis: &Axis, values: &[f64], room: usize) -> Vec<String> {
        let ticks = Span::of(axis, values.iter().copied(), room).ticks(room);
        assert!(ticks.iter().all(|tick| (-1e-6..=1.0 + 1e-6).contains(&tick.at)), "{ticks:?}");
        ticks.into_iter().map(|tick| tick.label).filter(|label| !label.is_empty()).collect()
    }

    #[test]
    fn an_axis_ends_at_round_numbers_and_at_a_zero_that_is_near() {
        let axis = Axis::linear("");
        assert_eq!(span(&axis, &[3.0, 97.0]), (0.0, 100.0));
        assert_eq!(span(&axis, &[61.0, 97.0]), (60.0, 100.0));
        assert_eq!(span(&axis, &[-3.0, 8.0]), (-4.0, 8.0));
        assert_eq!((span(&axis, &[0.0, 0.0]), span(&axis, &[4.0])), ((0.0, 1.0), (0.0, 6.0)));
        assert_eq!(span(&axis.within(9.0, 4.0), &[0.0, 100.0]), (4.0, 9.0));
        assert_eq!(span(&Axis::log(""), &[3.0, 97.0, 0.0, -1.0]), (2.0, 100.0));
    }

    #[test]
    fn ticks_are_round_and_no_more_than_there_is_room_for() {
        assert_eq!(labels(&Axis::linear(""), &[0.0, 437.0], 5), ["0", "100", "200", "300", "400"]);
        assert_eq!(labels(&Axis::linear("").within(0.0, 0.31), &[], 5), ["0.0", "0.1", "0.2", "0.3"]);
        assert_eq!(labels(&Axis::whole("").within(0.5, 3.5), &[], 8), ["1", "2", "3"]);
        assert_eq!(labels(&Axis::log(""), &[0.5, 90.0], 5), ["0.5", "1", "2", "5", "10", "20", "50", "100"]);
        assert_eq!(labels(&Axis::log(""), &[0.1, 9000.0], 6), ["0.1", "1", "10", "100", "1,000", "10,000"]);
        assert_eq!(labels(&Axis::log(""), &[1.0, 1e12], 5), ["1", "1,000", "1M", "1G", "1T"]);
        assert_eq!(labels(&Axis::log("").within(2.1, 2.9), &[], 5), ["2.2", "2.4", "2.6", "2.8"]);
    }

    #[test]
    fn whatever_the_values_are_there_is_a_span_with_ticks() {
        let odd =
            [0.0, -0.0, 1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, 1e150];
        let close = [7.0, 7.0 + 1e-15, 1e9, 1e9 + 1e-7, -3.5, 1e-150];
        let all: Vec<f64> = odd.into_iter().chain(close).collect();
        for axis in [Axis::linear(""), Axis::log("")] {
            for a in &all {
                for b in &all {
                    for range in [None, Some((*a, *b))] {
                        let axis = Axis { range, ..axis.clone() };
                        let span = Span::of(&axis, [*a, *b].into_iter(), 5);
                        assert!(span.from < span.to && (span.to - span.from).is_finite(), "{a} {b} {span:?}");
                        let ticks = labels(&axis, &[*a, *b], 5);
                        assert!((1..=20).contains(&ticks.len()), "{axis:?} {a} {b} {ticks:?}");
                        assert!(all.iter().filter_map(|value| span.place(*value)).all(f64::is_finite));
                    }
                }
            }
        }
    }

    #[test]
    fn values_without_a_place_have_none() {
        let log = Span::of(&Axis::log(""), [1.0, 100.0].into_iter(), 5);
        assert_eq!([0.0, -1.0, f64::NAN, f64::INFINITY, 10.0].map(|value| log.place(value)), [None, None, None, None, Some(0.5)]);
        let linear = Span::of(&Axis::linear(""), [0.0, 10.0].into_iter(), 5);
        assert_eq!([f64::NAN, 20.0, 5.0].map(|value| linear.place(value)), [None, Some(2.0), Some(0.5)]);
    }
}
