//! From where to where an axis goes, where values lie on it, and its ticks, as plotters asks for them.

use crate::axis::{Axis, Scale};
use crate::trace::rounded;
use plotters::coord::ranged1d::{BoldPoints, KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use std::ops::Range;

/// Values beyond it, either way, are as no numbers: differences and squares of others are finite.
const LARGEST: f64 = 1e150;
/// Positive values below it have no place on a logarithmic axis.
const SMALLEST: f64 = 1e-150;
/// Values nearer to each other, beside their size, are one value: their ticks would read the same.
const EQUAL: f64 = 1e-9;
/// plotters finds no ticks on shorter axes.
const SHORTEST: f64 = 1e-12;
/// Places further outside than so many lengths of the axis are brought there; lines to them leave the plot all the same.
const FARTHEST: f64 = 1e4;

/// A stretch of an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    scale: Scale,
    pub(crate) from: f64,
    to: f64,
}

impl Span {
    /// What `axis` shows of `values`.
    pub(crate) fn of(axis: &Axis, values: impl Iterator<Item = f64>) -> Self {
        let scale = axis.scale;
        let asked = axis.range.map(|(a, b)| (a.min(b), a.max(b)));
        if let Some((from, to)) = asked.filter(|(from, to)| fits(scale, *from) && fits(scale, *to) && apart(scale, *from, *to)) {
            return Self { scale, from, to };
        }
        let ends = values.filter(|value| fits(scale, *value)).fold(None, |ends: Option<(f64, f64)>, value| {
            Some(ends.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        });
        let (from, to) = match scale {
            Scale::Linear | Scale::Whole => linear_ends(ends.unwrap_or((0.0, 1.0))),
            Scale::Log => log_ends(ends.unwrap_or((1.0, 10.0))),
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

    /// About as many values with a label as asked for.
    pub(crate) fn ticks(&self, most: usize) -> Vec<f64> {
        // plotters misses some that lie on the ends.
        let near = EQUAL * (self.to - self.from);
        let even = || {
            let ticks = RangedCoordf64::from(self.from - near..self.to + near).key_points(BoldPoints(most));
            let inside = |tick: &f64| self.place(*tick).is_some_and(|share| (share - 0.5).abs() < 0.5 + 1e-6);
            ticks.into_iter().filter(inside).collect::<Vec<_>>()
        };
        match self.scale {
            Scale::Linear => even(),
            Scale::Whole => even().into_iter().filter(|tick| (tick - tick.round()).abs() < EQUAL).collect(),
            // plotters has none but powers of ten, and of these none below one decade.
            Scale::Log => {
                let fine = self.rungs(&[1.0, 2.0, 5.0], 1);
                let coarse = [1, 2, 3, 5, 10, 20, 50, 100].map(|every| self.rungs(&[1.0], every));
                // Two thirds more than even ticks: those of a decade are of three lengths, and none is short.
                let fine = Some(fine).filter(|rungs| rungs.len() * 3 <= most * 5);
                let some = fine.or_else(|| coarse.into_iter().find(|rungs| rungs.len() <= most));
                some.filter(|rungs| rungs.len() > 1).unwrap_or_else(even)
            }
        }
    }

    /// The multiples of every so-many-th power of ten that lie in the span.
    fn rungs(&self, multiples: &[f64], every: i32) -> Vec<f64> {
        let range = self.from * (1.0 - EQUAL)..=self.to * (1.0 + EQUAL);
        let inside = |value: &f64| range.contains(value) && fits(self.scale, *value);
        // Exactly what a person would write, also for negative powers.
        let rung = |of: f64, power: i32| if power < 0 { of / 10_f64.powi(-power) } else { of * 10_f64.powi(power) };
        let powers = (-150..=150).filter(|power: &i32| power.rem_euclid(every) == 0);
        powers.flat_map(|power| multiples.iter().map(move |of| rung(*of, power))).filter(inside).collect()
    }
}

impl Ranged for Span {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        first + self.place(*value).map_or(0, |share| rounded(share * f64::from(last - first)))
    }

    /// Without a label only between the powers of ten.
    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if !hint.weight().allow_light_points() {
            return self.ticks(hint.max_num_points());
        }
        let few = self.scale == Scale::Log && self.to / self.from < 1e8;
        if few { self.rungs(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], 1) } else { Vec::new() }
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }
}

impl ValueFormatter<f64> for Span {
    /// Without what adding up leaves behind the digits that a person would write.
    fn format_ext(&self, tick: &f64) -> String {
        let near_zero = tick.abs() < EQUAL * (self.to - self.from) && self.scale != Scale::Log;
        let tick = if near_zero { 0.0 } else { format!("{tick:.10e}").parse().unwrap_or(*tick) };
        let plain = tick == 0.0 || (1e-4..1e7).contains(&tick.abs());
        if plain { tick.to_string() } else { format!("{tick:e}") }.replace('-', "−")
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
        Scale::Linear | Scale::Whole => to - from > EQUAL * from.abs().max(to.abs()) && to - from > SHORTEST,
        Scale::Log => to > from * (1.0 + 1e-6),
    }
}

/// A little more than the values need, and to zero when it is near.
fn linear_ends((low, high): (f64, f64)) -> (f64, f64) {
    let around = if apart(Scale::Linear, low, high) { (high - low) * 0.05 } else { (low.abs() * 0.5).max(0.5) };
    let from = if low >= 0.0 && low < high * 0.5 { 0.0 } else { low - around };
    let to = if high <= 0.0 && high > low * 0.5 { 0.0 } else { high + around };
    (from, to)
}

/// A little more than the values need.
fn log_ends((low, high): (f64, f64)) -> (f64, f64) {
    let around = if apart(Scale::Log, low, high) { (high / low).powf(0.04) } else { 2.0 };
    ((low / around).max(SMALLEST), (high * around).min(LARGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(axis: &Axis, values: &[f64]) -> Span {
        Span::of(axis, values.iter().copied())
    }

    fn labels(axis: &Axis, values: &[f64]) -> Vec<String> {
        let span = span(axis, values);
        span.ticks(6).iter().map(|tick| span.format_ext(tick)).collect()
    }

    #[test]
    fn an_axis_holds_its_data_and_begins_at_zero_when_it_is_near() {
        let ends = |axis: Axis, values: &[f64]| (span(&axis, values).from, span(&axis, values).to);
        assert_eq!(ends(Axis::linear(""), &[3.0, 100.0]).0, 0.0);
        assert_eq!(ends(Axis::linear(""), &[-100.0, -3.0]).1, 0.0);
        assert_eq!(ends(Axis::linear(""), &[80.0, f64::NAN, 100.0]), (79.0, 101.0));
        assert_eq!(ends(Axis::linear(""), &[4.0, 4.0]), (2.0, 6.0));
        assert_eq!(ends(Axis::log(""), &[0.0, -5.0, 7.0]), (3.5, 14.0));
        assert_eq!(ends(Axis::linear("").within(9.0, 1.0), &[50.0]), (1.0, 9.0));
        let (from, to) = ends(Axis::log("").within(0.0, 10.0), &[1.0, 1000.0]);
        assert!(from < 1.0 && from > 0.5 && to > 1000.0 && to < 2000.0, "a range from zero is none");
    }

    #[test]
    fn ticks_are_what_a_person_would_write() {
        assert_eq!(labels(&Axis::linear("").within(0.0, 1.0), &[]), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(labels(&Axis::linear("").within(-0.3, 0.3), &[]), ["−0.2", "0", "0.2"]);
        assert_eq!(labels(&Axis::linear("").within(0.1, 0.6), &[]), ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6"]);
        assert_eq!(labels(&Axis::whole("").within(0.5, 3.5), &[]), ["1", "2", "3"]);
        assert_eq!(labels(&Axis::log("").within(0.3, 22.0), &[]), ["0.5", "1", "2", "5", "10", "20"]);
        assert_eq!(labels(&Axis::log("").within(1.0, 1e5), &[]), ["1", "10", "100", "1000", "10000", "100000"]);
        assert_eq!(labels(&Axis::log("").within(1e-9, 1e9), &[]), ["1e−5", "1", "100000"]);
        assert_eq!(labels(&Axis::log("").within(60.0, 80.0), &[]), ["60", "65", "70", "75", "80"]);
    }

    fn is_sound(axis: &Axis, values: &[f64]) {
        let span = span(axis, values);
        assert!(span.from < span.to && (span.to - span.from).is_finite(), "{axis:?} {values:?}: {span:?}");
        for most in [2, 7, 40] {
            let ticks = span.ticks(most);
            assert!(ticks.len() * 3 <= most * 5, "{axis:?} {values:?}: {ticks:?}");
            let inside = |tick: &f64| (-1e-6..1.0 + 1e-6).contains(&span.place(*tick).unwrap());
            assert!(ticks.iter().all(inside), "{axis:?} {values:?}: {ticks:?}");
            let short = span.to - span.from < SHORTEST;
            assert!(most == 2 || axis.scale == Scale::Whole || short || !ticks.is_empty(), "{axis:?} {values:?}");
        }
    }

    #[test]
    fn whatever_the_values_are_there_is_a_span_with_ticks() {
        let odd =
            [0.0, -0.0, 1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, 1e150];
        let close = [7.0, 7.0 + 1e-15, 1e9, 1e9 + 1e-7, 1e9 + 10.0, 1e15 + 1.0, -3.5, 1e-150];
        let odd: Vec<f64> = odd.into_iter().chain(close).collect();
        let pairs = odd.iter().flat_map(|a| odd.iter().map(|b| (*a, *b)));
        let powers = (-160..160).step_by(3).map(|power| 10_f64.powi(power));
        let scaled = powers.flat_map(|of| [(0.0, of), (-of, 2.5 * of), (of, 1.0000001 * of), (3.0 * of, 3e9 * of)]);
        for (a, b) in pairs.chain(scaled) {
            for axis in [Axis::linear(""), Axis::whole(""), Axis::log("")] {
                is_sound(&axis, &[a, b]);
                is_sound(&axis.within(a, b), &[]);
            }
        }
    }

    #[test]
    fn values_without_a_place_have_none_and_far_ones_are_far() {
        let log = span(&Axis::log("").within(1.0, 100.0), &[]);
        assert_eq!([0.0, -1.0, f64::NAN, f64::INFINITY].map(|value| log.place(value)), [None; 4]);
        assert_eq!(log.place(10.0), Some(0.5));
        assert_eq!(log.map(&10.0, (200, 100)), 150);
        assert_eq!(span(&Axis::linear("").within(0.0, 1e-9), &[]).place(1e100), Some(FARTHEST));
    }
}
